// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"goldenimage.dev/pkg/sources"
)

const (
	// maxLayers is what container engines accept.
	maxLayers = 127
	// maxAttempts of a manifest or a configuration.
	maxAttempts = 4
)

// An image is what is known of one before its layers are read.
type image struct {
	digest string
	config v1.ConfigFile
	// layers from the bottom to the top.
	layers []v1.Descriptor
}

// image reads the manifests and the configuration of the client's reference.
func (o *Opener) image(ctx context.Context, c *client, architecture string) (*image, error) {
	digest := c.ref.Digest()
	content, mediaType, err := o.manifest(ctx, c, digest)
	if err != nil {
		return nil, err
	}
	if mediaType.IsIndex() {
		wanted := cmp.Or(architecture, runtime.GOARCH)
		chosen, err := chooseImage(c.ref, content, wanted)
		if err != nil {
			return nil, err
		}
		if chosen.digest == "" {
			return nil, chosen.missing(sources.NotFound, c.ref, wanted)
		}
		digest = chosen.digest
		if content, mediaType, err = o.manifest(ctx, c, digest); err != nil {
			return nil, err
		}
	}
	if !mediaType.IsImage() {
		return nil, sources.Errorf(sources.Invalid, "%s is not a container image but %s", c.ref, cleanText(string(mediaType)))
	}
	manifest, err := parseManifest(c, content)
	if err != nil {
		return nil, err
	}
	img := &image{digest: digest, layers: manifest.Layers}
	if img.config, err = o.config(ctx, c, manifest.Config); err != nil {
		return nil, err
	}
	return img, c.check(img, architecture)
}

func (o *Opener) manifest(ctx context.Context, c *client, digest string) (content []byte, mediaType types.MediaType, err error) {
	err = o.retry(ctx, c, func(ctx context.Context) error {
		content, mediaType, _, err = c.manifest(ctx, digest)
		return err
	})
	return content, mediaType, err
}

func (o *Opener) config(ctx context.Context, c *client, want v1.Descriptor) (config v1.ConfigFile, err error) {
	var content []byte
	err = o.retry(ctx, c, func(ctx context.Context) error {
		content, err = c.document(ctx, want.Digest.String())
		return err
	})
	if err != nil {
		return config, err
	}
	if err := json.Unmarshal(content, &config); err != nil {
		return config, sources.Errorf(sources.Invalid, "the configuration of %s is malformed: %s", c.ref, clean(err))
	}
	return config, nil
}

// retry repeats a small request while its failure may go away by itself.
func (o *Opener) retry(ctx context.Context, c *client, request func(context.Context) error) error {
	for attempt := 0; ; attempt++ {
		bounded, cancel := context.WithTimeout(ctx, o.options.RequestTimeout)
		err := c.failure(request(bounded))
		cancel()
		kind := sources.KindOf(err)
		if err == nil || ctx.Err() != nil || attempt+1 == maxAttempts || kind != sources.Transient && kind != sources.Unreachable {
			return err
		}
		timer := time.NewTimer(o.options.RetryDelay << attempt)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return c.failure(context.Cause(ctx))
		}
	}
}

func parseManifest(c *client, content []byte) (*v1.Manifest, error) {
	manifest, err := v1.ParseManifest(bytes.NewReader(content))
	if err != nil {
		return nil, sources.Errorf(sources.Invalid, "the manifest of %s is malformed: %s", c.ref, clean(err))
	}
	if len(manifest.Layers) > maxLayers {
		return nil, sources.Errorf(sources.Invalid, "%s has %d layers: at most %d are supported", c.ref, len(manifest.Layers), maxLayers)
	}
	for _, d := range append([]v1.Descriptor{manifest.Config}, manifest.Layers...) {
		if err := checkDigest(c.ref, d.Digest.String()); err != nil {
			return nil, err
		}
		if d.Size < 0 {
			return nil, sources.Errorf(sources.Invalid, "the manifest of %s gives blob %s the size %d", c.ref, d.Digest, d.Size)
		}
	}
	return manifest, nil
}

// check refuses images that cannot be what was asked for.
func (c *client) check(img *image, architecture string) error {
	if got := img.config.Architecture; architecture != "" && got != "" && got != architecture {
		return sources.Errorf(sources.Invalid, "manifest image architecture: %q doesn't match requested architecture: %q", cleanText(got), architecture)
	}
	labels := img.config.Config.Labels
	for _, name := range []string{"containers.bootc", "ostree.bootable"} {
		if value := labels[name]; value == "1" || value == "true" {
			return sources.Errorf(sources.NoDisk, "%s is a bootable container (label %s): only images with a disk below /%s are supported", c.ref, name, diskDir)
		}
	}
	return nil
}

// describe is how messages name an image and where it came from.
func (c *client) describe(img *image) string {
	if img.digest == c.ref.Digest() {
		return c.ref.String()
	}
	return fmt.Sprintf("%s (its image %s)", c.ref, img.digest)
}

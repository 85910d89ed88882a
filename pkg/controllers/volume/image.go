// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"context"
	"errors"
	"time"

	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/reference"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/access"
	"goldenimage.dev/pkg/sources"
)

// An image is what an import reads, and how.
type image struct {
	// file on a web server, nil for an image in a registry.
	file *file
	ref  reference.Reference
	// node: the kubelet pulls it and mounts it into the worker.
	node         bool
	architecture string
	insecure     bool
	// secret and configMap are mounted into the worker; "" for none.
	secret, configMap string
	// pullSecrets of the worker's ServiceAccount. They are mounted where there is no secret.
	pullSecrets []string
	// proxy that the worker reads by.
	proxy access.Proxy
	// pullSecret is what the kubelet pulls with besides the node's own; "" for none.
	pullSecret string
}

// digest by which the source names the image, "" if it is not known.
func (i *image) digest() string {
	if i.file != nil {
		return i.file.digest
	}
	return i.ref.Digest()
}

// image finds out what an import reads, by digest. A *problem says what is missing.
func (c *Controller) image(ctx context.Context, dv *v1beta1.DataVolume) (*image, error) {
	found, err := c.named(dv)
	if err != nil {
		return nil, err
	}
	now := c.clock.Now()
	if p := c.holds.get(dv, now); p != nil {
		return nil, p
	}
	err = c.complete(ctx, dv, found)
	var accessErr *access.Error
	var sourceErr *sources.Error
	switch {
	case errors.As(err, &accessErr):
		return nil, c.holds.set(dv, &problem{reason: accessErr.Reason, message: accessErr.Message}, now, time.Time{}, longestPause)
	case errors.As(err, &sourceErr):
		return nil, c.holds.set(dv, pollProblem(sourceErr), now, sourceErr.NotBefore, longestNetPause)
	case err != nil:
		return nil, err
	}
	c.holds.clear(keyOf(dv))
	return found, nil
}

// named reads what the user wrote, and the digest that was settled before.
func (c *Controller) named(dv *v1beta1.DataVolume) (*image, error) {
	if dv.Spec.Source.HTTP != nil {
		return describeFile(dv), nil
	}
	found, err := describe(dv.Spec.Source.Registry)
	if err != nil {
		return nil, err
	}
	if found.node && !c.imageVolumes {
		return nil, problemf(reasonImageVolumes,
			"pullMethod node needs Kubernetes 1.35 or newer, which mounts images as volumes: upgrade the cluster, or use pullMethod: pod")
	}
	if found.ref.Digest() == "" {
		if digest := dv.Annotations[v1beta1.AnnSourceDigest]; digest != "" {
			if ref, err := reference.Parse(found.ref.Pin(digest).URL()); err == nil {
				found.ref = ref
			}
		}
	}
	return found, nil
}

// describe reads what the user wrote.
func describe(source *v1beta1.DataVolumeSourceRegistry) (*image, error) {
	ref, err := reference.Parse(ptr.Deref(source.URL, ""))
	if err != nil {
		return nil, problemf(reasonSourceNotSupported, "The registry URL cannot be read: %s", err)
	}
	if ref.Transport() != reference.Docker {
		return nil, problemf(reasonSourceNotSupported, "%s is a file: push the image to a registry and use docker://host/repository:tag", ref)
	}
	found := &image{ref: ref, node: ptr.Deref(source.PullMethod, v1beta1.RegistryPullPod) == v1beta1.RegistryPullNode}
	if source.Platform != nil {
		found.architecture = source.Platform.Architecture
	}
	return found, nil
}

// complete adds what the cluster and the registry know: the image's digest and how it is read.
func (c *Controller) complete(ctx context.Context, dv *v1beta1.DataVolume, found *image) error {
	if found.file != nil {
		// What is missing is told before a worker is made that would miss it.
		if _, err := c.access.HTTP(ctx, dv.Namespace, dv.Spec.Source.HTTP); err != nil {
			return err
		}
		var err error
		found.proxy, err = c.access.Proxy(ctx)
		return err
	}
	source := dv.Spec.Source.Registry
	if found.node && found.ref.Digest() != "" {
		// The node trusts what it was told to trust; of the Secret it takes what it can.
		source = source.DeepCopy()
		source.CertConfigMap = nil
	}
	credentials, err := c.access.RegistryAs(ctx, dv.Namespace, dv.Spec.ServiceAccountName, source)
	var mendable *access.Error
	if err != nil && (!found.node || !errors.As(err, &mendable)) {
		return err
	}
	found.insecure = credentials.Insecure
	if found.node {
		if credentials.DockerConfig != nil {
			found.pullSecret = ptr.Deref(source.SecretRef, "")
		}
		if found.pullSecrets, err = c.access.PullSecrets(ctx, dv.Namespace, dv.Spec.ServiceAccountName); err != nil {
			return err
		}
	} else if err := c.forWorker(ctx, dv, found); err != nil {
		return err
	}
	if found.ref.Digest() != "" {
		return nil
	}
	return c.resolve(ctx, found, credentials)
}

// forWorker adds what a worker reads a registry with.
func (c *Controller) forWorker(ctx context.Context, dv *v1beta1.DataVolume, found *image) (err error) {
	source := dv.Spec.Source.Registry
	found.secret, found.configMap = ptr.Deref(source.SecretRef, ""), ptr.Deref(source.CertConfigMap, "")
	if found.secret == "" {
		if found.pullSecrets, err = c.access.PullSecrets(ctx, dv.Namespace, dv.Spec.ServiceAccountName); err != nil {
			return err
		}
	}
	found.proxy, err = c.access.Proxy(ctx)
	return err
}

// resolve asks the registry for the digest of an image that is named by tag, so that a worker
// that begins anew reads the same content.
func (c *Controller) resolve(ctx context.Context, found *image, credentials sources.Access) error {
	if c.resolver == nil {
		if found.node {
			return nil
		}
		return sources.Errorf(sources.Invalid, "This server cannot ask registries for the digest of %s: name the image by digest", found.ref)
	}
	revision, err := c.resolver.Resolve(ctx, sources.Query{Location: found.ref.URL(), Access: credentials})
	if err == nil {
		found.ref = found.ref.Pin(revision.Digest)
		return nil
	}
	if found.node && ctx.Err() == nil && sources.KindOf(err) != sources.RateLimited {
		// A node may have mirrors and credentials that the server has not. What it pulls stays
		// mounted for as long as the worker's pod lives.
		return nil
	}
	var known *sources.Error
	if !errors.As(err, &known) && ctx.Err() == nil {
		return sources.Errorf(sources.Transient, "%w", err)
	}
	return err
}

func pollProblem(err *sources.Error) *problem {
	reason := reasonPollFailed
	switch err.Kind {
	case sources.Unauthorized:
		reason = reasonUnauthorized
	case sources.NotFound:
		reason = reasonImageMissing
	case sources.Unreachable:
		reason = reasonUnreachable
	case sources.Certificate:
		reason = reasonCertificate
	case sources.RateLimited:
		reason = reasonRateLimited
	case sources.Transient, sources.Mismatch, sources.NoDisk, sources.Invalid:
	}
	return &problem{reason: reason, message: err.Message}
}

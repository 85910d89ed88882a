// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"goldenimage.dev/pkg/apis/cdi/reference"
	"goldenimage.dev/pkg/sources"
)

const (
	// maxManifests bounds an index. The largest ones that are in use have some hundred.
	maxManifests = 4096
	// linux is the system of all container disks; what names none is taken for it.
	linux = "linux"
	// referenceType is the annotation of what is no image but is about one, such as how it was
	// built.
	referenceType = "vnd.docker.reference.type"
)

// validVariant is of what goes into a Platform as the index has it.
var validVariant = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,31}$`)

// A child is what an index holds for one platform. The zero value is that of a document that is
// no index.
type child struct {
	// digest of the image for the platform, which is platform.
	digest, platform string
	// offered are the platforms of an index that has none for the one that was asked for, for a
	// message; "" if it has one.
	offered string
	// misnamed tells that the registry answers with another document for the index's digest, or
	// with none.
	misnamed bool
}

// missing is the error for an index without an image for the architecture.
func (f child) missing(kind sources.Kind, ref reference.Reference, architecture string) error {
	return sources.Errorf(kind, "%s has no image for %s/%s: its index offers %s", ref, linux, cleanText(architecture), f.offered)
}

// A descriptor is what is read of one manifest in an index.
type descriptor struct {
	MediaType types.MediaType `json:"mediaType"`
	Digest    string          `json:"digest"`
	Platform  *struct {
		OS           string `json:"os"`
		Architecture string `json:"architecture"`
		Variant      string `json:"variant"`
	} `json:"platform"`
	Annotations map[string]string `json:"annotations"`
}

// image tells whether it is one, for a platform that is named.
func (d descriptor) image() bool {
	return d.Platform != nil && d.Platform.Architecture != "unknown" && d.MediaType.IsImage() && d.Annotations[referenceType] == ""
}

func (d descriptor) platform() string {
	name := linux + "/" + d.Platform.Architecture
	if validVariant.MatchString(d.Platform.Variant) {
		name += "/" + d.Platform.Variant
	}
	return name
}

// chooseImage returns the image for Linux on an architecture. Of several it is the first.
func chooseImage(ref reference.Reference, content []byte, architecture string) (child, error) {
	var offered []string
	var found child
	err := eachManifest(content, func(d descriptor) (bool, error) {
		if !d.image() {
			return true, nil
		}
		if (d.Platform.OS == linux || d.Platform.OS == "") && d.Platform.Architecture == architecture {
			found = child{digest: d.Digest, platform: d.platform()}
			return false, checkDigest(ref, d.Digest)
		}
		if name := cleanText(d.Platform.OS + "/" + d.Platform.Architecture); len(offered) < maxListed && !slices.Contains(offered, name) {
			offered = append(offered, name)
		}
		return true, nil
	})
	if err != nil {
		if known, ok := errors.AsType[*sources.Error](err); ok {
			return child{}, known
		}
		return child{}, sources.Errorf(sources.Invalid, "the index of %s is malformed: %s", ref, clean(err))
	}
	if found.digest == "" {
		found.offered = "none"
		if len(offered) > 0 {
			found.offered = cleanText(strings.Join(offered, ", "))
		}
	}
	return found, nil
}

// eachManifest calls visit with the manifests of an index until it returns false. They are read
// one by one: many small ones take a hundred times the memory of their text.
func eachManifest(content []byte, visit func(descriptor) (bool, error)) error {
	var index struct {
		Manifests json.RawMessage `json:"manifests"`
	}
	if err := json.Unmarshal(content, &index); err != nil {
		return err
	}
	if text := string(index.Manifests); text == "" || text == "null" {
		return nil
	}
	if index.Manifests[0] != '[' {
		return errors.New("its manifests are no list")
	}
	decoder := json.NewDecoder(bytes.NewReader(index.Manifests))
	if _, err := decoder.Token(); err != nil {
		return err
	}
	for n := 0; decoder.More(); n++ {
		if n == maxManifests {
			return fmt.Errorf("it has more than %d manifests", maxManifests)
		}
		var d descriptor
		if err := decoder.Decode(&d); err != nil {
			return err
		}
		if more, err := visit(d); err != nil || !more {
			return err
		}
	}
	return nil
}

// documentType returns the media type of a manifest or an index. What the document says of
// itself is part of its digest, what the registry says of it is not.
func documentType(content []byte, said string) types.MediaType {
	var self struct {
		MediaType string `json:"mediaType"`
	}
	if json.Unmarshal(content, &self) == nil && self.MediaType != "" {
		said = self.MediaType
	}
	return mediaType(said)
}

// mediaType returns a Content-Type without its parameters.
func mediaType(contentType string) types.MediaType {
	name, _, _ := strings.Cut(contentType, ";")
	return types.MediaType(strings.TrimSpace(name))
}

func checkDigest(ref reference.Reference, digest string) error {
	if !validDigest.MatchString(digest) {
		return sources.Errorf(sources.Invalid, "%s names a part by %q: only sha256 digests are supported", ref, cleanText(digest))
	}
	return nil
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// NewIndex makes an index of images for Linux by architecture.
func NewIndex(t testing.TB, images map[string]v1.Image) v1.ImageIndex {
	t.Helper()
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for architecture, image := range images {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        image,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: architecture}},
		})
	}
	return index
}

// Attested puts an attestation in front of an index's images, as builders have them: a manifest
// that is none of a disk, once with the platform that builders give it and once, as others do,
// with that of an image.
func Attested(t testing.TB, index v1.ImageIndex, architecture string) v1.ImageIndex {
	t.Helper()
	attestation := NewImage(t, Image{Layers: []Layer{{{Name: "provenance.json", Content: []byte("{}")}}}})
	attested := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, platform := range []v1.Platform{{OS: "unknown", Architecture: "unknown"}, {OS: "linux", Architecture: architecture}} {
		attested = mutate.AppendManifests(attested, mutate.IndexAddendum{Add: attestation, Descriptor: v1.Descriptor{
			Platform: &platform, Annotations: map[string]string{"vnd.docker.reference.type": "attestation-manifest"},
		}})
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range manifest.Manifests {
		image, err := index.Image(d.Digest)
		if err != nil {
			t.Fatal(err)
		}
		attested = mutate.AppendManifests(attested, mutate.IndexAddendum{Add: image, Descriptor: d})
	}
	return attested
}

// Repacked returns another index of the same images.
func Repacked(t testing.TB, index v1.ImageIndex, note string) v1.ImageIndex {
	t.Helper()
	repacked, ok := mutate.Annotations(index, map[string]string{"org.opencontainers.image.created": note}).(v1.ImageIndex)
	if !ok {
		t.Fatal("an annotated index is no index")
	}
	return repacked
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"testing"

	"github.com/google/go-containerregistry/pkg/compression"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// A File is an entry of a layer.
type File struct {
	// Name as the layer has it, such as disk/fedora.qcow2 or disk/.wh.old.
	Name    string
	Content []byte
	// Type is one of archive/tar's; 0 means a regular file.
	Type byte
	// Link is what a link points to.
	Link string
}

// A Layer is the files of one layer.
type Layer []File

// An Image is what NewImage makes.
type Image struct {
	// Layers from the bottom to the top.
	Layers []Layer
	// Architecture of the configuration; empty leaves it out.
	Architecture string
	// Environment and Labels of the configuration.
	Environment []string
	Labels      map[string]string
	// Compression of the layers; empty means gzip.
	Compression compression.Compression
}

// NewImage makes an image.
func NewImage(t testing.TB, from Image) v1.Image {
	t.Helper()
	if from.Compression == "" {
		from.Compression = compression.GZip
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, l := range from.Layers {
		var err error
		if image, err = mutate.AppendLayers(image, newLayer(t, l, from.Compression)); err != nil {
			t.Fatal(err)
		}
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", from.Architecture
	config.Config.Env, config.Config.Labels = from.Environment, from.Labels
	if image, err = mutate.ConfigFile(image, config); err != nil {
		t.Fatal(err)
	}
	return image
}

// ContainerDisk makes an image of one layer, with a disk as container disks have it.
func ContainerDisk(t testing.TB, name string, disk []byte) v1.Image {
	t.Helper()
	return NewImage(t, Image{Layers: []Layer{{
		{Name: "disk/", Type: tar.TypeDir},
		{Name: "disk/" + name, Content: disk},
	}}})
}

func newLayer(t testing.TB, files Layer, c compression.Compression) v1.Layer {
	t.Helper()
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, f := range files {
		header := &tar.Header{Name: f.Name, Typeflag: f.Type, Linkname: f.Link, Mode: 0o440, Uid: 107, Gid: 107, Size: int64(len(f.Content))}
		if f.Type == 0 {
			header.Typeflag = tar.TypeReg
		}
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(f.Content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	mediaType := map[compression.Compression]types.MediaType{
		compression.GZip: types.OCILayer, compression.ZStd: types.OCILayerZStd, compression.None: types.OCIUncompressedLayer,
	}[c]
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(archive.Bytes())), nil
	}, tarball.WithCompression(c), tarball.WithCompressionLevel(gzip.BestSpeed), tarball.WithMediaType(mediaType), tarball.WithCompressedCaching)
	if err != nil {
		t.Fatal(err)
	}
	return layer
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// owner is the user and group of a container disk's files: those of qemu in KubeVirt.
const owner = 107

// layer is a compressed layer in a file, with what is known of it since it was written.
type layer struct {
	path           string
	digest, diffID v1.Hash
	size           int64
}

var _ v1.Layer = layer{}

func (l layer) Digest() (v1.Hash, error)            { return l.digest, nil }
func (l layer) DiffID() (v1.Hash, error)            { return l.diffID, nil }
func (l layer) Size() (int64, error)                { return l.size, nil }
func (l layer) MediaType() (types.MediaType, error) { return types.OCILayer, nil }
func (l layer) Compressed() (io.ReadCloser, error)  { return os.Open(l.path) }

// Uncompressed is part of v1.Layer; nothing here asks for it.
func (l layer) Uncompressed() (io.ReadCloser, error) {
	return nil, errors.New("the layer is at hand compressed only")
}

// makeImage makes an image whose one layer, written to layerPath, has the disk in folder.
func makeImage(layerPath, folder, disk string) (v1.Image, error) {
	l, err := writeLayer(layerPath, folder, disk)
	if err != nil {
		return nil, fmt.Errorf("write the layer: %w", err)
	}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err = mutate.Append(img, mutate.Addendum{
		Layer:   l,
		History: v1.History{Created: v1.Time{Time: made()}, CreatedBy: "testdisk"},
	})
	if err != nil {
		return nil, err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = "linux", runtime.GOARCH, v1.Time{Time: made()}
	return mutate.ConfigFile(img, config)
}

func writeLayer(layerPath, folder, disk string) (layer, error) {
	file, err := os.Create(layerPath)
	if err != nil {
		return layer{}, err
	}
	l, err := streamLayer(file, folder, disk)
	l.path = layerPath
	return l, errors.Join(err, file.Close())
}

// streamLayer writes the layer and computes both of its digests on the way.
func streamLayer(w io.Writer, folder, disk string) (layer, error) {
	compressed, plain, count := sha256.New(), sha256.New(), new(counter)
	buffered := bufio.NewWriterSize(io.MultiWriter(w, compressed, count), 1<<20)
	zip, err := gzip.NewWriterLevel(buffered, gzip.BestSpeed)
	if err != nil {
		return layer{}, err
	}
	archive := tar.NewWriter(io.MultiWriter(zip, plain))
	err = addDisk(archive, folder, disk)
	if err := errors.Join(err, archive.Close(), zip.Close(), buffered.Flush()); err != nil {
		return layer{}, err
	}
	return layer{digest: sum(compressed), diffID: sum(plain), size: int64(*count)}, nil
}

func addDisk(w *tar.Writer, folder, disk string) error {
	file, err := os.Open(disk)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // only read
	info, err := file.Stat()
	if err != nil {
		return err
	}
	for _, h := range []tar.Header{
		{Typeflag: tar.TypeDir, Name: folder + "/", Mode: 0o555},
		{Typeflag: tar.TypeReg, Name: path.Join(folder, filepath.Base(disk)), Mode: 0o440, Size: info.Size()},
	} {
		h.Uid, h.Gid, h.ModTime, h.Format = owner, owner, made(), tar.FormatPAX
		if err := w.WriteHeader(&h); err != nil {
			return err
		}
	}
	_, err = io.Copy(w, file)
	return err
}

func sum(h hash.Hash) v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(h.Sum(nil))}
}

// counter counts the bytes written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

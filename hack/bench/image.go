// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/stream"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// variant is a way to pack a disk. All layers are compressed with gzip.
type variant struct {
	name   string
	format string // as qemu-img names it
	// compress compresses the clusters of a qcow2.
	compress bool
}

func variants() []variant {
	return []variant{
		{name: "gzip-qcow2", format: "qcow2"},
		{name: "gzip-qcow2c", format: "qcow2", compress: true},
		{name: "gzip-raw", format: "raw"},
	}
}

// file is the disk's path in the image.
func (v variant) file() string { return "disk/disk." + v.format }

// pack makes the disk's file for a raw disk. The caller removes it, unless it is the raw disk.
func (v variant) pack(ctx context.Context, raw string) (string, error) {
	if v.format == "raw" {
		return raw, nil
	}
	packed := filepath.Join(filepath.Dir(raw), v.name)
	args := []string{"convert", "-f", "raw", "-O", v.format}
	if v.compress {
		args = append(args, "-c")
	}
	return packed, command(ctx, "qemu-img", append(args, raw, packed)...)
}

// newImage returns an image whose only layer is made while it is pushed.
func (v variant) newImage(disk string) (v1.Image, error) {
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(v.archive(writer, disk)) }()
	// Level 6 is what the builders of images take.
	layer := stream.NewLayer(reader, stream.WithCompressionLevel(6), stream.WithMediaType(types.OCILayer))
	return imageOf(layer)
}

func (v variant) archive(w io.Writer, disk string) error {
	file, err := os.Open(disk)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // only read
	info, err := file.Stat()
	if err != nil {
		return err
	}
	archive := tar.NewWriter(w)
	err = archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: v.file(), Mode: 0o440, Uid: 107, Gid: 107, Size: info.Size(), Format: tar.FormatPAX})
	if err == nil {
		_, err = io.Copy(archive, file)
	}
	return errors.Join(err, archive.Close())
}

// smallImage returns an image for those who ask for its digest only.
func smallImage() (v1.Image, error) {
	var layer bytes.Buffer
	zip := gzip.NewWriter(&layer)
	if err := errors.Join(tar.NewWriter(zip).Close(), zip.Close()); err != nil {
		return nil, err
	}
	return imageOf(stream.NewLayer(io.NopCloser(&layer), stream.WithMediaType(types.OCILayer)))
}

func imageOf(layer v1.Layer) (v1.Image, error) {
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	return mutate.AppendLayers(image, layer)
}

// sum returns the SHA-256 of a file, in hexadecimal.
func sum(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close() //nolint:errcheck // only read
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// command runs a program whose output matters only when it fails.
func command(ctx context.Context, name string, args ...string) error {
	if out, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(out))
	}
	return nil
}

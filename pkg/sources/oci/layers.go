// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"goldenimage.dev/pkg/sources"
)

const (
	// maxWindow bounds the memory that a zstd layer may ask for, in bytes. It is what
	// zstd --long, the largest of the usual settings, needs.
	maxWindow = 128 << 20
	// readSize of a layer's compressed bytes.
	readSize = 256 << 10
)

// A walk finds the visible files below diskDir in an image's layers, from the top down. It
// downloads one layer at a time and verifies each one to its end before it goes on.
type walk struct {
	ctx     context.Context
	client  *client
	layers  []v1.Descriptor // the top one first
	delay   time.Duration
	overlay *overlay

	blob    *blob
	plain   io.ReadCloser
	archive *tar.Reader
}

func newWalk(ctx context.Context, c *client, layers []v1.Descriptor, delay time.Duration) *walk {
	w := &walk{ctx: ctx, client: c, delay: delay, overlay: newOverlay()}
	for i := range layers {
		w.layers = append(w.layers, layers[len(layers)-1-i])
	}
	return w
}

// next returns the next visible file, whose bytes Read then returns, or io.EOF when all
// layers that matter have been read and verified.
func (w *walk) next() (*tar.Header, error) {
	for {
		if w.archive == nil {
			if len(w.layers) == 0 || w.overlay.done() {
				return nil, io.EOF
			}
			if err := w.openLayer(); err != nil {
				return nil, err
			}
		}
		header, err := w.archive.Next()
		if errors.Is(err, io.EOF) {
			if err := w.finishLayer(); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, w.damaged(err)
		}
		visible, name, err := w.overlay.add(header)
		if err != nil {
			return nil, w.malformed(err)
		}
		if visible {
			header.Name = name
			return header, nil
		}
	}
}

// Read reads from the file that next returned, up to its end.
func (w *walk) Read(p []byte) (int, error) {
	n, err := w.archive.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		return n, w.damaged(err)
	}
	return n, err
}

func (w *walk) openLayer() error {
	layer := w.layers[0]
	w.layers = w.layers[1:]
	w.blob = newBlob(w.ctx, w.client, layer, w.delay)
	plain, err := decompress(w.blob)
	if err != nil {
		return w.damaged(err)
	}
	w.plain, w.archive = plain, tar.NewReader(&interruptible{ctx: w.ctx, inner: plain})
	return nil
}

// finishLayer reads what follows the archive, so that the blob is verified to its end.
func (w *walk) finishLayer() error {
	if _, err := io.Copy(io.Discard, &interruptible{ctx: w.ctx, inner: w.plain}); err != nil {
		return w.damaged(err)
	}
	if _, err := io.Copy(io.Discard, w.blob); err != nil {
		return err
	}
	w.overlay.nextLayer()
	w.archive = nil
	return w.closeLayer()
}

func (w *walk) closeLayer() error {
	if w.plain != nil {
		_ = w.plain.Close() // it reads only; errors of reading have been seen
		w.plain = nil
	}
	if w.blob != nil {
		_ = w.blob.Close()
		w.blob = nil
	}
	return nil
}

// damaged turns an error of unpacking into one that tells whether the image is malformed, or
// arrived so: damage on the way breaks the unpacking before the digest is known.
func (w *walk) damaged(err error) error {
	if known, ok := errors.AsType[*sources.Error](err); ok {
		return known
	}
	if _, blobErr := io.Copy(io.Discard, w.blob); blobErr != nil {
		return blobErr
	}
	return w.malformed(err)
}

func (w *walk) malformed(err error) error {
	return sources.Errorf(sources.Invalid, "layer %s of %s cannot be unpacked: %s", w.blob.want.Digest, w.client.ref, clean(err))
}

// interruptible ends with its context. Unpacking can go on for long without the network.
type interruptible struct {
	ctx   context.Context
	inner io.Reader
}

func (r *interruptible) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, sources.Errorf(sources.Transient, "unpacking ended: %w", context.Cause(r.ctx))
	}
	return r.inner.Read(p)
}

// decompress detects a layer's compression by its first bytes: media types are often wrong.
func decompress(r io.Reader) (io.ReadCloser, error) {
	buffered := bufio.NewReaderSize(r, readSize)
	magic, err := buffered.Peek(6)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		return gzip.NewReader(buffered)
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		decoder, err := zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		return decoder.IOReadCloser(), nil
	case bytes.HasPrefix(magic, []byte("\xfd7zXZ\x00")):
		return nil, errors.New("it is compressed with xz: only gzip and zstd are supported")
	}
	return io.NopCloser(buffered), nil
}

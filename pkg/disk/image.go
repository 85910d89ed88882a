// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxWindow bounds the memory that a zstd image may ask for, in bytes. The layer around it may
// need twice as much at the same time, and the worker has 256 MiB.
const maxWindow = 64 << 20

// spoolShare is how much of the progress it takes to store an image before it is converted.
const spoolShare = 0.5

// writeStream writes an image of any format from a stream of a size that may be 0.
func (e *Engine) writeStream(ctx context.Context, r io.Reader, size int64, out output) (Info, error) {
	buffered := bufio.NewReaderSize(r, headerSize)
	header, err := buffered.Peek(headerSize)
	if err != nil && !ended(err) {
		return Info{}, readFailed(err)
	}
	format, err := Detect(header)
	if err != nil {
		return Info{}, err
	}
	if format == Raw {
		return e.copyStream(ctx, buffered, size, out)
	}
	if format == Gzip || format == Zstd {
		return e.writeCompressed(ctx, format, buffered, out)
	}
	info := Info{Format: format}
	// What the header tells is known now; a VHDX has it too far behind.
	info.VirtualSize, err = Inspect(format, bytes.NewReader(header))
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return info, err
	}
	if info.VirtualSize > out.limit() {
		return info, tooLarge(info.VirtualSize, out.limit())
	}
	if format == QCOW2 {
		return e.convertQCOW2(ctx, buffered, out)
	}
	return e.spoolAndConvert(ctx, format, buffered, out)
}

// writeCompressed writes the image in a compressed stream.
func (e *Engine) writeCompressed(ctx context.Context, format Format, r io.Reader, out output) (Info, error) {
	plain, err := decompress(format, r)
	if err != nil {
		return Info{Format: format}, damaged(format, err)
	}
	defer plain.Close() //nolint:errcheck // errors of reading have been seen
	stream := &compressed{format: format, plain: plain, rest: r}
	buffered := bufio.NewReaderSize(stream, headerSize)
	header, err := buffered.Peek(headerSize)
	if err != nil && !ended(err) {
		return Info{Format: format}, readFailed(err)
	}
	inner, err := Detect(header)
	if err == nil && (inner == Gzip || inner == Zstd) {
		err = refuse(format, "holds another compressed image")
	}
	if err != nil {
		return Info{Format: format}, err
	}
	return e.writeStream(ctx, buffered, 0, out)
}

func decompress(format Format, r io.Reader) (io.ReadCloser, error) {
	if format == Gzip {
		return gzip.NewReader(r)
	}
	decoder, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	return decoder.IOReadCloser(), nil
}

// compressed ends only when the stream below it has ended, which verifies it.
type compressed struct {
	format Format
	plain  io.Reader
	rest   io.Reader
}

func (c *compressed) Read(p []byte) (int, error) {
	n, err := c.plain.Read(p)
	if err == nil {
		return n, nil
	}
	// An error of the stream itself says more than what unpacking made of it.
	if _, restErr := io.Copy(io.Discard, c.rest); restErr != nil {
		return n, restErr
	}
	if ended(err) {
		return n, io.EOF
	}
	return n, damaged(c.format, err)
}

func damaged(format Format, err error) error {
	return failf(Unsupported, "the %s image is damaged: %w", format, err)
}

// spoolAndConvert stores an image, which is verified when its stream ends, and converts it.
func (e *Engine) spoolAndConvert(ctx context.Context, format Format, r io.Reader, out output) (info Info, err error) {
	info = Info{Format: format}
	name := out.spool(e.config.TempDir)
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return info, writeFailed(err, "remove what an earlier attempt left")
	}
	spool, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return info, writeFailed(err, "store the image until it is converted")
	}
	defer func() {
		// The volume must not keep it, and its space.
		if removed := errors.Join(spool.Close(), os.Remove(name)); err == nil {
			err = writeFailed(removed, "remove the stored image")
		}
	}()
	e.readShare = spoolShare
	if err := store(ctx, r, spool); err != nil {
		return info, err
	}
	return e.convert(ctx, format, spool, out)
}

func store(ctx context.Context, r io.Reader, spool *os.File) error {
	buffer := make([]byte, bufferSize)
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := fill(r, buffer)
		if _, err := spool.Write(buffer[:n]); err != nil {
			return writeFailed(err, "store the image until it is converted")
		}
		switch {
		case ended(err):
			return nil
		case err != nil:
			return readFailed(err)
		}
	}
}

// writeFile writes an image of any format from a file. None but a compressed one is copied.
func (e *Engine) writeFile(ctx context.Context, f *os.File, out output) (Info, error) {
	size, err := sizeOf(f)
	if err != nil {
		return Info{}, readFailed(err)
	}
	header, err := readAt(f, 0, min(size, headerSize))
	if err != nil {
		return Info{}, readFailed(err)
	}
	format, err := Detect(header)
	if err != nil {
		return Info{}, err
	}
	if format == Raw {
		return e.copyFile(ctx, f, out)
	}
	if format == Gzip || format == Zstd {
		return e.writeCompressed(ctx, format, &counting{engine: e, inner: io.NewSectionReader(f, 0, size), size: size}, out)
	}
	if format == QCOW2 {
		return e.convertQCOW2(ctx, &counting{engine: e, inner: io.NewSectionReader(f, 0, size), size: size}, out)
	}
	e.readShare = 0
	e.advance(0, size, 0)
	return e.convert(ctx, format, f, out)
}

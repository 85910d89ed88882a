// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"

	"goldenimage.dev/pkg/disk/qcow2"
)

// qcow2Sink writes the disk of a qcow2 image. It counts holes as written.
type qcow2Sink struct {
	engine *Engine
	out    output
}

func (s qcow2Sink) WriteAt(p []byte, offset int64) (int, error) {
	if err := writeSparse(s.out, p, offset); err != nil {
		return 0, err
	}
	s.engine.advance(0, 0, int64(len(p)))
	return len(p), nil
}

func (s qcow2Sink) Zero(offset, length int64) error {
	if err := s.out.zero(offset, length); err != nil {
		return writeFailed(err, "write the disk")
	}
	s.engine.advance(0, 0, length)
	return nil
}

// convertQCOW2 writes the disk of a qcow2 image while it is read.
func (e *Engine) convertQCOW2(ctx context.Context, r io.Reader, out output) (info Info, err error) {
	info = Info{Format: QCOW2}
	head := make([]byte, qcow2.HeaderSize)
	n, err := fill(r, head)
	if err != nil && !ended(err) {
		return info, readFailed(err)
	}
	header, err := qcow2.ParseHeader(head[:n])
	if err != nil {
		return info, refuse(QCOW2, err.Error())
	}
	info.VirtualSize = roundUp(header.Size)
	switch {
	case header.Size == 0:
		return info, refuse(QCOW2, "claims a size of 0 bytes")
	case info.VirtualSize > out.limit():
		return info, tooLarge(info.VirtualSize, out.limit())
	}
	spill := &spillFile{name: out.spool(e.config.TempDir)}
	defer func() {
		if closed := spill.close(); err == nil {
			err = closed
		}
	}()
	// The stream's end is for the conversion to see, with what was read of it already.
	image := io.MultiReader(bytes.NewReader(head[:n]), r)
	_, err = qcow2.Convert(ctx, image, qcow2Sink{engine: e, out: out}, qcow2.Config{Spill: spill.open})
	var format *qcow2.FormatError
	var known *Error
	switch {
	case errors.As(err, &format):
		return info, refuse(QCOW2, format.Error())
	case err != nil && ctx.Err() == nil && !errors.As(err, &known):
		return info, readFailed(err)
	case err != nil:
		return info, err
	}
	return info, pad(out, header.Size, info.VirtualSize)
}

// spillFile is made when it is needed, and does not stay.
type spillFile struct {
	name string
	file *os.File
}

func (s *spillFile) open() (qcow2.Spill, error) {
	if err := os.Remove(s.name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, writeFailed(err, "remove what an earlier attempt left")
	}
	f, err := os.OpenFile(s.name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, writeFailed(err, "keep a part of the image until its place is known")
	}
	s.file = f
	return spillWriter{f}, nil
}

func (s *spillFile) close() error {
	if s.file == nil {
		return nil
	}
	return writeFailed(errors.Join(s.file.Close(), os.Remove(s.name)), "remove what was kept of the image")
}

// spillWriter tells failures of a Spill from those of the image.
type spillWriter struct{ *os.File }

func (w spillWriter) WriteAt(p []byte, offset int64) (int, error) {
	n, err := w.File.WriteAt(p, offset)
	return n, writeFailed(err, "keep a part of the image until its place is known")
}

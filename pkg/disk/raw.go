// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"context"
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

const (
	// bufferSize of copies, in bytes.
	bufferSize = 1 << 20
	// grain is the least range of zeros that is left out, in bytes.
	grain = int64(len(zeros))
)

// copyStream writes a raw disk of a size that may be unknown, which is 0.
func (e *Engine) copyStream(ctx context.Context, r io.Reader, size int64, out output) (Info, error) {
	info := Info{Format: Raw, VirtualSize: roundUp(size)}
	if info.VirtualSize > out.limit() {
		return info, tooLarge(info.VirtualSize, out.limit())
	}
	buffer := make([]byte, bufferSize)
	var offset int64
	for {
		if ctx.Err() != nil {
			return info, context.Cause(ctx)
		}
		n, err := fill(r, buffer)
		if offset+int64(n) > out.limit() {
			return info, failf(TooLarge, "the disk is larger than the reported available storage %d. A larger PVC is required", out.limit())
		}
		if err := writeSparse(out, buffer[:n], offset); err != nil {
			return info, err
		}
		offset += int64(n)
		e.advance(0, 0, int64(n))
		switch {
		case ended(err):
			info.VirtualSize = roundUp(offset)
			return info, pad(out, offset, info.VirtualSize)
		case err != nil:
			return info, readFailed(err)
		}
	}
}

// fill reads until p is full or there is an error, which it returns as it is. io.ReadFull
// would make the end of a stream and a stream that broke off look the same.
func fill(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = r.Read(p[n:])
		n += m
	}
	return n, err
}

// ended tells whether a stream has reached its good end. An error that has io.EOF for its
// cause is none.
func ended(err error) bool {
	return err == io.EOF //nolint:errorlint // see above
}

func readFailed(err error) *Error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	return &Error{Kind: Read, Message: "read the source: " + err.Error(), Err: err}
}

// pad fills the last sector.
func pad(out output, offset, size int64) error {
	if size == 0 {
		return failf(Unsupported, "the disk is empty")
	}
	if offset == size {
		return nil
	}
	_, err := out.WriteAt(zeros[:size-offset], offset)
	return writeFailed(err, "write the disk")
}

// roundUp returns the size of the disk that holds so many bytes.
func roundUp(size int64) int64 { return (size + sector - 1) / sector * sector }

// writeSparse writes what is not zero, in runs of grains.
func writeSparse(out output, p []byte, offset int64) error {
	for len(p) > 0 {
		zero, n := run(p)
		var err error
		if zero {
			err = out.zero(offset, int64(n))
		} else {
			_, err = out.WriteAt(p[:n], offset)
		}
		if err != nil {
			return writeFailed(err, "write the disk")
		}
		p, offset = p[n:], offset+int64(n)
	}
	return nil
}

// run returns how many bytes of whole grains are alike in being zero or not.
func run(p []byte) (zero bool, n int) {
	for n < len(p) {
		next := p[n:min(n+int(grain), len(p))]
		if z := isZero(next); n == 0 {
			zero = z
		} else if z != zero {
			break
		}
		n += len(next)
	}
	return zero, n
}

// copyFile writes a raw disk from a file or a device. Where both are files of a file system
// that can, they share their blocks; otherwise holes and zeros are left out.
func (e *Engine) copyFile(ctx context.Context, f *os.File, out output) (Info, error) {
	size, err := sizeOf(f)
	if err != nil {
		return Info{Format: Raw}, readFailed(err)
	}
	info := Info{Format: Raw, VirtualSize: roundUp(size)}
	if info.VirtualSize > out.limit() {
		return info, tooLarge(info.VirtualSize, out.limit())
	}
	if err := unix.IoctlFileClone(int(out.file().Fd()), int(f.Fd())); err == nil {
		e.advance(1, size, size)
		return info, pad(out, size, info.VirtualSize)
	}
	buffer := make([]byte, bufferSize)
	for offset := int64(0); offset < size; {
		if ctx.Err() != nil {
			return info, context.Cause(ctx)
		}
		from, to, err := dataFrom(f, offset, size)
		if err != nil {
			return info, readFailed(err)
		}
		if from > offset {
			if err := out.zero(offset, from-offset); err != nil {
				return info, writeFailed(err, "write the disk")
			}
		}
		p := buffer[:min(to-from, bufferSize)]
		if _, err := f.ReadAt(p, from); err != nil {
			return info, readFailed(err)
		}
		if err := writeSparse(out, p, from); err != nil {
			return info, err
		}
		end := from + int64(len(p))
		e.advance(ratio(end, size), end-offset, end-offset)
		offset = end
	}
	return info, pad(out, size, info.VirtualSize)
}

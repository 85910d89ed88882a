// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	// partialSuffix is of a file that is being written, spoolSuffix of an image that waits to
	// be converted into it.
	partialSuffix = ".partial"
	spoolSuffix   = ".spool"
	// fileMode lets the owner and the volume's group, as which virtual machines run, write.
	fileMode = 0o660
	// sector is the unit of disks' sizes, in bytes.
	sector = 512
)

// An output is a Target that is open for writing.
type output interface {
	io.WriterAt
	// zero makes a range read as zeros.
	zero(offset, length int64) error
	// limit is the largest disk that is accepted, in bytes.
	limit() int64
	// path to write to by another program, and whether it is a device.
	path() (name string, device bool)
	// reopen takes over what another program has written to path.
	reopen() error
	// spoolDir is where an image can wait to be converted, and by which name.
	spool(temp string) string
	// finish flushes a disk of a size and gives it its name.
	finish(size int64) error
	// abandon removes what was written as far as that is possible.
	abandon()
	// file is what is written to.
	file() *os.File
}

// fileOutput writes a file under another name until it is complete. Where nothing has been
// written it has holes.
type fileOutput struct {
	*os.File
	target  Target
	maximum int64
}

// openFile removes what earlier attempts left, the file itself included: it is about to be
// replaced, and its space may be needed.
func openFile(t Target) (output, error) {
	for _, leftover := range []string{t.Path + partialSuffix, t.Path + spoolSuffix, t.Path} {
		if err := os.Remove(leftover); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, writeFailed(err, "remove what an earlier attempt left")
		}
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(t.Path), &fs); err != nil {
		return nil, writeFailed(err, "ask the target volume for its free space")
	}
	o := &fileOutput{target: t, maximum: int64(min(fs.Bavail, 1<<62/uint64(fs.Bsize))) * fs.Bsize}
	if t.SizeBytes > 0 {
		o.maximum = min(o.maximum, t.SizeBytes)
	}
	o.maximum -= o.maximum % sector
	f, err := os.OpenFile(t.Path+partialSuffix, os.O_RDWR|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, fileMode)
	if err != nil {
		return nil, writeFailed(err, "make the disk's file")
	}
	o.File = f
	return o, nil
}

func (o *fileOutput) zero(int64, int64) error { return nil }

func (o *fileOutput) limit() int64 { return o.maximum }

func (o *fileOutput) path() (string, bool) { return o.Name(), false }

func (o *fileOutput) spool(string) string { return o.target.Path + spoolSuffix }

func (o *fileOutput) file() *os.File { return o.File }

func (o *fileOutput) reopen() error {
	f, err := os.OpenFile(o.Name(), os.O_RDWR|syscall.O_NOFOLLOW, fileMode)
	if err != nil {
		return writeFailed(err, "open the converted disk")
	}
	_ = o.Close() // nothing was written to it
	o.File = f
	return nil
}

func (o *fileOutput) finish(size int64) error {
	if o.target.SizeBytes > 0 {
		size = max(size, o.maximum)
	}
	// The mode that OpenFile was given may have lost bits to the umask.
	steps := []struct {
		what string
		do   func() error
	}{
		{"grow the disk to its size", func() error { return o.Truncate(size) }},
		{"allocate the disk's blocks", func() error { return o.preallocate(size) }},
		{"set the disk's mode", func() error { return o.Chmod(fileMode) }},
		{"flush the disk", o.Sync},
		{"close the disk", o.Close},
		{"give the disk its name", func() error { return os.Rename(o.Name(), o.target.Path) }},
		{"flush the volume's folder", func() error { return syncDir(filepath.Dir(o.target.Path)) }},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			return writeFailed(err, step.what)
		}
	}
	return nil
}

func (o *fileOutput) preallocate(size int64) error {
	if !o.target.Preallocate {
		return nil
	}
	err := unix.Fallocate(int(o.Fd()), 0, 0, size)
	if !errors.Is(err, unix.EOPNOTSUPP) {
		return err
	}
	// The file system cannot, so the holes are written.
	return eachHole(o.File, size, func(offset, length int64) error { return writeZeros(o.File, offset, length) })
}

func (o *fileOutput) abandon() {
	_ = o.Close() // it is removed, however it ends
	for _, leftover := range []string{o.target.Path + partialSuffix, o.target.Path + spoolSuffix} {
		_ = os.Remove(leftover) // the next attempt removes what stays
	}
}

func syncDir(name string) error {
	dir, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// deviceOutput writes a block device in place.
type deviceOutput struct {
	*os.File
	size int64
	// noZeroOut is set when the device cannot zero ranges by itself.
	noZeroOut atomic.Bool
}

func openDevice(t Target) (output, error) {
	f, err := os.OpenFile(t.Path, os.O_RDWR, 0)
	if err != nil {
		return nil, writeFailed(err, "open the target device")
	}
	o := &deviceOutput{File: f}
	stat, err := f.Stat()
	if err == nil && stat.Mode().Type()&os.ModeDevice == 0 {
		err = fmt.Errorf("%s is not a block device", t.Path)
	}
	if err == nil {
		o.size, err = f.Seek(0, io.SeekEnd)
	}
	if err != nil {
		_ = f.Close() // nothing was written
		return nil, writeFailed(err, "open the target device")
	}
	return o, nil
}

func (o *deviceOutput) limit() int64 { return o.size }

func (o *deviceOutput) path() (string, bool) { return o.Name(), true }

func (o *deviceOutput) reopen() error { return nil }

func (o *deviceOutput) spool(temp string) string {
	return filepath.Join(temp, filepath.Base(o.Name())+spoolSuffix)
}

func (o *deviceOutput) file() *os.File { return o.File }

func (o *deviceOutput) zero(offset, length int64) error {
	if !o.noZeroOut.Load() {
		// The kernel lets the device do it if it can, and writes zeros otherwise.
		arguments := [2]uint64{uint64(offset), uint64(length)}
		err := ioctlPointer(o.File, unix.BLKZEROOUT, &arguments)
		if err == nil {
			return nil
		}
		if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EIO) {
			return err
		}
		o.noZeroOut.Store(true)
	}
	return writeZeros(o.File, offset, length)
}

func (o *deviceOutput) finish(int64) error {
	if err := o.Sync(); err != nil {
		return writeFailed(err, "flush the target device")
	}
	return writeFailed(o.Close(), "close the target device")
}

func (o *deviceOutput) abandon() { _ = o.Close() }

// writeZeros is for targets that have no better way.
func writeZeros(w io.WriterAt, offset, length int64) error {
	for length > 0 {
		n, err := w.WriteAt(zeros[:min(length, int64(len(zeros)))], offset)
		if err != nil {
			return err
		}
		offset, length = offset+int64(n), length-int64(n)
	}
	return nil
}

// zeros is only read.
var zeros [64 << 10]byte

// isZero tells whether all bytes are zero. p is at most as long as zeros.
func isZero(p []byte) bool { return bytes.Equal(p, zeros[:len(p)]) }

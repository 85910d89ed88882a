// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"errors"
	"io"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ioctlPointer calls an ioctl that x/sys has no function for.
func ioctlPointer[T any](f *os.File, request uint, argument *T) error {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), uintptr(request), uintptr(unsafe.Pointer(argument))) //nolint:gosec // what ioctl takes
	if errno != 0 {
		return errno
	}
	return nil
}

// dataFrom returns the next range at or behind offset that is not a hole. Without the
// system's help that is everything up to size. At the end it returns size, size.
func dataFrom(f *os.File, offset, size int64) (from, to int64, err error) {
	from, err = unix.Seek(int(f.Fd()), offset, unix.SEEK_DATA)
	switch {
	case errors.Is(err, unix.ENXIO):
		return size, size, nil
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.EOPNOTSUPP):
		// A device or a file system without holes.
		return offset, size, nil
	case err != nil:
		return 0, 0, err
	}
	if to, err = unix.Seek(int(f.Fd()), from, unix.SEEK_HOLE); err != nil {
		return 0, 0, err
	}
	return min(from, size), min(to, size), nil
}

// eachHole calls do with each hole of a file.
func eachHole(f *os.File, size int64, do func(offset, length int64) error) error {
	for offset := int64(0); offset < size; {
		from, to, err := dataFrom(f, offset, size)
		if err != nil {
			return err
		}
		if from > offset {
			if err := do(offset, from-offset); err != nil {
				return err
			}
		}
		offset = to
	}
	return nil
}

// sizeOf returns the size of a file or a block device.
func sizeOf(f *os.File) (int64, error) {
	stat, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if stat.Mode().IsRegular() {
		return stat.Size(), nil
	}
	return f.Seek(0, io.SeekEnd)
}

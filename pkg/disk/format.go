// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"bytes"
	"errors"
	"io"
)

// Format of a disk image. The values are qemu-img's names.
type Format string

// Formats that are read. Everything that is none of them is Raw.
const (
	Raw   Format = "raw"
	QCOW2 Format = "qcow2"
	VMDK  Format = "vmdk"
	VDI   Format = "vdi"
	VHD   Format = "vpc"
	VHDX  Format = "vhdx"
	// Gzip and Zstd hold a disk image of another Format.
	Gzip Format = "gz"
	Zstd Format = "zst"
)

// headerSize is how much of a stream is looked at before anything is written, in bytes.
const headerSize = 64 << 10

// signatures of formats by what stands at an offset. Those without a Format are refused.
type signature struct {
	offset int
	magic  string
	format Format
	refuse string
}

func signatures() []signature {
	return []signature{
		{0, "QFI\xfb", QCOW2, ""},
		{0, "KDMV", VMDK, ""},
		{0x40, "\x7f\x10\xda\xbe", VDI, ""},
		{0, "conectix", VHD, ""},
		{0, "vhdxfile", VHDX, ""},
		{0, "\x1f\x8b\x08", Gzip, ""},
		{0, "\x28\xb5\x2f\xfd", Zstd, ""},
		{0, "\xfd7zXZ\x00", "", "an image compressed with xz"},
		{0, "BZh91AY&SY", "", "an image compressed with bzip2"},
		{0, "COWD", "", "a VMDK of version 3"},
		{0, "# Disk DescriptorFile", "", "a VMDK whose data are in other files"},
		{0, "QED\x00", "", "a QED image"},
		{0, "OOOM", "", "a QCOW image of version 1"},
	}
}

// Detect returns the format of an image by its first bytes, of which 64 KiB are enough.
// Formats that are known but not supported are an Unsupported error.
func Detect(header []byte) (Format, error) {
	for _, s := range signatures() {
		if len(header) < s.offset || !bytes.HasPrefix(header[s.offset:], []byte(s.magic)) {
			continue
		}
		if s.refuse != "" {
			return "", failf(Unsupported, "the disk is %s, which is not supported: accepted are raw, qcow2, vmdk, vdi, vhd and vhdx, and raw or qcow2 compressed with gzip or zstd", s.refuse)
		}
		return s.format, nil
	}
	return Raw, nil
}

// Inspect returns the virtual size in bytes that an image's header claims, after it has
// refused images that are damaged, encrypted or incomplete without other files. An image
// that r has too little of fails with io.ErrUnexpectedEOF in the chain.
func Inspect(format Format, r io.ReaderAt) (int64, error) {
	inspect, ok := map[Format]func(io.ReaderAt) (int64, error){
		QCOW2: inspectQCOW2, VMDK: inspectVMDK, VDI: inspectVDI, VHD: inspectVHD, VHDX: inspectVHDX,
	}[format]
	if !ok {
		return 0, failf(Unsupported, "a %s image has no header", format)
	}
	size, err := inspect(r)
	var known *Error
	switch {
	case errors.As(err, &known):
		return 0, known
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return 0, failf(Unsupported, "the %s image is truncated: %w", format, io.ErrUnexpectedEOF)
	case err != nil:
		return 0, readFailed(err)
	case size <= 0 || size > maxVirtualSize:
		return 0, failf(Unsupported, "the %s image claims a size of %d bytes", format, size)
	}
	return size, nil
}

// maxVirtualSize keeps sums of sizes from overflowing, in bytes.
const maxVirtualSize = 1 << 60

// readAt returns length bytes at offset.
func readAt(r io.ReaderAt, offset, length int64) ([]byte, error) {
	p := make([]byte, length)
	_, err := io.ReadFull(io.NewSectionReader(r, offset, length), p)
	return p, err
}

func refuse(format Format, why string) error {
	return failf(Unsupported, "the %s image %s", format, why)
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"

	"goldenimage.dev/pkg/disk/qcow2"
)

func inspectQCOW2(r io.ReaderAt) (int64, error) {
	p := make([]byte, qcow2.HeaderSize)
	n, err := r.ReadAt(p, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	h, err := qcow2.ParseHeader(p[:n])
	if err != nil {
		return 0, refuse(QCOW2, err.Error())
	}
	return h.Size, nil
}

func inspectVMDK(r io.ReaderAt) (int64, error) {
	var h struct {
		Magic                        [4]byte
		Version, Flags               uint32
		Capacity, Grain              uint64
		DescriptorAt, DescriptorSize uint64
	}
	if err := readHeader(r, binary.LittleEndian, &h); err != nil {
		return 0, err
	}
	// Without a capacity the descriptor would be followed to other files.
	if h.Capacity == 0 || h.Capacity > maxVirtualSize/sector || h.Version < 1 || h.Version > 3 {
		return 0, refuse(VMDK, "has a damaged header")
	}
	if h.DescriptorAt == 0 || h.DescriptorAt > headerSize/sector || h.DescriptorSize == 0 || h.DescriptorSize > 1<<20/sector {
		return 0, refuse(VMDK, "has no descriptor where one is expected")
	}
	descriptor, err := readAt(r, int64(h.DescriptorAt)*sector, int64(h.DescriptorSize)*sector)
	if err != nil {
		return 0, err
	}
	text := string(bytes.TrimRight(descriptor, "\x00"))
	switch {
	case strings.Contains(text, "parentFileNameHint"):
		return 0, refuse(VMDK, "has a parent, which is not in the image")
	case !strings.Contains(text, `createType="monolithicSparse"`) && !strings.Contains(text, `createType="streamOptimized"`):
		return 0, refuse(VMDK, "has its data in other files: only monolithicSparse and streamOptimized are supported")
	}
	return int64(h.Capacity) * sector, nil
}

func inspectVDI(r io.ReaderAt) (int64, error) {
	var h struct {
		Text                 [0x44]byte
		Version, Header      uint32
		Type, Flags          uint32
		Comment              [256]byte
		BlocksAt, DataAt     uint32
		Cylinders, Heads     uint32
		Sectors, SectorSize  uint32
		Unused               uint32
		Size                 uint64
		BlockSize, Extra     uint32
		Blocks, Allocated    uint32
		UUID, Snapshot, Link [16]byte
		Parent               [16]byte
	}
	if err := readHeader(r, binary.LittleEndian, &h); err != nil {
		return 0, err
	}
	const dynamic, static = 1, 2
	switch {
	case h.Link != [16]byte{} || h.Type != dynamic && h.Type != static:
		return 0, refuse(VDI, "has a parent, which is not in the image")
	case h.SectorSize != sector || h.Size > maxVirtualSize:
		return 0, refuse(VDI, "has a damaged header")
	}
	return int64(h.Size), nil
}

func inspectVHD(r io.ReaderAt) (int64, error) {
	var h struct {
		Cookie           [8]byte
		Features, Format uint32
		DataOffset       uint64
		Timestamp        uint32
		Creator          [4]byte
		CreatorVersion   uint32
		CreatorOS        uint32
		Original, Size   uint64
		Cylinders        uint16
		Heads, Sectors   uint8
		Type             uint32
	}
	if err := readHeader(r, binary.BigEndian, &h); err != nil {
		return 0, err
	}
	const fixed, dynamic = 2, 3
	if h.Type != fixed && h.Type != dynamic || h.Size > maxVirtualSize {
		return 0, refuse(VHD, "has a parent or a damaged header")
	}
	// Which of the two sizes counts depends on the program that made the image. The largest
	// geometry stands for any size.
	const largest = 65535 * 16 * 255
	geometry := uint64(h.Cylinders) * uint64(h.Heads) * uint64(h.Sectors)
	if geometry >= largest {
		return int64(h.Size), nil
	}
	return int64(max(geometry*sector, h.Size)), nil
}

// readHeader fills a struct of fixed size from the beginning of an image.
func readHeader(r io.ReaderAt, order binary.ByteOrder, header any) error {
	return binary.Read(io.NewSectionReader(r, 0, headerSize), order, header)
}

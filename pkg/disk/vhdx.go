// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"bytes"
	"encoding/binary"
	"io"
)

// Places and bounds of a VHDX image, from its specification (MS-VHDX).
const (
	vhdxRegions       = 192 << 10
	vhdxRegionsBackup = 256 << 10
	vhdxTableSize     = 64 << 10
	vhdxMaxEntries    = 2047
	vhdxHasParent     = 1 << 1
)

// GUIDs as they are stored.
const (
	vhdxMetadataRegion = "\x06\xa2\x7c\x8b\x90\x47\x9a\x4b\xb8\xfe\x57\x5f\x05\x0f\x88\x6e"
	vhdxFileParameters = "\x37\x67\xa1\xca\x36\xfa\x43\x4d\xb3\xb6\x33\xf0\xaa\x44\xe7\x6b"
	vhdxVirtualSize    = "\x24\x42\xa5\x2f\x1b\xcd\x76\x48\xb2\x11\x5d\xbe\xd8\x3b\xf4\xb8"
)

func inspectVHDX(r io.ReaderAt) (int64, error) {
	metadata, err := vhdxMetadata(r)
	if err != nil {
		return 0, err
	}
	table, err := readAt(r, metadata, vhdxTableSize)
	if err != nil {
		return 0, err
	}
	if !bytes.HasPrefix(table, []byte("metadata")) {
		return 0, refuse(VHDX, "has damaged metadata")
	}
	parameters, err := vhdxItem(r, table, metadata, vhdxFileParameters)
	if err != nil {
		return 0, err
	}
	if binary.LittleEndian.Uint32(parameters[4:])&vhdxHasParent != 0 {
		return 0, refuse(VHDX, "has a parent, which is not in the image")
	}
	size, err := vhdxItem(r, table, metadata, vhdxVirtualSize)
	if err != nil {
		return 0, err
	}
	return int64(min(binary.LittleEndian.Uint64(size), maxVirtualSize+1)), nil
}

// vhdxMetadata returns where the metadata region begins, from one of the two region tables.
func vhdxMetadata(r io.ReaderAt) (int64, error) {
	for _, at := range []int64{vhdxRegions, vhdxRegionsBackup} {
		table, err := readAt(r, at, vhdxTableSize)
		if err != nil {
			return 0, err
		}
		if !bytes.HasPrefix(table, []byte("regi")) {
			continue
		}
		const first, entry = 16, 32
		for i := range min(binary.LittleEndian.Uint32(table[8:]), vhdxMaxEntries) {
			e := table[first+entry*i:][:entry]
			if offset := binary.LittleEndian.Uint64(e[16:]); string(e[:16]) == vhdxMetadataRegion && offset < maxVirtualSize {
				return int64(offset), nil
			}
		}
	}
	return 0, refuse(VHDX, "has a damaged region table")
}

// vhdxItem returns the first 8 bytes of an item of the metadata.
func vhdxItem(r io.ReaderAt, table []byte, metadata int64, guid string) ([]byte, error) {
	const first, entry = 32, 32
	for i := range min(uint32(binary.LittleEndian.Uint16(table[10:])), vhdxTableSize/entry-1) {
		e := table[first+entry*i:][:entry]
		if string(e[:16]) == guid {
			return readAt(r, metadata+int64(binary.LittleEndian.Uint32(e[16:])), 8)
		}
	}
	return nil, refuse(VHDX, "lacks metadata")
}

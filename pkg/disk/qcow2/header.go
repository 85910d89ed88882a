// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package qcow2

import (
	"encoding/binary"
	"fmt"
)

// HeaderSize is how many bytes of an image ParseHeader needs, if the image has so many.
const HeaderSize = 112

// Features without which an image cannot be read.
const (
	incompatibleDirty        = 1 << 0
	incompatibleCorrupt      = 1 << 1
	incompatibleExternalData = 1 << 2
	incompatibleCompression  = 1 << 3
	incompatibleExtendedL2   = 1 << 4
	incompatibleKnown        = incompatibleDirty | incompatibleCorrupt | incompatibleExternalData | incompatibleCompression | incompatibleExtendedL2
)

const (
	leastClusterBits, mostClusterBits = 9, 21
	// leastExtendedBits: 32 parts of a cluster of at least a sector each.
	leastExtendedBits = 14
	// maxSize keeps sums of sizes from overflowing, in bytes.
	maxSize = 1 << 60
	// maxL1Bytes and maxRefcountTableBytes are what QEMU accepts.
	maxL1Bytes            = 32 << 20
	maxRefcountTableBytes = 8 << 20
)

// Compression of clusters.
type Compression uint8

// Compressions, as the header numbers them.
const (
	Zlib Compression = 0
	Zstd Compression = 1
)

// A Header is what an image says of itself. ParseHeader makes one.
type Header struct {
	Version     uint32
	ClusterBits uint32
	// Size of the disk in bytes, as the image has it: not always whole sectors.
	Size        int64
	Compression Compression
	// ExtendedL2 tells that clusters have parts of their own.
	ExtendedL2 bool

	l1Offset, l1Entries      int64
	refcountOffset, refcount int64 // the table of refcount blocks, in bytes
}

// A FormatError says what is wrong with an image, or what it needs that is not supported. Its
// text goes on from "the image".
type FormatError struct{ text string }

func (e *FormatError) Error() string { return e.text }

func malformed(format string, args ...any) error {
	return &FormatError{text: fmt.Sprintf(format, args...)}
}

// ParseHeader reads an image's header from its first bytes. Its error is a *FormatError.
func ParseHeader(p []byte) (Header, error) {
	const version2 = 72
	be := binary.BigEndian
	if len(p) < version2 || string(p[:4]) != "QFI\xfb" {
		return Header{}, malformed("is truncated: it ends in its header")
	}
	h := Header{
		Version: be.Uint32(p[4:]), ClusterBits: be.Uint32(p[20:]), l1Entries: int64(be.Uint32(p[36:])),
	}
	var incompatible uint64
	refcountOrder, length := uint32(4), uint32(version2)
	if h.Version == 3 {
		if len(p) < 104 {
			return Header{}, malformed("is truncated: it ends in its header")
		}
		incompatible, refcountOrder, length = be.Uint64(p[72:]), be.Uint32(p[96:]), be.Uint32(p[100:])
	}
	if err := complete(h.Version, be.Uint64(p[8:]), be.Uint32(p[16:]), be.Uint32(p[32:]), incompatible); err != nil {
		return Header{}, err
	}
	if h.ClusterBits < leastClusterBits || h.ClusterBits > mostClusterBits || refcountOrder > 6 || h.Version == 3 && length < 104 {
		return Header{}, malformed("has a damaged header")
	}
	if err := h.features(incompatible, p[:min(len(p), int(length))]); err != nil {
		return Header{}, err
	}
	return h, h.locate(be.Uint64(p[24:]), be.Uint64(p[40:]), be.Uint64(p[48:]), be.Uint32(p[56:]))
}

// complete refuses images that need more than themselves to be read.
func complete(version uint32, backingOffset uint64, backingSize, crypt uint32, incompatible uint64) error {
	switch {
	case version != 2 && version != 3:
		return malformed("has version %d: 2 and 3 are supported", version)
	case backingOffset != 0 || backingSize != 0:
		return malformed("has a backing file, which is not in the image: flatten it with qemu-img convert")
	case crypt != 0:
		return malformed("is encrypted")
	case incompatible&incompatibleExternalData != 0:
		return malformed("has its data in another file")
	case incompatible&incompatibleCorrupt != 0:
		return malformed("is marked as corrupt: repair it with qemu-img check")
	case incompatible&^uint64(incompatibleKnown) != 0:
		return malformed("needs features that are not known (%#x)", incompatible)
	}
	return nil
}

// features reads what the whole header says more for some features.
func (h *Header) features(incompatible uint64, header []byte) error {
	if h.ExtendedL2 = incompatible&incompatibleExtendedL2 != 0; h.ExtendedL2 && h.ClusterBits < leastExtendedBits {
		return malformed("has extended tables of clusters of %d bytes, which are too small for them", 1<<h.ClusterBits)
	}
	if incompatible&incompatibleCompression == 0 {
		return nil
	}
	const field = 104
	if len(header) <= field {
		return malformed("does not say how it is compressed")
	}
	if h.Compression = Compression(header[field]); h.Compression > Zstd {
		return malformed("is compressed in a way that is not known (%d)", h.Compression)
	}
	return nil
}

// locate checks where the tables are.
func (h *Header) locate(size, l1, refcountTable uint64, refcountClusters uint32) error {
	if size > maxSize || h.l1Entries > maxL1Bytes/8 {
		return malformed("claims a size of %d bytes", size)
	}
	h.Size = int64(size)
	if h.l1Entries*h.mapped() < h.Size {
		return malformed("has a table that is too small for its size")
	}
	if l1%uint64(h.cluster()) != 0 || l1 > maxSize || l1 == 0 && h.l1Entries > 0 {
		return malformed("has its first table at %d, where it cannot be", l1)
	}
	h.l1Offset = int64(l1)
	// What is of no use may be wrong.
	if refcountTable%uint64(h.cluster()) == 0 && refcountTable <= maxSize {
		h.refcountOffset = int64(refcountTable)
		h.refcount = min(int64(refcountClusters)<<h.ClusterBits, maxRefcountTableBytes)
	}
	return nil
}

// cluster is the size of a cluster in bytes.
func (h *Header) cluster() int64 { return 1 << h.ClusterBits }

// entry is the size of an entry of an L2 table in bytes.
func (h *Header) entry() int64 {
	if h.ExtendedL2 {
		return 16
	}
	return 8
}

// mapped is how much of the disk an L2 table maps, in bytes.
func (h *Header) mapped() int64 { return h.cluster() / h.entry() << h.ClusterBits }

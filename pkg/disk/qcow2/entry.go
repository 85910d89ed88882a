// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package qcow2

import "encoding/binary"

const (
	// offsetMask are the bits of an offset in entries of both tables.
	offsetMask = 1<<56 - 1<<9
	// flagZero tells that a cluster reads as zeros, flagCompressed that it is compressed.
	flagZero       = 1 << 0
	flagCompressed = 1 << 62
	// parts of a cluster that extended tables tell apart.
	parts = 32
	// unit of the lengths of compressed clusters, in bytes.
	unit = 512
)

// A claim is a range of the image that holds something, in bytes.
type claim struct{ start, end int64 }

// An extent is a range of the image that holds a part of the disk.
type extent struct {
	claim
	// guest is where it is on the disk.
	guest int64
	// compressed tells that it unpacks to a cluster, and that its end may be up to a unit
	// behind the end of what is packed.
	compressed bool
}

// visit is told what an L2 table holds, in the disk's order. Ranges that read as zeros come as
// zero, everything else as an extent.
type visit struct {
	extent func(extent) error
	zero   func(guest, length int64) error
}

// walkL2 tells what an L2 table holds that maps the disk from guest on.
func (h *Header) walkL2(table []byte, guest int64, v visit) error {
	w := walker{Header: h, visit: v}
	size, cluster := h.entry(), h.cluster()
	for at := int64(0); at < cluster && guest < h.Size; at, guest = at+size, guest+cluster {
		entry, bitmap := binary.BigEndian.Uint64(table[at:]), uint64(0)
		if h.ExtendedL2 {
			bitmap = binary.BigEndian.Uint64(table[at+8:])
		}
		if err := w.entry(entry, bitmap, guest); err != nil {
			return err
		}
	}
	return w.flush()
}

// A walker joins neighbours that read as zeros.
type walker struct {
	*Header
	visit            visit
	zeroFrom, zeroTo int64
}

func (w *walker) entry(entry, bitmap uint64, guest int64) error {
	offset := int64(entry & offsetMask)
	switch {
	case entry&flagCompressed != 0:
		return w.compressed(entry, guest)
	case w.ExtendedL2:
		return w.parts(offset, bitmap, guest)
	case entry&flagZero != 0 && w.Version < 3:
		return malformed("has a zero cluster, which version 2 does not know")
	case entry&flagZero != 0, offset == 0:
		return w.zeros(guest, w.cluster())
	}
	return w.data(offset, guest, w.cluster())
}

func (w *walker) compressed(entry uint64, guest int64) error {
	shift := 62 - (w.ClusterBits - 8)
	start := int64(entry & (1<<shift - 1))
	units := int64(entry & (flagCompressed - 1) >> shift)
	end := start - start%unit + (units+1)*unit
	return w.visit.extent(extent{claim: claim{start, end}, guest: guest, compressed: true})
}

// parts tells what each part of a cluster holds: data by one half of the bitmap, zeros by the
// other, and nothing, which is zeros too.
func (w *walker) parts(offset int64, bitmap uint64, guest int64) error {
	allocated, zero := uint32(bitmap), uint32(bitmap>>32)
	if allocated&zero != 0 || allocated != 0 && offset == 0 {
		return malformed("has a damaged entry for the cluster at %d", guest)
	}
	part := w.cluster() / parts
	for i := int64(0); i < parts; {
		n := int64(1)
		is := allocated>>i&1 != 0
		for i+n < parts && (allocated>>(i+n)&1 != 0) == is {
			n++
		}
		var err error
		if is {
			err = w.data(offset+i*part, guest+i*part, n*part)
		} else {
			err = w.zeros(guest+i*part, n*part)
		}
		if err != nil {
			return err
		}
		i += n
	}
	return nil
}

func (w *walker) data(offset, guest, length int64) error {
	if !w.ExtendedL2 && offset%w.cluster() != 0 {
		return malformed("has the cluster at %d in a place where none can be (%d)", guest, offset)
	}
	if length = min(length, w.Size-guest); length <= 0 {
		return nil
	}
	return w.visit.extent(extent{claim: claim{offset, offset + length}, guest: guest})
}

func (w *walker) zeros(guest, length int64) error {
	if w.zeroTo == guest && w.zeroFrom < w.zeroTo {
		w.zeroTo += length
		return nil
	}
	err := w.flush()
	w.zeroFrom, w.zeroTo = guest, guest+length
	return err
}

func (w *walker) flush() error {
	from, to := w.zeroFrom, min(w.zeroTo, w.Size)
	w.zeroFrom, w.zeroTo = 0, 0
	if from >= to {
		return nil
	}
	return w.visit.zero(from, to-from)
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package qcow2

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// patched is an image of 64 KiB clusters with numbers of 64 bits at some offsets.
func patched(t testing.TB, v variant, patches map[int64]uint64) []byte {
	t.Helper()
	v.bits, v.version, v.seed = 16, 3, 11
	disk := randomDisk(rand.New(rand.NewPCG(12, 13)), 2<<20) //nolint:gosec // a test's
	image := write(t, v, disk)
	for offset, value := range patches {
		binary.BigEndian.PutUint64(image[offset:], value)
	}
	return image
}

func TestHostileImages(t *testing.T) {
	const (
		cluster = 1 << 16
		l1      = 2 * cluster // tables come first, in this order
		l2      = 3 * cluster
	)
	for name, test := range map[string]struct {
		patches map[int64]uint64
		cut     int
		says    string
	}{
		"a first table that names itself":              {patches: map[int64]uint64{l1: l1}, says: ""},
		"a table that names itself":                    {patches: map[int64]uint64{l2: l2}, says: ""},
		"two parts of the disk in one cluster":         {patches: map[int64]uint64{l2: 5 * cluster, l2 + 8: 5 * cluster}, says: ""},
		"a table behind the end":                       {patches: map[int64]uint64{l1: 1 << 40}, says: "truncated"},
		"a cluster behind the end":                     {patches: map[int64]uint64{l2: 1 << 40}, says: "truncated"},
		"a packed cluster behind the end":              {patches: map[int64]uint64{l2: flagCompressed | 1<<40}, says: "truncated"},
		"a packed cluster of junk":                     {patches: map[int64]uint64{l2: flagCompressed | 5*cluster}, says: "damaged cluster"},
		"a table in the middle of a cluster":           {patches: map[int64]uint64{l1: l2 + 512}, says: "where none can be"},
		"a cluster in the middle of one":               {patches: map[int64]uint64{l2: 5*cluster + 512}, says: "where none can be"},
		"the first table in the middle of a cluster":   {patches: map[int64]uint64{40: l1 + 512}, says: "where it cannot be"},
		"the first table at an offset below zero":      {patches: map[int64]uint64{40: 1<<63 | l1}, says: "where it cannot be"},
		"the first table behind the end":               {patches: map[int64]uint64{40: 1 << 40}, says: "truncated"},
		"a size of a pebibyte":                         {patches: map[int64]uint64{24: 1 << 50}, says: "too small for its size"},
		"a size below zero":                            {patches: map[int64]uint64{24: 1 << 63}, says: "claims a size"},
		"a table of refcounts that is everything":      {patches: map[int64]uint64{48: l1, 56: 1 << 48}, says: ""},
		"an image that ends in its first table":        {cut: l1 + 4, says: ""},
		"an image that ends before its first table":    {cut: l1, says: "truncated"},
		"an image that ends before what a table names": {cut: 10 * cluster, says: "truncated"},
	} {
		t.Run(name, func(t *testing.T) {
			image := patched(t, variant{order: tablesFirst}, test.patches)
			if test.cut > 0 {
				image = image[:test.cut]
			}
			_, err := Convert(t.Context(), bytes.NewReader(image), discard{}, Config{Spill: spillIn(t, t.TempDir())})
			var format *FormatError
			switch {
			case test.says == "" && err != nil && !errors.As(err, &format):
				t.Errorf("got %v", err)
			case test.says != "" && (!errors.As(err, &format) || !strings.Contains(err.Error(), test.says)):
				t.Errorf("got %v, want an error that says %q", err, test.says)
			}
		})
	}
}

// TestExtendedTablesContradict refuses parts that are both data and zeros.
func TestExtendedTablesContradict(t *testing.T) {
	h := Header{Version: 3, ClusterBits: 16, Size: 1 << 20, ExtendedL2: true}
	for name, entry := range map[string][2]uint64{
		"data and zeros":         {5 << 16, 1<<32 | 1},
		"data without a place":   {0, 1},
		"packed parts are whole": {flagCompressed | 5<<16, 0},
	} {
		t.Run(name, func(t *testing.T) {
			table := make([]byte, 1<<16)
			binary.BigEndian.PutUint64(table, entry[0])
			binary.BigEndian.PutUint64(table[8:], entry[1])
			err := h.walkL2(table, 0, visit{extent: func(extent) error { return nil }, zero: func(int64, int64) error { return nil }})
			if refused := err != nil; refused != (entry[1] != 0) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// FuzzConvert looks for images that end in anything but a disk or an error that says why.
func FuzzConvert(f *testing.F) {
	for o := range orders {
		for _, v := range []variant{{packed: 50}, {packed: 50, compression: Zstd}, {version: 2}, {bits: 14, extended: true}} {
			v.order, v.seed = o, uint64(o)
			if v.bits == 0 {
				v.bits = 9
			}
			if v.version == 0 {
				v.version = 3
			}
			f.Add(write(f, v, randomDisk(rand.New(rand.NewPCG(14, 15)), 8<<10))) //nolint:gosec // a test's
		}
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, image []byte) {
		h, err := ParseHeader(image)
		if err != nil || h.Size > 1<<20 || h.ClusterBits > 16 {
			return
		}
		sink := newMemorySink(h.Size)
		spill := func() (Spill, error) { return os.CreateTemp(dir, "") }
		stats, err := Convert(t.Context(), bytes.NewReader(image), sink, Config{Spill: spill})
		var format *FormatError
		if err != nil && !errors.As(err, &format) {
			t.Errorf("got %v", err)
		}
		if stats.Spilled > int64(len(image))+h.cluster() {
			t.Errorf("%d bytes are spilled of %d", stats.Spilled, len(image))
		}
	})
}

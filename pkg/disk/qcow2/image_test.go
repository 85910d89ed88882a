// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package qcow2

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
)

// order is how the parts of an image follow each other.
type order int

const (
	// asWritten: each table before what it names, as QEMU allocates.
	asWritten order = iota
	tablesFirst
	tablesLast
	firstTableLast
	shuffled
	orders
)

// A variant is how an image is made.
type variant struct {
	bits     int
	version  int
	extended bool
	// packed is how many clusters of a hundred are compressed.
	packed      int
	compression Compression
	order       order
	// garbage is how many clusters there are that nothing names, of a hundred.
	garbage int
	seed    uint64
}

// randomDisk has data, zeros and texts, in pieces of many sizes.
func randomDisk(random *rand.Rand, size int) []byte {
	disk := make([]byte, size)
	for at := 0; at < size; {
		n := min(1<<(random.IntN(9)+8)+random.IntN(300), size-at)
		piece := disk[at : at+n]
		switch random.IntN(3) {
		case 0:
			fillRandom(random, piece)
		case 1:
			copy(piece, bytes.Repeat([]byte("golden image "), n/13+1))
		}
		at += n
	}
	return disk
}

func fillRandom(random *rand.Rand, p []byte) {
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], random.Uint64())
	_, _ = rand.NewChaCha8(seed).Read(p) // it never fails
}

// A piece is a part of an image that is placed as a whole.
type piece struct {
	content []byte
	// table tells that it is a part of a table, and which: 1 and 2.
	table int
	// of is the number of the L2 table that names it, or that it is.
	of     int
	placed func(offset int64)
}

// An author makes images.
type author struct {
	variant
	random *rand.Rand
	disk   []byte
	pieces []piece
	zstd   *zstd.Encoder
	// deflate is QEMU's: with a window of 4 KiB.
	deflate *flate.Writer
}

func (a *author) cluster() int { return 1 << a.bits }

func (a *author) entry() int {
	if a.extended {
		return 16
	}
	return 8
}

// write returns an image of a disk.
func write(t testing.TB, v variant, disk []byte) []byte {
	t.Helper()
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	deflate, err := flate.NewWriterWindow(nil, 4096)
	if err != nil {
		t.Fatal(err)
	}
	a := &author{variant: v, random: rand.New(rand.NewPCG(v.seed, 1)), disk: disk, zstd: encoder, deflate: deflate} //nolint:gosec // a test's
	a.fillTables(t)
	return a.place()
}

func (a *author) fillTables(t testing.TB) {
	t.Helper()
	cluster, perTable := a.cluster(), a.cluster()/a.entry()
	clusters := (len(a.disk) + cluster - 1) / cluster
	tables := (clusters + perTable - 1) / perTable
	l1 := make([]byte, (tables*8+cluster-1)/cluster*cluster)
	a.pieces = append(a.pieces, piece{content: l1, table: 1})
	for i := range tables {
		table := make([]byte, cluster)
		from, to := i*perTable, min((i+1)*perTable, clusters)
		before := len(a.pieces)
		a.fillTable(t, table, i, from, to)
		if len(a.pieces) == before && bytes.Equal(table, make([]byte, cluster)) && a.random.IntN(2) == 0 {
			continue // nothing is in it, and it may be missing
		}
		a.pieces = append(a.pieces, piece{content: table, table: 2, of: i, placed: func(offset int64) {
			binary.BigEndian.PutUint64(l1[i*8:], uint64(offset)|1<<63)
		}})
	}
	for range clusters * a.garbage / 100 {
		junk := make([]byte, cluster)
		fillRandom(a.random, junk)
		a.pieces = append(a.pieces, piece{content: junk, of: a.random.IntN(tables)})
	}
}

func (a *author) fillTable(t testing.TB, table []byte, of, from, to int) {
	t.Helper()
	cluster := a.cluster()
	var stream packing
	for i := from; i < to; i++ {
		content := make([]byte, cluster)
		copy(content, a.disk[i*cluster:])
		at := table[(i-from)*a.entry():]
		switch {
		case a.random.IntN(100) < a.packed && a.pack(t, &stream, content, at):
		case a.extended:
			a.addParts(content, at, of)
		case isZero(content) && a.random.IntN(4) != 0:
			a.addZero(at, of)
		default:
			a.add(content, of, func(offset int64) { binary.BigEndian.PutUint64(at, uint64(offset)|1<<63) })
		}
	}
	stream.flush(a, of)
}

func (a *author) add(content []byte, of int, placed func(int64)) {
	a.pieces = append(a.pieces, piece{content: content, of: of, placed: placed})
}

// addZero lets a cluster be missing, or be zero with or without a place of its own.
func (a *author) addZero(entry []byte, of int) {
	switch kind := a.random.IntN(3); {
	case kind == 0 || a.version < 3:
	case kind == 1:
		binary.BigEndian.PutUint64(entry, flagZero)
	default:
		junk := bytes.Repeat([]byte("junk"), a.cluster()/4)
		a.add(junk, of, func(offset int64) { binary.BigEndian.PutUint64(entry, uint64(offset)|1<<63|flagZero) })
	}
}

// addParts lets parts of a cluster be missing or zero.
func (a *author) addParts(content, entry []byte, of int) {
	part := a.cluster() / parts
	var allocated, zero uint32
	for i := range parts {
		is := content[i*part : (i+1)*part]
		switch {
		case !isZero(is) || a.random.IntN(4) == 0:
			allocated |= 1 << i
		default:
			if a.random.IntN(2) == 0 {
				zero |= 1 << i
			}
			copy(is, "junk where nothing is") // in its place, which nobody reads
		}
	}
	binary.BigEndian.PutUint64(entry[8:], uint64(allocated)|uint64(zero)<<32)
	if allocated != 0 {
		a.add(content, of, func(offset int64) { binary.BigEndian.PutUint64(entry, uint64(offset)|1<<63) })
	}
}

// packing is a row of clusters that packed ones follow each other in.
type packing struct {
	content []byte
	entries []packedEntry
}

type packedEntry struct {
	start, length int
	entry         []byte
}

// pack adds a cluster, unless that saves nothing.
func (a *author) pack(t testing.TB, p *packing, content, entry []byte) bool {
	t.Helper()
	var packed []byte
	if a.compression == Zstd {
		packed = a.zstd.EncodeAll(content, nil)
	} else {
		var out bytes.Buffer
		a.deflate.Reset(&out)
		if _, err := a.deflate.Write(content); err != nil {
			t.Fatal(err)
		}
		if err := a.deflate.Close(); err != nil {
			t.Fatal(err)
		}
		packed = out.Bytes()
	}
	if len(packed) >= a.cluster() {
		return false
	}
	if a.random.IntN(20) == 0 {
		p.content = append(p.content, make([]byte, a.random.IntN(700))...)
	}
	p.entries = append(p.entries, packedEntry{start: len(p.content), length: len(packed), entry: entry})
	p.content = append(p.content, packed...)
	if len(p.content) > 4*a.cluster() {
		p.flush(a, -1)
	}
	return true
}

// flush places the row; of is -1 if it is anybody's.
func (p *packing) flush(a *author, of int) {
	if len(p.entries) == 0 {
		return
	}
	entries, cluster := p.entries, a.cluster()
	content := make([]byte, (len(p.content)+cluster-1)/cluster*cluster)
	copy(content, p.content)
	*p = packing{}
	a.add(content, max(of, 0), func(offset int64) {
		shift := 62 - (a.bits - 8)
		for _, e := range entries {
			start := offset + int64(e.start)
			units := (start%unit+int64(e.length)+unit-1)/unit - 1
			binary.BigEndian.PutUint64(e.entry, uint64(start)|uint64(units)<<shift|flagCompressed)
		}
	})
}

// place puts the pieces into their order, and a header before them.
func (a *author) place() []byte {
	a.random.Shuffle(len(a.pieces), func(i, j int) { a.pieces[i], a.pieces[j] = a.pieces[j], a.pieces[i] })
	rank := func(p piece) int {
		switch {
		case a.order == asWritten && p.table == 1, a.order == tablesFirst && p.table != 0:
			return -1
		case a.order == asWritten:
			return p.of*2 + 1 - p.table/2
		case a.order == tablesLast && p.table != 0, a.order == firstTableLast && p.table == 1:
			return 1
		}
		return 0
	}
	if a.order != shuffled {
		slices.SortStableFunc(a.pieces, func(x, y piece) int { return rank(x) - rank(y) })
	}
	cluster := int64(a.cluster())
	offset := 2 * cluster
	offsets := make([]int64, len(a.pieces))
	for i, p := range a.pieces {
		offsets[i] = offset
		if p.placed != nil {
			p.placed(offset)
		}
		offset += int64(len(p.content))
	}
	image := make([]byte, offset)
	var l1 int64
	for i, p := range a.pieces {
		copy(image[offsets[i]:], p.content)
		if p.table == 1 {
			l1 = offsets[i]
		}
	}
	a.header(image, l1)
	return image
}

func (a *author) header(image []byte, l1 int64) {
	be, perTable := binary.BigEndian, a.cluster()/a.entry()*a.cluster()
	copy(image, "QFI\xfb")
	be.PutUint32(image[4:], uint32(a.version))
	be.PutUint32(image[20:], uint32(a.bits))
	be.PutUint64(image[24:], uint64(len(a.disk)))
	be.PutUint32(image[36:], uint32((len(a.disk)+perTable-1)/perTable))
	be.PutUint64(image[40:], uint64(l1))
	be.PutUint64(image[48:], uint64(a.cluster())) // the table of refcounts, which has none
	be.PutUint32(image[56:], 1)
	if a.version < 3 {
		return
	}
	var features uint64
	if a.extended {
		features |= incompatibleExtendedL2
	}
	if a.compression == Zstd {
		features |= incompatibleCompression
	}
	be.PutUint64(image[72:], features)
	be.PutUint32(image[96:], 4)
	be.PutUint32(image[100:], 112)
	image[104] = byte(a.compression)
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package qcow2

import (
	"context"
	"encoding/binary"
	"io"
	"slices"
)

// A converter holds the state of a Convert. Its goroutine reads, and hands out what is to be
// unpacked and written.
type converter struct {
	Header
	//nolint:containedctx // one conversion is one call
	ctx   context.Context
	image io.Reader
	// first are the bytes that were read for the header.
	first []byte
	sink  Sink

	workers *workers
	kept    *kept
	// chunks are the latest ones, in order.
	chunks []*chunk
	spare  []*chunk

	// l1 is the first table, as far as it has passed; located tells that it was read.
	l1      []byte
	located bool
	// tables that are to pass, by where they are; passed is how many of them have.
	tables []table
	passed int
	// left are tables that have passed and were not read, for want of memory.
	left []table
	// refcounts is the table of refcount blocks, as far as it has passed; blocks are where they
	// are. Nobody reads them, so they need not be kept.
	refcounts []byte
	blocks    map[int64]bool

	queue queue
	// open are extents that have begun to pass.
	open []extent
	// joined are neighbours that are written together.
	joined extent
}

// A table is an L2 table at a place in the image, which maps the disk from guest on.
type table struct{ offset, guest int64 }

func (c *converter) run() error {
	at := int64(0)
	for {
		if c.ctx.Err() != nil {
			return context.Cause(c.ctx)
		}
		chunk, err := c.next(at)
		if err != nil && !ended(err) {
			return err
		}
		if chunk.n > 0 {
			if err := c.take(chunk); err != nil {
				return err
			}
			at += chunk.n
		}
		if ended(err) {
			return c.finish(at)
		}
	}
}

// next reads a chunk. What it holds behind the image's end is zeros.
func (c *converter) next(at int64) (*chunk, error) {
	if len(c.chunks) == chunksKept {
		if err := c.release(); err != nil {
			return nil, err
		}
	}
	var k *chunk
	if last := len(c.spare) - 1; last >= 0 {
		k, c.spare = c.spare[last], c.spare[:last]
	} else {
		k = &chunk{content: make([]byte, max(leastChunk, c.cluster()))}
	}
	k.reset(at, c.cluster())
	copied := copy(k.content, c.first)
	c.first = c.first[copied:]
	n, err := fill(c.image, k.content[copied:])
	k.n = int64(copied + n)
	clear(k.content[k.n:])
	if k.n > 0 {
		c.chunks = append(c.chunks, k)
	}
	return k, err
}

// take looks at a chunk: first for tables, which may name other parts of it.
func (c *converter) take(k *chunk) error {
	if k.offset == 0 {
		k.claim(claim{0, c.cluster()})
	}
	c.takeRefcounts(k)
	if err := c.takeL1(k); err != nil {
		return err
	}
	if err := c.takeTables(k.end()); err != nil {
		return err
	}
	return c.takeExtents(k.end())
}

// takeL1 collects the first table, and reads it when all of it has passed.
func (c *converter) takeL1(k *chunk) error {
	if c.located {
		return nil
	}
	whole := claim{c.l1Offset, c.l1Offset + c.l1Entries*8}
	part, ok := k.overlap(claim{whole.start + int64(len(c.l1)), whole.end})
	if ok {
		c.l1 = append(c.l1, k.at(part)...)
		k.claim(claim{part.start, roundUp(part.end, c.cluster())})
	}
	if int64(len(c.l1)) < c.l1Entries*8 {
		return nil
	}
	c.located = true
	return c.readL1()
}

func (c *converter) readL1() error {
	for guest, at := int64(0), 0; guest < c.Size; guest, at = guest+c.mapped(), at+8 {
		offset := int64(binary.BigEndian.Uint64(c.l1[at:]) & offsetMask)
		if offset == 0 {
			if err := c.zero(guest, min(c.mapped(), c.Size-guest)); err != nil {
				return err
			}
			continue
		}
		if offset%c.cluster() != 0 {
			return malformed("has the table for %d in a place where none can be (%d)", guest, offset)
		}
		c.tables = append(c.tables, table{offset, guest})
	}
	c.l1 = nil
	slices.SortFunc(c.tables, func(a, b table) int { return compare(a.offset, b.offset) })
	return nil
}

// takeTables reads the tables that have passed.
func (c *converter) takeTables(end int64) error {
	for ; c.passed < len(c.tables) && c.tables[c.passed].offset < end; c.passed++ {
		t := c.tables[c.passed]
		if int64(len(c.queue.heap))+c.extents() > maxExtents {
			c.left = append(c.left, t)
			continue
		}
		if err := c.readTable(t); err != nil {
			return err
		}
	}
	return nil
}

// extents is how many a table can name.
func (c *converter) extents() int64 {
	n := c.cluster() / c.entry()
	if c.ExtendedL2 {
		// Every other part is data.
		n *= parts / 2
	}
	return n
}

// unread tells whether some table has not been read.
func (c *converter) unread() bool { return !c.located || c.passed < len(c.tables) || len(c.left) > 0 }

func (c *converter) readTable(t table) error {
	is := claim{t.offset, t.offset + c.cluster()}
	content, err := c.fetch(is)
	if err != nil {
		return err
	}
	if k := c.chunkAt(t.offset); k != nil {
		k.claim(is)
	}
	return c.walkL2(content, t.guest, visit{
		extent: func(e extent) error { c.queue.push(e); return nil },
		zero:   c.zero,
	})
}

func (c *converter) zero(guest, length int64) error {
	return c.workers.do(c.ctx, job{work: func() error { return c.sink.Zero(guest, length) }})
}

// takeExtents hands out what the tables have named and has passed.
func (c *converter) takeExtents(end int64) error {
	for {
		e, ok := c.queue.pop(end)
		if !ok {
			break
		}
		c.open = append(c.open, e)
	}
	still := c.open[:0]
	for _, e := range c.open {
		if e.end > end {
			still = append(still, e)
			continue
		}
		if err := c.hand(e); err != nil {
			return err
		}
	}
	c.open = still
	return c.flush()
}

// hand gives out an extent, of which neighbours on both sides are joined if they are not packed.
func (c *converter) hand(e extent) error {
	if e.compressed {
		return c.unpack(e)
	}
	r := &c.joined
	if r.end == e.start && r.guest+(r.end-r.start) == e.guest && r.start < r.end && c.chunkAt(r.start) == c.chunkAt(e.start) {
		r.end = e.end
		return nil
	}
	if err := c.flush(); err != nil {
		return err
	}
	*r = e
	return nil
}

// flush hands out what was joined.
func (c *converter) flush() error {
	r := c.joined
	c.joined = extent{}
	if r.start >= r.end {
		return nil
	}
	content, err := c.fetch(r.claim)
	if err != nil {
		return err
	}
	is := r.claim
	return c.workers.do(c.ctx, job{holds: c.hold(&is), work: func() error {
		_, err := c.sink.WriteAt(content, r.guest)
		return err
	}})
}

func (c *converter) unpack(e extent) error {
	content, err := c.fetch(e.claim)
	if err != nil {
		return err
	}
	is := e.claim
	length := min(c.cluster(), c.Size-e.guest)
	return c.workers.do(c.ctx, job{holds: c.hold(&is), unpack: func(u *unpacker) error {
		disk, used, err := u.unpack(content)
		if err != nil {
			return malformed("has a damaged cluster at %d: %v", e.guest, err)
		}
		// What is behind it belongs to others.
		is.end = is.start + int64(used)
		_, err = c.sink.WriteAt(disk[:length], e.guest)
		return err
	}})
}

// finish hands out what is left when the image has ended.
func (c *converter) finish(end int64) error {
	if !c.located {
		return malformed("is truncated: its first table is missing")
	}
	if c.passed < len(c.tables) {
		return malformed("is truncated: it ends at %d, and has a table at %d", end, c.tables[c.passed].offset)
	}
	padded := roundUp(end, c.cluster())
	for {
		// The last packed cluster may end behind the image.
		for i := range c.open {
			if e := &c.open[i]; e.compressed && e.start < end {
				e.end = min(e.end, padded)
			}
		}
		if err := c.takeExtents(padded); err != nil {
			return err
		}
		if len(c.open) > 0 || len(c.queue.heap) > 0 {
			return c.truncated(end)
		}
		if len(c.left) == 0 {
			break
		}
		t := c.left[len(c.left)-1]
		c.left = c.left[:len(c.left)-1]
		if err := c.readTable(t); err != nil {
			return err
		}
	}
	return c.workers.wait()
}

func (c *converter) truncated(end int64) error {
	e := slices.Concat(c.open, c.queue.heap)[0]
	return malformed("is truncated: it ends at %d, and has the cluster of %d at %d", end, e.guest, e.start)
}

func roundUp(n, unit int64) int64 { return (n + unit - 1) / unit * unit }

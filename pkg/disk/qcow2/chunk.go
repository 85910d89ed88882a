// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package qcow2

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sync"
)

// A chunk is a part of the image that is in memory. Its size is that of some whole clusters.
type chunk struct {
	// offset in the image.
	offset int64
	// content behind n is zeros.
	content []byte
	n       int64
	// claims are what is known to be in it.
	claims []*claim
	// users read content, and may change their claims.
	users sync.WaitGroup
	// size of a cluster.
	cluster int64
}

func (k *chunk) reset(offset, cluster int64) {
	*k = chunk{offset: offset, content: k.content, cluster: cluster}
}

// end is where the last cluster ends of which something was read.
func (k *chunk) end() int64 { return k.offset + roundUp(k.n, k.cluster) }

func (k *chunk) claim(c claim) { k.claims = append(k.claims, &c) }

// overlap returns the part of a range that is in the chunk.
func (k *chunk) overlap(c claim) (claim, bool) {
	c.start, c.end = max(c.start, k.offset), min(c.end, k.end())
	return c, c.start < c.end
}

func (k *chunk) at(c claim) []byte { return k.content[c.start-k.offset : c.end-k.offset] }

// chunkAt returns the chunk that is in memory and holds a place of the image, nil if there is none.
func (c *converter) chunkAt(offset int64) *chunk {
	for _, k := range c.chunks {
		if k.offset <= offset && offset < k.end() {
			return k
		}
	}
	return nil
}

// hold notes what a part of the image holds, and that it is used until the chunks that are
// returned are told that it is no more.
func (c *converter) hold(is *claim) []*chunk {
	var held []*chunk
	for _, k := range c.chunks {
		if _, ok := k.overlap(*is); ok {
			k.claims = append(k.claims, is)
			k.users.Add(1)
			held = append(held, k)
		}
	}
	return held
}

// fetch returns a part of the image that has passed.
func (c *converter) fetch(part claim) ([]byte, error) {
	if k := c.chunkAt(part.start); k != nil && part.end <= k.end() {
		return k.at(part), nil
	}
	content := make([]byte, part.end-part.start)
	for at := part.start; at < part.end; {
		number := at / c.cluster()
		end := min(part.end, (number+1)*c.cluster())
		into := content[at-part.start : end-part.start]
		if k := c.chunkAt(at); k != nil {
			copy(into, k.at(claim{at, end}))
		} else if c.kept.has(number) {
			if err := c.kept.read(into, number, at-number*c.cluster()); err != nil {
				return nil, err
			}
		} else {
			return nil, malformed("names what is at %d, where it has something else", at)
		}
		at = end
	}
	return content, nil
}

// release makes room for a chunk. Of the oldest one, what may be named by a table that is not
// read yet is kept.
func (c *converter) release() error {
	k := c.chunks[0]
	k.users.Wait()
	if err := c.keep(k); err != nil {
		return err
	}
	c.chunks = slices.Delete(c.chunks, 0, 1)
	c.spare = append(c.spare, k)
	return nil
}

func (c *converter) keep(k *chunk) error {
	if !c.unread() {
		return nil
	}
	slices.SortFunc(k.claims, func(a, b *claim) int { return compare(a.start, b.start) })
	next, reached := 0, k.offset
	for at := k.offset; at < k.end(); at += c.cluster() {
		end := at + c.cluster()
		// reached is up to where everything is claimed from the cluster's beginning.
		for reached = max(reached, at); next < len(k.claims) && k.claims[next].start <= reached; next++ {
			reached = max(reached, k.claims[next].end)
		}
		if reached >= end || c.blocks[at] {
			continue
		}
		// Claims that begin in the rest of it may go on behind it.
		for ; next < len(k.claims) && k.claims[next].start < end; next++ {
			reached = max(reached, k.claims[next].end)
		}
		content := k.content[at-k.offset : end-k.offset]
		if err := c.kept.keep(at/c.cluster(), content, isZero(content)); err != nil {
			return err
		}
	}
	return nil
}

func compare(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// zeros is only read.
var zeros [64 << 10]byte

func isZero(p []byte) bool {
	for len(p) > 0 {
		n := min(len(p), len(zeros))
		if !bytes.Equal(p[:n], zeros[:n]) {
			return false
		}
		p = p[n:]
	}
	return true
}

// maxBlocks bounds how many blocks of refcounts are looked for. They cover a large image: of
// 128 TiB, if clusters are of the usual 64 KiB.
const maxBlocks = 1 << 16

// takeRefcounts collects the table of refcount blocks, and notes where these are.
func (c *converter) takeRefcounts(k *chunk) {
	size := min(c.refcount, maxBlocks*8)
	part, ok := k.overlap(claim{c.refcountOffset + int64(len(c.refcounts)), c.refcountOffset + size})
	if c.blocks != nil || !ok || c.refcountOffset == 0 {
		return
	}
	c.refcounts = append(c.refcounts, k.at(part)...)
	k.claim(claim{part.start, roundUp(part.end, c.cluster())})
	if int64(len(c.refcounts)) < size {
		return
	}
	c.blocks = map[int64]bool{}
	for at := 0; at+8 <= len(c.refcounts); at += 8 {
		if offset := int64(binary.BigEndian.Uint64(c.refcounts[at:]) & (maxSize - unit)); offset != 0 {
			c.blocks[offset] = true
		}
	}
	c.refcounts = nil
}

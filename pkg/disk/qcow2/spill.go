// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package qcow2

import (
	"errors"
	"fmt"
	"io"
)

// spillMemory is how much is kept in memory before there is a file, in bytes.
const spillMemory = 4 << 20

// A Spill is a file for what cannot be written yet. What was not written to it reads as zeros.
type Spill interface {
	io.ReaderAt
	io.WriterAt
}

// kept holds clusters that passed before the tables that name them, by their number.
type kept struct {
	cluster int64
	// open makes the Spill when it is needed first.
	open func() (Spill, error)

	file Spill
	// memory holds clusters until there is a file.
	memory map[int64][]byte
	// pages has a bit for each cluster that is kept.
	pages map[int64]*[64]uint64
	// written is how much went to the file, in bytes.
	written int64
}

func newKept(cluster int64, open func() (Spill, error)) *kept {
	return &kept{cluster: cluster, open: open, memory: map[int64][]byte{}, pages: map[int64]*[64]uint64{}}
}

func (k *kept) has(number int64) bool {
	page := k.pages[number>>12]
	return page != nil && page[number>>6&63]>>(number&63)&1 != 0
}

// keep stores a cluster. One of zeros takes no space.
func (k *kept) keep(number int64, p []byte, zero bool) error {
	page := k.pages[number>>12]
	if page == nil {
		page = new([64]uint64)
		k.pages[number>>12] = page
	}
	page[number>>6&63] |= 1 << (number & 63)
	if zero {
		return nil
	}
	if k.file == nil && int64(len(k.memory)+1)*k.cluster <= spillMemory {
		k.memory[number] = append([]byte(nil), p...)
		return nil
	}
	return k.write(number, p)
}

func (k *kept) write(number int64, p []byte) error {
	if k.file == nil {
		file, err := k.open()
		if err != nil {
			return err
		}
		k.file = file
		for number, content := range k.memory {
			if err := k.write(number, content); err != nil {
				return err
			}
		}
		k.memory = nil
	}
	n, err := k.file.WriteAt(p, number*k.cluster)
	k.written += int64(n)
	if err != nil {
		return fmt.Errorf("keep a part of the image: %w", err)
	}
	return nil
}

// read fills p from a place in a cluster that is kept.
func (k *kept) read(p []byte, number, at int64) error {
	if content, ok := k.memory[number]; ok {
		copy(p, content[at:])
		return nil
	}
	clear(p)
	if k.file == nil {
		return nil
	}
	n, err := k.file.ReadAt(p, number*k.cluster+at)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read a part of the image that was kept: %w", err)
	}
	clear(p[n:]) // the file ends where nothing but zeros follows
	return nil
}

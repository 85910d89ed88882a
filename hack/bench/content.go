// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
)

const (
	// blockSize is how much of one kind comes in a row, in bytes.
	blockSize = 64 << 10
	// extentSize is how much content lies together before a hole, in bytes.
	extentSize = 4 << 20
	vocabulary = 8192
)

// content yields bytes that compress like those of an installed system, to about half: texts,
// tables of numbers, and files that are compressed already. It is always the same.
type content struct {
	random  *rand.Rand
	noise   *rand.ChaCha8
	words   [][]byte
	choice  *rand.Zipf
	counter uint32
	blocks  int
}

func newContent() *content {
	noise := rand.NewChaCha8([32]byte{1})
	random := rand.New(rand.NewPCG(1, 2))
	c := &content{random: random, noise: noise, choice: rand.NewZipf(random, 1.2, 4, vocabulary-1)}
	for range vocabulary {
		word := make([]byte, 2+random.IntN(9), 12)
		for i := range word {
			word[i] = 'a' + byte(random.IntN(26))
		}
		c.words = append(c.words, append(word, ' '))
	}
	return c
}

// fill fills a block with the next content. Of four blocks two are text.
func (c *content) fill(block []byte) {
	kind := c.blocks % 4
	c.blocks++
	switch kind {
	case 1:
		c.table(block)
	case 3:
		_, _ = c.noise.Read(block) // it never fails
	default:
		c.text(block)
	}
}

func (c *content) text(block []byte) {
	for len(block) > 0 {
		block = block[copy(block, c.words[c.choice.Uint64()]):]
	}
}

// table fills a block with records of a number that grows, one that is small and one that is
// anything.
func (c *content) table(block []byte) {
	for ; len(block) >= 12; block = block[12:] {
		c.counter++
		binary.LittleEndian.PutUint32(block, c.counter)
		binary.LittleEndian.PutUint32(block[4:], uint32(c.random.IntN(1000)))
		binary.LittleEndian.PutUint32(block[8:], c.random.Uint32())
	}
	clear(block)
}

// writeDisk makes a raw disk of a size, with content spread evenly over it and holes between.
func writeDisk(path string, size, filled int64) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := file.Truncate(size); err != nil {
		return err
	}
	c, extents, block := newContent(), filled/extentSize, make([]byte, blockSize)
	for i := range extents {
		if _, err := file.Seek(size/extents*i/blockSize*blockSize, 0); err != nil {
			return err
		}
		w := bufio.NewWriterSize(file, 1<<20)
		for range extentSize / blockSize {
			c.fill(block)
			_, _ = w.Write(block) // Flush returns its error
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return nil
}

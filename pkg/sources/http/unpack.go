// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/ulikunitz/xz"
)

const (
	// xzHeaderSize is how much of a file the header of its first block reaches into: that of
	// the stream has 12 bytes, and a block's 1024 at most.
	xzHeaderSize = 12 + 1024
	xzMagic      = "\xfd7zXZ\x00"
	// maxDictionary bounds the memory that a file may ask for, in bytes. It is what xz -9,
	// the largest of the usual settings, needs.
	maxDictionary = 64 << 20
)

func isXZ(head []byte) bool { return bytes.HasPrefix(head, []byte(xzMagic)) }

// unpackXZ reads a file that begins with head. What encoders make has one dictionary size in
// all its blocks; a file of which a later block asks for more meets the worker's own limit.
func unpackXZ(r *bufio.Reader, head []byte) (io.Reader, error) {
	if err := checkDictionary(head); err != nil {
		return nil, err
	}
	unpacked, err := xz.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("read xz: %w", err)
	}
	return bufio.NewReaderSize(unpacked, readSize), nil
}

// Parts of a block's header, as the format's description has them.
const (
	xzBlock          = 12
	xzHasPackedSize  = 0x40
	xzHasPlainSize   = 0x80
	xzFilterLZMA2    = 0x21
	xzFilterCount    = 0x03
	xzLargestDictBit = 40
)

var errXZHeader = errors.New("its header is malformed, or it was made with a filter other than LZMA2")

// checkDictionary refuses a first block whose dictionary would take too much memory.
func checkDictionary(head []byte) error {
	if len(head) <= xzBlock+1 || head[xzBlock] == 0 {
		// It has no blocks, or is too short, which the reader finds out.
		return nil
	}
	flags, rest := head[xzBlock+1], head[xzBlock+2:]
	for _, size := range []byte{xzHasPackedSize, xzHasPlainSize} {
		if flags&size == 0 {
			continue
		}
		end := bytes.IndexFunc(rest[:min(len(rest), 9)], func(r rune) bool { return r < 0x80 })
		if end < 0 {
			return errXZHeader
		}
		rest = rest[end+1:]
	}
	if flags&xzFilterCount != 0 || len(rest) < 3 || rest[0] != xzFilterLZMA2 || rest[1] != 1 || rest[2] > xzLargestDictBit {
		return errXZHeader
	}
	bits := rest[2]
	if size := uint64(2|bits&1) << (bits/2 + 11); size > maxDictionary {
		return fmt.Errorf("it needs a dictionary of %d MiB: at most %d MiB are supported, which xz -9 uses", size>>20, maxDictionary>>20)
	}
	return nil
}

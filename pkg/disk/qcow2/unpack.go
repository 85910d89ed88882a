// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package qcow2

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
)

// An unpacker unpacks clusters, one at a time.
type unpacker struct {
	compression Compression
	cluster     []byte
	in          bytes.Reader
	deflate     io.ReadCloser
	zstd        *zstd.Decoder
}

func newUnpacker(h *Header) *unpacker {
	return &unpacker{compression: h.Compression, cluster: make([]byte, h.cluster())}
}

func (u *unpacker) close() {
	if u.zstd != nil {
		u.zstd.Close()
	}
}

var errShort = errors.New("it unpacks to less than a cluster")

// unpack returns a cluster, which is valid until the next call, and how many bytes it was packed
// in. These may be fewer than it is given.
func (u *unpacker) unpack(packed []byte) (cluster []byte, used int, err error) {
	if u.compression == Zstd {
		return u.unpackZstd(packed)
	}
	u.in.Reset(packed)
	if u.deflate == nil {
		u.deflate = flate.NewReader(&u.in)
	} else if err := u.deflate.(flate.Resetter).Reset(&u.in, nil); err != nil { //nolint:forcetypeassert // as documented
		return nil, 0, err
	}
	if _, err := io.ReadFull(u.deflate, u.cluster); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errShort
		}
		return nil, 0, err
	}
	// What comes behind a cluster is of no use, but says where it ends.
	var more [1]byte
	if n, err := u.deflate.Read(more[:]); n > 0 || !errors.Is(err, io.EOF) {
		return u.cluster, 0, nil
	}
	return u.cluster, len(packed) - u.in.Len(), nil
}

// unpackZstd unpacks one frame or several.
func (u *unpacker) unpackZstd(packed []byte) (cluster []byte, used int, err error) {
	if u.zstd == nil {
		// One cluster more: what is larger is an error.
		u.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(uint64(2*len(u.cluster))))
		if err != nil {
			return nil, 0, err
		}
	}
	out := u.cluster[:0]
	for used < len(packed) && len(out) < len(u.cluster) {
		size, err := frameSize(packed[used:])
		if err != nil {
			return nil, 0, err
		}
		if out, err = u.zstd.DecodeAll(packed[used:used+size], out); err != nil {
			return nil, 0, err
		}
		used += size
	}
	if len(out) != len(u.cluster) {
		return nil, 0, fmt.Errorf("it unpacks to %d bytes", len(out))
	}
	return out, used, nil
}

// frameSize returns the length of the zstd frame that p begins with, by RFC 8878, section 3.1.1.
func frameSize(p []byte) (int, error) {
	var h zstd.Header
	if err := h.Decode(p); err != nil {
		return 0, err
	}
	if h.Skippable {
		return within(int64(h.HeaderSize)+int64(h.SkippableSize), p)
	}
	const (
		blockHeader = 3
		repeated    = 1
		checksum    = 4
	)
	for at := int64(h.HeaderSize); ; {
		if at+blockHeader > int64(len(p)) {
			return 0, io.ErrUnexpectedEOF
		}
		block := uint32(p[at]) | uint32(p[at+1])<<8 | uint32(p[at+2])<<16
		size := int64(block >> 3)
		if block>>1&3 == repeated {
			size = 1
		}
		at += blockHeader + size
		if block&1 == 0 {
			continue
		}
		if h.HasCheckSum {
			at += checksum
		}
		return within(at, p)
	}
}

func within(size int64, p []byte) (int, error) {
	if size <= 0 || size > int64(len(p)) {
		return 0, io.ErrUnexpectedEOF
	}
	return int(size), nil
}

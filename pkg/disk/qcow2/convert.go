// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package qcow2

import (
	"context"
	"io"
	"runtime"
)

const (
	// leastChunk is how much is read at a time, in bytes, if clusters are smaller.
	leastChunk = 1 << 20
	// chunksKept are in memory at a time. Three of them may hold one compressed cluster.
	chunksKept = 6
	// maxExtents bounds the memory for what the tables have named and has not come yet: about
	// 40 bytes each.
	maxExtents = 1 << 20
	// maxWorkers unpack and write at a time. More wait for the same disk.
	maxWorkers = 16
)

// A Sink takes a disk. Its methods are called by several goroutines at once, for ranges that do
// not overlap. Whatever it fails with ends the conversion and is returned as it is.
type Sink interface {
	// WriteAt takes a part of the disk. It does not keep p.
	io.WriterAt
	// Zero tells that a range reads as zeros, in bytes.
	Zero(offset, length int64) error
}

// Config of Convert.
type Config struct {
	// Spill makes the file for what cannot be written yet. It is called once at most, and what
	// it returns is not used after Convert has returned. Required.
	Spill func() (Spill, error)
	// Workers that unpack and write at a time; 0 means as many as there are processors.
	Workers int
}

// Stats are what a conversion took.
type Stats struct {
	// Spilled is how much was written to the Spill, in bytes.
	Spilled int64
}

// Convert reads an image from its first byte to its end, and gives its disk to a Sink: each
// cluster once, also those that read as zeros. Its error is a *FormatError if the image is at
// fault, r's or the Sink's own, or ctx's cause. Only if it is nil is the disk complete.
func Convert(ctx context.Context, r io.Reader, sink Sink, config Config) (Stats, error) {
	first := make([]byte, HeaderSize)
	n, err := fill(r, first)
	if err != nil && !ended(err) {
		return Stats{}, err
	}
	h, err := ParseHeader(first[:n])
	if err != nil {
		return Stats{}, err
	}
	if config.Workers <= 0 {
		config.Workers = runtime.GOMAXPROCS(0)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c := &converter{
		Header: h, ctx: ctx, image: r, first: first[:n], sink: sink,
		kept: newKept(h.cluster(), config.Spill), workers: newWorkers(cancel, &h, min(config.Workers, maxWorkers)),
	}
	err = c.run()
	// Whatever is under way ends before the caller's buffers and files do.
	if failed := c.workers.close(); failed != nil {
		err = failed
	}
	return Stats{Spilled: c.kept.written}, err
}

// fill reads until p is full or there is an error, which it returns as it is.
func fill(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = r.Read(p[n:])
		n += m
	}
	return n, err
}

// ended tells a stream's good end from an error that has io.EOF for its cause.
func ended(err error) bool {
	return err == io.EOF //nolint:errorlint // see above
}

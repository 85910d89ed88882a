// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"context"
	"io"
	"os"
	"sync"
)

// A Source is a disk image to read. One of Stream and File is set.
type Source struct {
	// Stream yields the image from its beginning. Its io.EOF must mean that all of it is
	// good: until then nothing that was written counts.
	Stream io.Reader
	// Size of Stream in bytes; 0 if it is not known.
	Size int64
	// File is an image that can be read at any place, or a block device.
	File *os.File
	// Raw says that the content is a disk and not an image file: its format is not looked
	// for. A disk that a guest has written must be read like this, or the guest could make
	// it look like an image of something else.
	Raw bool
}

// A Target is what is filled.
type Target struct {
	// Path of the file to make, or of the block device.
	Path string
	// Block tells that Path is a device. It is filled from its beginning; what lies behind
	// the disk's end is left alone.
	Block bool
	// SizeBytes is how large the file shall be; 0 means as large as the disk. A larger disk
	// is refused. It becomes less if its file system has less space. A device's own size
	// counts instead.
	SizeBytes int64
	// Preallocate asks for all of the file's blocks to be allocated.
	Preallocate bool
}

// Info is what became known of a disk.
type Info struct {
	// Format of the source.
	Format Format
	// VirtualSize of the disk in bytes, before a file was grown to its Target's SizeBytes.
	VirtualSize int64
}

// Progress of a Write.
type Progress struct {
	// Fraction that is done, from 0 to 1.
	Fraction float64
	// BytesRead from the source, and BytesWritten to the target, zeros included.
	BytesRead, BytesWritten int64
}

// Config of an Engine. The zero value works.
type Config struct {
	// QEMUImg is the program that converts; empty means qemu-img, as PATH finds it.
	QEMUImg string
	// TempDir is where images for a block device are kept until they are converted; empty
	// means the system's.
	TempDir string
	// Progress is called often, from one goroutine at a time, unless it is nil.
	Progress func(Progress)
}

// An Engine writes disks, one at a time.
type Engine struct {
	config Config
	// mu is of progress: parts of a disk are written at the same time.
	mu       sync.Mutex
	progress Progress
	// readShare is how much of the fraction reading takes; the rest is conversion.
	readShare float64
}

// New returns an Engine.
func New(c Config) *Engine {
	if c.QEMUImg == "" {
		c.QEMUImg = "qemu-img"
	}
	if c.TempDir == "" {
		c.TempDir = os.TempDir()
	}
	if c.Progress == nil {
		c.Progress = func(Progress) {}
	}
	return &Engine{config: c}
}

// Write fills the target with the source's disk and flushes it. What an earlier Write that was
// killed left behind is removed first. When it fails, a file target does not exist under its
// name, and a device's content is undefined. It returns an *Error, or ctx's cause.
func (e *Engine) Write(ctx context.Context, s Source, t Target) (Info, error) {
	e.progress, e.readShare = Progress{}, 1
	if s.Stream != nil {
		s.Stream = &counting{engine: e, inner: s.Stream, size: s.Size}
	}
	open := openFile
	if t.Block {
		open = openDevice
	}
	out, err := open(t)
	if err != nil {
		return Info{}, err
	}
	info, err := e.write(ctx, s, out)
	if err == nil {
		err = out.finish(info.VirtualSize)
	}
	if err != nil {
		out.abandon()
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return info, err
	}
	e.progress.Fraction = 1
	e.config.Progress(e.progress)
	return info, nil
}

func (e *Engine) write(ctx context.Context, s Source, out output) (Info, error) {
	switch {
	case s.Raw && s.File != nil:
		return e.copyFile(ctx, s.File, out)
	case s.Raw:
		return e.copyStream(ctx, s.Stream, s.Size, out)
	case s.File != nil:
		return e.writeFile(ctx, s.File, out)
	}
	return e.writeStream(ctx, s.Stream, s.Size, out)
}

// almost is the fraction until everything has been flushed, which takes a while.
const almost = 0.99

// advance reports progress. A fraction does not go back.
func (e *Engine) advance(fraction float64, read, written int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.progress.Fraction = max(e.progress.Fraction, min(fraction, 1)*almost)
	e.progress.BytesRead += read
	e.progress.BytesWritten += written
	e.config.Progress(e.progress)
}

// counting reports what is read as progress.
type counting struct {
	engine     *Engine
	inner      io.Reader
	done, size int64
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.inner.Read(p)
	c.done += int64(n)
	c.engine.advance(c.engine.readShare*ratio(c.done, c.size), int64(n), 0)
	return n, err
}

// ratio is how much of a total is done; 0 if the total is not known.
func ratio(done, total int64) float64 {
	if total <= 0 {
		return 0
	}
	return float64(done) / float64(total)
}

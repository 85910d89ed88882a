// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bufio"
	"context"
	"errors"
	"io"

	"goldenimage.dev/pkg/sources"
)

// readSize of a file's bytes.
const readSize = 256 << 10

// An Opener streams files from web servers. It is safe for concurrent use.
type Opener struct {
	options    Options
	transports *transports
}

var _ sources.Opener = (*Opener)(nil)

// NewOpener returns an Opener.
func NewOpener(o Options) *Opener {
	return &Opener{options: o.withDefaults(), transports: &transports{}}
}

// Open returns the file at location: a URL, which Pin may have pinned to a content. A file that
// is compressed with xz is unpacked, and its Size not known then; other files are returned as
// they are. Without a checksum, io.EOF means that as much arrived as the server said there
// is. All errors are sources.Errors. Cancel ctx, or close the Content, to end a transfer.
func (o *Opener) Open(ctx context.Context, location string, access sources.Access) (*sources.Content, error) {
	target, want, err := parsePin(location)
	if err != nil {
		return nil, err
	}
	sum, err := parseChecksum(want.checksum)
	if err != nil {
		return nil, err
	}
	c, err := newClient(o.transports, o.options, target, access)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	t := newTransfer(ctx, c, want.digest, sum, o.options.RetryDelay)
	f := &fileStream{ctx: ctx, cancel: cancel, transfer: t}
	if err := f.open(); err != nil {
		_ = f.Close() // err says why
		return nil, err
	}
	content := &sources.Content{ReadCloser: f, Name: baseName(target), Digest: want.checksum}
	if content.Digest == "" {
		content.Digest = want.digest
	}
	if !f.packed {
		content.Size = t.first.length
	}
	return content, nil
}

// fileStream is the file, unpacked, and io.EOF once all of it is verified.
type fileStream struct {
	ctx      context.Context
	cancel   context.CancelFunc
	transfer *transfer
	plain    io.Reader
	packed   bool
	err      error
}

// open looks at the beginning of the file.
func (f *fileStream) open() error {
	if err := f.transfer.start(); err != nil {
		return err
	}
	buffered := bufio.NewReaderSize(f.transfer, readSize)
	f.plain = buffered
	head, err := buffered.Peek(xzHeaderSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return f.transfer.client.failure(err)
	}
	if f.packed = isXZ(head); !f.packed {
		return nil
	}
	if f.plain, err = unpackXZ(buffered, head); err != nil {
		return f.damaged(err)
	}
	return nil
}

func (f *fileStream) Read(p []byte) (int, error) {
	if f.err != nil || len(p) == 0 {
		return 0, f.err
	}
	if f.ctx.Err() != nil {
		// Unpacking can go on for long without the network.
		f.err = f.transfer.client.failure(context.Cause(f.ctx))
		return 0, f.err
	}
	n, err := f.plain.Read(p)
	switch {
	case errors.Is(err, io.EOF) && f.packed:
		err = f.finish()
	case err != nil && !errors.Is(err, io.EOF):
		err = f.damaged(err)
	}
	f.err = err
	return n, err
}

// finish reads what follows the packed content, so that the file is verified to its end.
func (f *fileStream) finish() error {
	if _, err := io.Copy(io.Discard, f.transfer); err != nil {
		return err
	}
	return io.EOF
}

// damaged turns an error of unpacking into one that tells whether the file is malformed, or
// arrived so: damage on the way breaks the unpacking before the checksum is known.
func (f *fileStream) damaged(err error) error {
	if known, ok := errors.AsType[*sources.Error](err); ok {
		return known
	}
	if _, err := io.Copy(io.Discard, f.transfer); err != nil {
		return err
	}
	return sources.Errorf(sources.Invalid, "%s cannot be unpacked: %s", shown(f.transfer.client.target), clean(err))
}

func (f *fileStream) Close() error {
	f.cancel()
	f.transfer.close()
	if f.err == nil {
		f.err = sources.Errorf(sources.Transient, "%s is closed", shown(f.transfer.client.target))
	}
	return nil
}

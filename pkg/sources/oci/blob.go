// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"goldenimage.dev/pkg/sources"
)

const (
	// maxResumes is how often in a row a blob that breaks off is taken up again.
	maxResumes = 4
	// resumeProgress is how much must have arrived for the count of maxResumes to start anew.
	// Less, and a peer that sends a byte at a time would never be given up.
	resumeProgress = 8 << 20
)

var (
	errNoRange = errors.New("the registry does not resume")
	errNoMore  = errors.New("the registry's blob ends early")
	errShort   = errors.New("the registry sent less than the manifest says")
)

// A blob reads the bytes of a layer as the registry holds them. It resumes after a broken
// connection and reports io.EOF only when size and digest are the manifest's. All its errors
// are sources.Errors, and stay.
type blob struct {
	ctx    context.Context
	client *client
	want   v1.Descriptor
	delay  time.Duration

	body   io.ReadCloser
	hash   hash.Hash
	offset int64
	// resumes since resumed, which is an offset.
	resumes int
	resumed int64
	err     error
}

func newBlob(ctx context.Context, c *client, want v1.Descriptor, delay time.Duration) *blob {
	return &blob{ctx: ctx, client: c, want: want, delay: delay, hash: sha256.New()}
}

func (b *blob) Read(p []byte) (int, error) {
	if b.err != nil || len(p) == 0 {
		return 0, b.err
	}
	n, err := b.read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = b.client.failure(err)
	}
	b.err = err
	return n, err
}

func (b *blob) read(p []byte) (int, error) {
	for {
		n, err := b.readOnce(p)
		b.hash.Write(p[:n])
		b.offset += int64(n)
		switch {
		case b.offset > b.want.Size:
			return n, b.mismatch("more than the manifest's")
		case b.offset == b.want.Size && err != nil:
			// How the connection ended does not matter any more.
			return n, b.verify()
		case n > 0:
			// An error is met again by the next call.
			return n, nil
		case err == nil:
			continue
		}
		if err := b.resume(err); err != nil {
			return n, err
		}
	}
}

// readOnce reads from the open body, which it opens if there is none.
func (b *blob) readOnce(p []byte) (int, error) {
	if b.body == nil {
		body, err := b.client.blob(b.ctx, b.want.Digest.String(), b.offset)
		if err != nil {
			return 0, err
		}
		b.body = body
	}
	// One byte more than there may be, to notice when the body is longer.
	if rest := b.want.Size - b.offset + 1; int64(len(p)) > rest {
		p = p[:rest]
	}
	return b.body.Read(p)
}

// resumable tells errors of a connection from what the registry meant to say.
func (b *blob) resumable(err error) bool {
	kind := sources.KindOf(b.client.failure(err))
	return kind == sources.Transient || kind == sources.Unreachable || kind == sources.RateLimited
}

// resume waits before the next attempt, or returns why there is none.
func (b *blob) resume(cause error) error {
	if errors.Is(cause, io.EOF) {
		cause = errShort
	}
	if b.ctx.Err() != nil {
		return context.Cause(b.ctx)
	}
	if b.offset-b.resumed >= resumeProgress {
		b.resumes = 0
	}
	b.resumed = b.offset
	if errors.Is(cause, errNoRange) || errors.Is(cause, errNoMore) || b.resumes >= maxResumes {
		return b.giveUp(cause)
	}
	if !b.resumable(cause) {
		return cause
	}
	b.closeBody()
	timer := time.NewTimer(b.delay << b.resumes)
	defer timer.Stop()
	b.resumes++
	select {
	case <-timer.C:
		return nil
	case <-b.ctx.Done():
		return context.Cause(b.ctx)
	}
}

func (b *blob) giveUp(cause error) error {
	if errors.Is(cause, errShort) || errors.Is(cause, errNoMore) {
		return b.mismatch("less than the manifest's")
	}
	if errors.Is(cause, errNoRange) {
		return sources.Errorf(sources.Transient, "blob %s of %s broke off after %d of %d bytes, and its registry does not resume",
			b.want.Digest, b.client.ref, b.offset, b.want.Size)
	}
	return cause
}

func (b *blob) mismatch(what string) error {
	return sources.Errorf(sources.Mismatch, "registry %s sends %s %d bytes of blob %s", b.client.ref.Registry(), what, b.want.Size, b.want.Digest)
}

// verify returns io.EOF if all that was read is what the digest names.
func (b *blob) verify() error {
	want, err := hex.DecodeString(b.want.Digest.Hex)
	if err != nil || !bytes.Equal(b.hash.Sum(nil), want) {
		return sources.Errorf(sources.Mismatch, "blob %s of %s arrived with digest sha256:%x: the registry or the way to it has damaged it",
			b.want.Digest, b.client.ref, b.hash.Sum(nil))
	}
	return io.EOF
}

func (b *blob) closeBody() {
	if b.body != nil {
		_ = b.body.Close() // nothing was written
		b.body = nil
	}
}

// Close ends the transfer.
func (b *blob) Close() error {
	b.closeBody()
	if b.err == nil {
		b.err = sources.Errorf(sources.Transient, "blob %s is closed", b.want.Digest)
	}
	return nil
}

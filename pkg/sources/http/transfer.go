// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"context"
	"errors"
	"hash"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"goldenimage.dev/pkg/sources"
)

const (
	// maxResumes is how often in a row a transfer that breaks off is taken up again.
	maxResumes = 4
	// resumeProgress is how much must have arrived for the count of maxResumes to start anew.
	// Less, and a peer that sends a byte at a time would never be given up.
	resumeProgress = 8 << 20
)

var (
	errNoRange = errors.New("the server does not resume")
	errShort   = errors.New("the server sent less than it said")
)

// A transfer reads the bytes of a file as the server holds them. It resumes after a broken
// connection and reports io.EOF only when length and checksum are right. All its errors are
// sources.Errors, and stay.
type transfer struct {
	ctx    context.Context
	client *client
	// digest that the file was found by, and its checksum; zero if not known.
	digest string
	sum    *checksum
	delay  time.Duration

	// first is what the server said when the transfer began, nil before.
	first *answer
	// from is where the bytes come from: a mirror that began goes on.
	from   *url.URL
	body   io.ReadCloser
	hash   hash.Hash
	offset int64
	// resumes since resumed, which is an offset.
	resumes int
	resumed int64
	err     error
}

func newTransfer(ctx context.Context, c *client, digest string, sum *checksum, delay time.Duration) *transfer {
	t := &transfer{ctx: ctx, client: c, digest: digest, sum: sum, delay: delay, from: c.target}
	if sum != nil {
		t.hash = sum.new()
	}
	return t
}

// start waits for the server's first answer.
func (t *transfer) start() error {
	for {
		err := t.connect()
		if err == nil {
			return nil
		}
		if err := t.resume(err); err != nil {
			t.err = t.client.failure(err)
			return t.err
		}
	}
}

func (t *transfer) Read(p []byte) (int, error) {
	if t.err != nil || len(p) == 0 {
		return 0, t.err
	}
	n, err := t.read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = t.client.failure(err)
	}
	t.err = err
	return n, err
}

func (t *transfer) read(p []byte) (int, error) {
	for {
		n, err := t.readOnce(p)
		if t.hash != nil {
			t.hash.Write(p[:n])
		}
		t.offset += int64(n)
		length := int64(0)
		if t.first != nil {
			length = t.first.length
		}
		switch {
		case length > 0 && t.offset > length:
			return n, t.mismatch("more than")
		case length > 0 && t.offset == length && err != nil, length == 0 && errors.Is(err, io.EOF):
			// How the connection ended does not matter any more.
			return n, t.verify()
		case n > 0:
			// An error is met again by the next call.
			return n, nil
		case err == nil:
			continue
		}
		if err := t.resume(err); err != nil {
			return n, err
		}
	}
}

// readOnce reads from the open body, which it opens if there is none.
func (t *transfer) readOnce(p []byte) (int, error) {
	if t.body == nil {
		if err := t.connect(); err != nil {
			return 0, err
		}
	}
	return t.body.Read(p)
}

// connect asks for what has not arrived yet.
func (t *transfer) connect() error {
	header := map[string]string{}
	if t.offset > 0 {
		header["Range"] = "bytes=" + strconv.FormatInt(t.offset, 10) + "-"
		switch {
		case t.first.strong():
			header["If-Range"] = t.first.etag
		case !t.first.modified.IsZero():
			header["If-Range"] = t.first.modified.UTC().Format(http.TimeFormat)
		case t.sum == nil:
			// What arrives might be of another content, and nobody would know.
			return errNoRange
		}
	}
	response, err := t.client.do(t.ctx, http.MethodGet, t.from, header, http.StatusRequestedRangeNotSatisfiable)
	if err != nil {
		// The URL of a mirror may be good for a while only.
		t.from = t.client.target
		return err
	}
	if err := t.accept(response); err != nil {
		_ = response.Body.Close() // nothing was written
		return err
	}
	t.body = response.Body
	return nil
}

// accept tells whether a response goes on with what was begun.
func (t *transfer) accept(response *http.Response) error {
	now := answerOf(t.client.target, response)
	if t.first == nil {
		return t.begin(response, now)
	}
	start, _ := contentRange(response)
	partial := response.StatusCode == http.StatusPartialContent
	switch {
	case response.StatusCode == http.StatusRequestedRangeNotSatisfiable, now.etag != t.first.etag && now.etag != "",
		!now.modified.Equal(t.first.modified) && !now.modified.IsZero(), now.length != t.first.length && now.length != 0:
		return sources.Errorf(sources.Mismatch, "%s was changed while it was read", shown(t.client.target))
	case t.offset == 0 && response.StatusCode == http.StatusOK, partial && start == t.offset:
		return nil
	}
	return errNoRange
}

// begin looks at the first answer.
func (t *transfer) begin(response *http.Response, now answer) error {
	if response.StatusCode != http.StatusOK {
		return sources.Errorf(sources.Transient, "server answers for %s with status %d", shown(t.client.target), response.StatusCode)
	}
	if err := checkPage(t.client.target, response); err != nil {
		return err
	}
	if t.sum == nil && t.digest != "" && !now.fits(t.digest) {
		return sources.Errorf(sources.Mismatch, "%s is another file than the one that was found: the next poll finds what it is now", shown(t.client.target))
	}
	if t.sum == nil && response.ContentLength < 0 && len(response.TransferEncoding) == 0 && response.ProtoMajor < 2 {
		return sources.Errorf(sources.Invalid, "the server of %s does not say how long the file is, so that nobody can tell whether all of it arrives: give http.checksum", shown(t.client.target))
	}
	t.first, t.from = &now, now.final
	return nil
}

// resumable tells errors of a connection from what the server meant to say.
func (t *transfer) resumable(err error) bool {
	kind := sources.KindOf(t.client.failure(err))
	return kind == sources.Transient || kind == sources.Unreachable
}

// resume waits before the next attempt, or returns why there is none.
func (t *transfer) resume(cause error) error {
	if errors.Is(cause, io.EOF) || errors.Is(cause, io.ErrUnexpectedEOF) {
		cause = errShort
	}
	if t.ctx.Err() != nil {
		return context.Cause(t.ctx)
	}
	if t.offset-t.resumed >= resumeProgress {
		t.resumes = 0
	}
	t.resumed = t.offset
	if errors.Is(cause, errNoRange) || t.resumes >= maxResumes {
		return t.giveUp(cause)
	}
	if !t.resumable(cause) {
		return cause
	}
	t.close()
	timer := time.NewTimer(t.delay << t.resumes)
	defer timer.Stop()
	t.resumes++
	select {
	case <-timer.C:
		return nil
	case <-t.ctx.Done():
		return context.Cause(t.ctx)
	}
}

func (t *transfer) giveUp(cause error) error {
	if errors.Is(cause, errShort) {
		return t.mismatch("less than")
	}
	if errors.Is(cause, errNoRange) {
		return sources.Errorf(sources.Transient, "%s broke off after %d bytes, and its server does not resume", shown(t.client.target), t.offset)
	}
	return cause
}

func (t *transfer) mismatch(what string) error {
	if t.first == nil || t.first.length == 0 {
		return sources.Errorf(sources.Mismatch, "server %s breaks off in the middle of %s", t.client.target.Host, shown(t.client.target))
	}
	return sources.Errorf(sources.Mismatch, "server %s sends %s the %d bytes that %s has", t.client.target.Host, what, t.first.length, shown(t.client.target))
}

// verify returns io.EOF if all that was read is what the checksum names.
func (t *transfer) verify() error {
	if t.sum != nil && !bytes.Equal(t.hash.Sum(nil), t.sum.want) {
		return sources.Errorf(sources.Mismatch, "%s arrived with the checksum %x instead of %s: it was changed or damaged, or the checksum is of another file",
			shown(t.client.target), t.hash.Sum(nil), t.sum.text)
	}
	return io.EOF
}

// close ends the connection.
func (t *transfer) close() {
	if t.body != nil {
		_ = t.body.Close() // nothing was written
		t.body = nil
	}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package polite

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"k8s.io/klog/v2"

	"goldenimage.dev/pkg/sources"
)

var (
	// errClosed is why requests end when the Asker does.
	errClosed = errors.New("the server is going down")
	// errPanic is in the chain of the error of a Resolver that panicked.
	errPanic = errors.New("internal error")
)

// run makes a request and tells all who wait for it.
func (a *Asker) run(h *host, r *request) {
	answer := a.call(a.ctx, &r.question)
	answer.Started = r.started
	tell(a.finish(h, r, answer))
}

func tell(wakes []func()) {
	for _, wake := range wakes {
		wake()
	}
}

// call calls a Resolver.
func (a *Asker) call(ctx context.Context, q *Question) (answer Answer) {
	timeout, ok := a.timeouts[q.Kind]
	if !ok {
		timeout = a.timeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answer.Started = a.clock.Now()
	defer func() {
		if recover() != nil {
			// What it panicked with may hold anything. The stack holds no values.
			klog.FromContext(ctx).Error(errPanic, "A source could not be asked", "kind", q.Kind, "host", q.Host, "stack", string(debug.Stack()))
			answer.Revision, answer.Err = sources.Revision{}, sources.Errorf(sources.Transient, "The source could not be asked: %w", errPanic)
		}
		answer.Ended = a.clock.Now()
	}()
	resolver := a.resolvers[q.Kind]
	if resolver == nil {
		answer.Err = sources.Errorf(sources.Invalid, "This server cannot ask sources of the kind %s", q.Kind)
		return answer
	}
	answer.Revision, answer.Err = resolver.Resolve(ctx, q.Query)
	if answer.Err != nil {
		answer.Revision = sources.Revision{}
	}
	return answer
}

// finish takes note of an answer, and returns who is to be told.
func (a *Asker) finish(h *host, r *request, answer Answer) []func() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil
	}
	now := a.clock.Now()
	h.used = now
	h.running--
	delete(h.requests, r.id)
	a.answers.put(r.id, answer)
	wakes := append(a.dismiss(r), a.judge(h, r, &answer, now)...)
	// Nobody is asked with it any more; a circuit keeps a copy of its own.
	r.question.Query = sources.Query{}
	if next := r.next; next != nil {
		if a.refusal(h, &next.question, next.id, next.way, now) != nil {
			wakes = append(wakes, a.dismiss(next)...)
		} else {
			a.enqueue(h, next)
		}
	}
	a.pump(h, now)
	return wakes
}

// judge learns from an answer how the host is, and returns who is to be told.
func (a *Asker) judge(h *host, r *request, answer *Answer, now time.Time) []func() {
	if a.independent[r.question.Kind] || errors.Is(answer.Err, errPanic) {
		return nil
	}
	var wakes []func()
	if answer.Err != nil && sources.KindOf(answer.Err) == sources.RateLimited {
		wakes = a.hold(h, answer.Err, now)
	} else if answer.Started.After(h.since) {
		h.holds = 0
	}
	if hostLevel(answer.Err) {
		return append(wakes, a.failed(h, r, answer.Err, now)...)
	}
	return append(wakes, a.succeeded(h, r.way, now)...)
}

// hostLevel tells whether an error is likely to be that of anything else on the same host.
func hostLevel(err error) bool {
	if err == nil {
		return false
	}
	switch sources.KindOf(err) {
	case sources.Transient, sources.Unreachable, sources.Certificate:
		return true
	case sources.RateLimited, sources.Unauthorized, sources.NotFound, sources.Mismatch, sources.NoDisk, sources.Invalid:
	}
	return false
}

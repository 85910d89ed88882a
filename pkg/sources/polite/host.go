// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package polite

import (
	"maps"
	"slices"
	"time"

	"goldenimage.dev/pkg/sources"
)

const (
	// mostHosts bounds how many are known. Users name them.
	mostHosts = 10_000
	// sweepAtLeast is how many hosts are forgotten at once when there are too many, so that not
	// every new one has to look at all others.
	sweepAtLeast = mostHosts / 10
)

// host is what is known of a host. It is used with the Asker's lock held.
type host struct {
	name string
	// bucket is nil if the host has no limits.
	bucket     *bucket
	concurrent int
	// queue holds the requests to make, in the order in which they were asked for.
	queue []*request
	// requests are those in the queue and those that are under way.
	requests map[key]*request
	running  int
	// timed tells that a goroutine waits for the bucket.
	timed bool
	// held is until when the host asks to be left alone, and holds how often in a row it did
	// without saying how long. since is when it did last.
	held, since time.Time
	holds       int
	circuits    map[key]*circuit
	recovered   time.Time
	used        time.Time
}

// request is one question to a host, and all who wait for its answer.
type request struct {
	question Question
	id, way  key
	// started is zero as long as the request is in the queue.
	started time.Time
	waiters map[string]func()
	// next is for those to whom this request began too early; nil if there are none.
	next *request
}

func (h *host) busy() bool { return h.running > 0 || len(h.requests) > 0 }

// idle tells whether nothing is lost if the host is forgotten.
func (h *host) idle(now time.Time) bool {
	return !h.busy() && len(h.circuits) == 0 && h.recovered.Before(now.Add(-forgetAfter)) && !h.held.After(now) && h.holds == 0 && (h.bucket == nil || !h.bucket.until.After(now))
}

// hostOf returns a host, nil if there are too many that are in use.
func (a *Asker) hostOf(name string, now time.Time) *host {
	if h := a.hosts[name]; h != nil {
		return h
	}
	if len(a.hosts) >= mostHosts {
		a.sweep(now)
	}
	if len(a.hosts) >= mostHosts {
		return nil
	}
	unlimited := a.limits.unlimited(name)
	h := &host{name: name, concurrent: a.limits.concurrent(unlimited), requests: map[key]*request{}, circuits: map[key]*circuit{}}
	if !unlimited {
		h.bucket = newBucket(&a.limits)
	}
	a.hosts[name] = h
	return h
}

// sweep forgets hosts that are not in use: those of which nothing is known, and if they are few,
// those that were asked longest ago.
func (a *Asker) sweep(now time.Time) {
	before := len(a.hosts)
	for name, h := range a.hosts {
		if h.idle(now) {
			delete(a.hosts, name)
		}
	}
	if before-len(a.hosts) >= sweepAtLeast {
		return
	}
	for _, h := range slices.SortedFunc(maps.Values(a.hosts), func(x, y *host) int { return x.used.Compare(y.used) }) {
		if before-len(a.hosts) >= sweepAtLeast {
			return
		}
		if h.busy() {
			continue
		}
		for way, c := range h.circuits {
			a.forget(h, way, c)
		}
		delete(a.hosts, h.name)
	}
}

// requestOf returns the request that a question waits for.
func (a *Asker) requestOf(h *host, q *Question, id, way key) *request {
	r := h.requests[id]
	switch {
	case r == nil:
		r = newRequest(q, id, way)
		a.enqueue(h, r)
	case r.started.IsZero() || !r.started.Before(q.AsOf):
	case r.next == nil:
		r.next = newRequest(q, id, way)
		r = r.next
	default:
		r = r.next
	}
	a.metrics.question(h.name, resultOf(len(r.waiters) == 0))
	return r
}

func newRequest(q *Question, id, way key) *request {
	return &request{question: *q, id: id, way: way, waiters: map[string]func(){}}
}

func (a *Asker) enqueue(h *host, r *request) {
	h.requests[r.id] = r
	h.queue = append(h.queue, r)
	a.metrics.queued(h.name, 1)
}

// pump begins as many requests as the limits of the host allow, and sees to it that the next one
// is begun when they do.
func (a *Asker) pump(h *host, now time.Time) {
	for len(h.queue) > 0 && h.running < h.concurrent {
		if h.bucket != nil {
			if delay := h.bucket.delay(now); delay > 0 {
				a.pumpIn(h, delay)
				return
			}
			h.bucket.take(now)
		}
		r := h.queue[0]
		h.queue[0] = nil
		h.queue = h.queue[1:]
		a.metrics.queued(h.name, -1)
		r.started = now
		h.running++
		a.spawn(func() { a.run(h, r) })
	}
	if len(h.queue) == 0 {
		h.queue = nil
	}
}

// pumpIn pumps a while later.
func (a *Asker) pumpIn(h *host, delay time.Duration) {
	if h.timed {
		return
	}
	h.timed = true
	a.spawn(func() {
		if !a.sleep(delay, nil) {
			return
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		h.timed = false
		a.pump(h, a.clock.Now())
	})
}

// spawn runs something that Close waits for.
func (a *Asker) spawn(work func()) {
	if !a.closed {
		a.work.Go(work)
	}
}

// sleep waits for a while. It returns false if stop or the Asker was closed before.
func (a *Asker) sleep(d time.Duration, stop <-chan struct{}) bool {
	timer := a.clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
		return true
	case <-stop:
	case <-a.ctx.Done():
	}
	return false
}

// drain takes requests off the queue whose answer is known without asking, and returns who is to
// be told.
func (a *Asker) drain(h *host, refused func(*request) bool) []func() {
	var wakes []func()
	kept := h.queue[:0]
	for _, r := range h.queue {
		if !refused(r) {
			kept = append(kept, r)
			continue
		}
		delete(h.requests, r.id)
		a.metrics.queued(h.name, -1)
		wakes = append(wakes, a.dismiss(r)...)
	}
	clear(h.queue[len(kept):])
	h.queue = kept
	return wakes
}

// dismiss returns who waits for a request, and forgets them.
func (a *Asker) dismiss(r *request) []func() {
	wakes := make([]func(), 0, len(r.waiters))
	for _, wake := range r.waiters {
		wakes = append(wakes, wake)
	}
	a.waiting -= len(r.waiters)
	r.waiters = nil
	return wakes
}

func busy(name string, now time.Time) error {
	err := sources.Errorf(sources.Transient, "So many sources wait to be asked that %s is not now", name)
	err.NotBefore = now.Add(busyPause)
	return err
}

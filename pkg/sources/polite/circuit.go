// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package polite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"goldenimage.dev/pkg/sources"
)

const (
	// opensAfter is how many failures in a row make a host one that is given up.
	opensAfter = 5
	// firstProbe bounds the pause before such a host is tried; the bound doubles up to lastProbe.
	firstProbe, lastProbe = 30 * time.Second, 5 * time.Minute
	// forgetAfter is after how long a host is not tried any more that nobody asks for. It is
	// more than the hour that pauses of those who ask may take.
	forgetAfter = 90 * time.Minute
	// mostWays bounds by how many ways a host is known to fail. Users bring certificates.
	mostWays = 64
)

// circuit is how a host fares by one way. It is open when the host is given up.
type circuit struct {
	failures int
	// last is what failed last, and err how.
	last Question
	id   key
	err  error

	open   bool
	probes int
	// next is when the host is tried.
	next time.Time
	// asked is when somebody wanted to know something of the host.
	asked time.Time
	// stop is closed when the circuit is.
	stop chan struct{}
	// refused are those who are to be told when the host answers after it was given up: who was
	// refused by then, and whose failures led to it.
	refused map[string]func()
}

// refusal is the error of a question while the circuit is open.
func (c *circuit) refusal(name string, id key, now time.Time) error {
	next := c.next
	if soon := now.Add(leastPause); next.Before(soon) {
		next = soon
	}
	kind := sources.KindOf(c.err)
	if kind == sources.Transient && errors.Is(c.err, context.DeadlineExceeded) {
		kind = sources.Unreachable
	}
	what := kind.String()
	if kind == sources.Transient {
		what = "it answers with errors"
	}
	err := sources.Errorf(kind, "%s failed %d times in a row (%s), and is not asked until %s", name, c.failures, what, stamp(next))
	if e, ok := errors.AsType[*sources.Error](c.err); ok && c.id == id {
		// What failed may be named to who asked for it alone.
		err.Message = fmt.Sprintf("%s: %s", err.Message, e.Message)
	}
	err.NotBefore = next
	return err
}

// failed counts a failure of the host, and returns who is to be told that it is given up.
func (a *Asker) failed(h *host, r *request, cause error, now time.Time) []func() {
	c := h.circuits[r.way]
	if c == nil {
		if c = a.newCircuit(h); c == nil {
			return nil
		}
		h.circuits[r.way] = c
	}
	c.failures++
	if c.failures < opensAfter {
		return nil
	}
	c.last, c.id, c.err = r.question, r.id, cause
	if c.open {
		return nil
	}
	c.open, c.asked, c.probes = true, now, 0
	c.stop = make(chan struct{})
	c.next = now.Add(a.pause(firstProbe, lastProbe, 0))
	a.metrics.opened(h.name, 1)
	a.spawn(func() { a.probe(h, r.way, c) })
	return a.drain(h, func(queued *request) bool { return queued.way == r.way })
}

// newCircuit returns a circuit, nil if there are too many that are open.
func (a *Asker) newCircuit(h *host) *circuit {
	if len(h.circuits) < mostWays {
		return &circuit{refused: map[string]func(){}}
	}
	for way, c := range h.circuits {
		if !c.open {
			a.forget(h, way, c)
			return &circuit{refused: map[string]func(){}}
		}
	}
	return nil
}

// succeeded takes note that the host answers, and returns who is to be told if it did not before.
func (a *Asker) succeeded(h *host, way key, now time.Time) []func() {
	c := h.circuits[way]
	if c == nil {
		return nil
	}
	if c.open {
		h.recovered = now
	}
	return a.forget(h, way, c)
}

// forget closes a circuit, and returns who was refused by it.
func (a *Asker) forget(h *host, way key, c *circuit) []func() {
	delete(h.circuits, way)
	told := c.refused
	a.refused -= len(told)
	c.refused = nil
	if !c.open {
		// Who failed may have done so for what it asked for: its own pause is the right one.
		return nil
	}
	c.open = false
	close(c.stop)
	a.metrics.opened(h.name, -1)
	wakes := make([]func(), 0, len(told))
	for _, wake := range told {
		wakes = append(wakes, wake)
	}
	return wakes
}

// remember has a waiter told when the host answers again, if it is given up or will be.
func (a *Asker) remember(q *Question, id, way key, w waiter) {
	h := a.hosts[q.Host]
	if h == nil || !w.stays || w.wake == nil {
		return
	}
	c := h.circuits[way]
	if c == nil {
		return
	}
	name := w.name
	if name == "" {
		name = "\x00" + string(id[:])
	}
	if _, known := c.refused[name]; !known {
		if a.refused >= mostWaiting {
			return
		}
		a.refused++
	}
	c.refused[name] = w.wake
}

// probe tries a host that was given up until it answers, or nobody wants to know any more.
func (a *Asker) probe(h *host, way key, c *circuit) {
	for {
		a.mu.Lock()
		delay := c.next.Sub(a.clock.Now())
		a.mu.Unlock()
		if !a.sleep(delay, c.stop) {
			return
		}
		r, again := a.beginProbe(h, way, c)
		if !again {
			return
		}
		if r == nil {
			continue
		}
		answer := a.call(a.ctx, &r.question)
		answer.Started = r.started
		tell(a.endProbe(h, r, c, answer))
	}
}

// beginProbe returns the question to try a host with, nil if it is not the time, and whether to
// go on.
func (a *Asker) beginProbe(h *host, way key, c *circuit) (*request, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.clock.Now()
	switch {
	case a.closed || !c.open:
		return nil, false
	case now.Sub(c.asked) > forgetAfter:
		// Who was refused comes by itself, later than that.
		a.forget(h, way, c)
		return nil, false
	case h.held.After(now):
		c.next = h.held
		return nil, true
	case h.requests[c.id] != nil:
		// What was asked before is not answered yet, and tells as much.
		c.next = now.Add(leastPause)
		return nil, true
	}
	if h.bucket != nil {
		h.bucket.take(now)
	}
	h.running++
	return &request{question: c.last, id: c.id, way: way, started: now}, true
}

// endProbe takes note of how a host fares, and returns who is to be told.
func (a *Asker) endProbe(h *host, r *request, c *circuit, answer Answer) []func() {
	a.mu.Lock()
	defer a.mu.Unlock()
	h.running--
	if a.closed {
		return nil
	}
	now := a.clock.Now()
	a.answers.put(r.id, answer)
	c.probes++
	c.next = now.Add(a.pause(firstProbe, lastProbe, c.probes))
	wakes := a.judge(h, r, &answer, now)
	a.pump(h, now)
	return wakes
}

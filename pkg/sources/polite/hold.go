// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package polite

import (
	"errors"
	"time"

	"goldenimage.dev/pkg/sources"
)

const (
	// leastPause is the shortest one that is chosen here.
	leastPause = 5 * time.Second
	// firstHold bounds how long a host is left alone that did not say for how long; the bound
	// doubles up to lastHold as long as it goes on.
	firstHold, lastHold = 30 * time.Second, time.Hour
	// longestHold bounds how long a host may ask to be left alone.
	longestHold = 24 * time.Hour
)

// pause returns anything up to a bound that doubles with each time, but never next to nothing.
func (a *Asker) pause(first, last time.Duration, times int) time.Duration {
	bound := last
	// More than that makes no difference, and would overflow.
	if times < 16 {
		bound = min(last, first<<times)
	}
	return leastPause + time.Duration(a.rand()*float64(bound-leastPause))
}

// hold leaves a host alone that asked for it, and returns who is to be told.
func (a *Asker) hold(h *host, err error, now time.Time) []func() {
	var wish time.Time
	if e, ok := errors.AsType[*sources.Error](err); ok {
		wish = e.NotBefore
	}
	held := h.held.After(now)
	switch {
	case wish.After(now):
		if limit := now.Add(longestHold); wish.After(limit) {
			wish = limit
		}
	case held:
		// It says the same to all who were asking when it began.
		return nil
	default:
		wish = now.Add(a.pause(firstHold, lastHold, h.holds))
		h.holds++
	}
	if wish.After(h.held) {
		h.held = wish
	}
	h.since = now
	return a.drain(h, func(r *request) bool { return !a.independent[r.question.Kind] })
}

// refusal is the error of a question that is not to be asked now, nil if it is.
func (a *Asker) refusal(h *host, q *Question, id, way key, now time.Time) error {
	if a.independent[q.Kind] {
		return nil
	}
	if h.held.After(now) {
		err := sources.Errorf(sources.RateLimited, "%s limits how often it is asked, and is not asked until %s", h.name, stamp(h.held))
		err.NotBefore = h.held
		return err
	}
	if c := h.circuits[way]; c != nil && c.open {
		c.asked = now
		return c.refusal(h.name, id, now)
	}
	return nil
}

// stamp is a time as users read it. It is not before the time proper.
func stamp(t time.Time) string {
	if whole := t.Truncate(time.Second); !whole.Equal(t) {
		t = whole.Add(time.Second)
	}
	return t.UTC().Format(time.RFC3339)
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package polite

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"goldenimage.dev/pkg/sources"
)

const (
	defaultTimeout = 30 * time.Second
	// mostWaiting bounds how many wait for answers, and how many are remembered who are to be
	// told when their host answers again.
	mostWaiting = 100_000
	// busyPause is how long to wait before asking again when there are too many.
	busyPause = time.Minute
	// ahead is how far in the past a question as of the future counts. Without it, who asks
	// again when woken would do so until then.
	ahead = time.Second
)

// Config is what an Asker works with. Resolvers and Clock are needed.
type Config struct {
	// Resolvers by the Kind of Questions.
	Resolvers map[string]sources.Resolver
	// Limits of each host.
	Limits Limits
	// Timeout of one question; 0 means 30 seconds.
	Timeout time.Duration
	// Timeouts of kinds that take longer, or less long. Nil means none.
	Timeouts map[string]time.Duration
	// Independent are kinds for which a failure says nothing of others of the same host: they are
	// neither held back nor given up together. Nil means none.
	Independent []string
	// Clock tells the time. Timeouts of requests go by the process's own.
	Clock clock.WithTicker
	// Rand returns a number of at least 0 and below 1, which spreads pauses. It is called by one
	// goroutine at a time. Nil means a random one.
	Rand func() float64
	// Metrics count; nil means nobody looks.
	Metrics *Metrics
}

// An Asker asks sources for all who want to know. Make one with New. It is safe for concurrent
// use.
type Asker struct {
	resolvers   map[string]sources.Resolver
	limits      Limits
	timeout     time.Duration
	timeouts    map[string]time.Duration
	independent map[string]bool
	clock       clock.WithTicker
	rand        func() float64
	metrics     *Metrics
	answers     *answers

	// ctx is that of all requests, as they are made for many and end with the Asker.
	ctx    context.Context //nolint:containedctx // see above
	cancel context.CancelCauseFunc
	work   sync.WaitGroup

	mu     sync.Mutex
	closed bool
	hosts  map[string]*host
	// waiting and refused are numbers of all hosts together, and strangers of waiters without a
	// name.
	waiting, refused, strangers int
}

// New returns an Asker, which has no goroutine until it is asked.
func New(cfg Config) *Asker {
	a := &Asker{
		resolvers: maps.Clone(cfg.Resolvers), limits: cfg.Limits.complete(), timeout: cmp.Or(cfg.Timeout, defaultTimeout),
		timeouts: maps.Clone(cfg.Timeouts), independent: map[string]bool{}, clock: cfg.Clock, rand: cfg.Rand, metrics: cfg.Metrics,
		answers: newAnswers(), hosts: map[string]*host{},
	}
	for _, kind := range cfg.Independent {
		a.independent[kind] = true
	}
	if a.rand == nil {
		a.rand = rand.Float64
	}
	if a.metrics == nil {
		a.metrics = NewMetrics()
	}
	a.ctx, a.cancel = context.WithCancelCause(context.Background())
	return a
}

// Ask returns an answer if there is one that is fresh, or if the host is not to be asked now.
// Otherwise it returns false, and wake is called once, by another goroutine, when it is worth
// asking again. If the answer is that the host cannot be asked, wake is called when it can be
// again, as far as the Asker finds out. Ask never waits for a network, and wake must not wait.
func (a *Asker) Ask(question Question, wake func()) (Answer, bool) {
	question.AsOf = a.asOf(&question)
	if question.Host == "" {
		return a.call(a.ctx, &question), true
	}
	answer, ok, _ := a.ask(&question, waiter{name: question.Waiter, wake: wake, stays: true})
	return answer, ok
}

// Resolve is Ask for who waits. Its error is ctx's if that is done first.
func (a *Asker) Resolve(ctx context.Context, question Question) (sources.Revision, error) {
	question.AsOf = a.asOf(&question)
	if question.Host == "" {
		answer := a.call(ctx, &question)
		return answer.Revision, answer.Err
	}
	for {
		woken := make(chan struct{})
		answer, ok, leave := a.ask(&question, waiter{wake: func() { close(woken) }})
		if ok {
			return answer.Revision, answer.Err
		}
		select {
		case <-woken:
		case <-ctx.Done():
			leave()
			return sources.Revision{}, fmt.Errorf("wait for an answer of %s: %w", question.Host, context.Cause(ctx))
		case <-a.ctx.Done():
			return sources.Revision{}, errClosed
		}
	}
}

// Recovered returns when a host answered again after it had been given up, zero if it never was
// or is not known any more.
func (a *Asker) Recovered(name string) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	if h := a.hosts[name]; h != nil {
		return h.recovered
	}
	return time.Time{}
}

// Close ends all requests and returns when no goroutine is left. Nobody is woken any more, and
// questions are answered with an error.
func (a *Asker) Close() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.cancel(errClosed)
	a.work.Wait()
}

// asOf is the time of which an answer is wanted.
func (a *Asker) asOf(question *Question) time.Time {
	now := a.clock.Now()
	switch {
	case question.AsOf.IsZero():
		return now
	case question.AsOf.After(now):
		return now.Add(-ahead)
	}
	return question.AsOf
}

// waiter is somebody who waits for an answer.
type waiter struct {
	name string
	wake func()
	// stays tells that wake is to be called as well when a host that was given up answers again.
	stays bool
}

// ask is Ask of a host. What it returns last has the waiter not woken.
func (a *Asker) ask(q *Question, w waiter) (Answer, bool, func()) {
	id, way, now := q.key(), q.way(), a.clock.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return at(now, errClosed), true, nil
	}
	if answer, ok := a.answers.get(id, q.AsOf, now); ok {
		a.metrics.question(q.Host, resultShared)
		if hostLevel(answer.Err) {
			a.remember(q, id, way, w)
		}
		return answer, true, nil
	}
	h := a.hostOf(q.Host, now)
	if h == nil || a.waiting >= mostWaiting {
		return at(now, busy(q.Host, now)), true, nil
	}
	h.used = now
	if err := a.refusal(h, q, id, way, now); err != nil {
		a.metrics.question(q.Host, resultRefused)
		a.remember(q, id, way, w)
		return at(now, err), true, nil
	}
	if w.name == "" {
		a.strangers++
		w.name = fmt.Sprintf("\x00%d", a.strangers)
	}
	r := a.requestOf(h, q, id, way)
	if _, known := r.waiters[w.name]; !known {
		a.waiting++
	}
	r.waiters[w.name] = w.wake
	a.pump(h, now)
	return Answer{}, false, func() { a.leave(r, w.name) }
}

// leave has a waiter not woken.
func (a *Asker) leave(r *request, name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, waits := r.waiters[name]; waits {
		delete(r.waiters, name)
		a.waiting--
	}
}

// at is the answer that is given at a time without asking.
func at(now time.Time, err error) Answer { return Answer{Err: err, Started: now, Ended: now} }

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package qcow2

import (
	"context"
	"sync"
)

// A job is done by a worker. One of work and unpack is set.
type job struct {
	// holds are the chunks that it reads.
	holds  []*chunk
	work   func() error
	unpack func(*unpacker) error
}

func (j job) done() {
	for _, k := range j.holds {
		k.users.Done()
	}
}

// workers do jobs until one fails.
type workers struct {
	jobs    chan job
	fail    context.CancelCauseFunc
	pending sync.WaitGroup
	running sync.WaitGroup

	mu  sync.Mutex
	err error
}

func newWorkers(fail context.CancelCauseFunc, h *Header, n int) *workers {
	w := &workers{jobs: make(chan job, n), fail: fail}
	for range n {
		w.running.Go(func() {
			u := newUnpacker(h)
			defer u.close()
			for j := range w.jobs {
				w.one(j, u)
			}
		})
	}
	return w
}

// do has a job done, once a worker has time for it.
func (w *workers) do(ctx context.Context, j job) error {
	w.pending.Add(1)
	select {
	case w.jobs <- j:
		return nil
	case <-ctx.Done():
		j.done()
		w.pending.Done()
		return context.Cause(ctx)
	}
}

func (w *workers) one(j job, u *unpacker) {
	defer w.pending.Done()
	defer j.done()
	if w.failed() != nil {
		return
	}
	var err error
	if j.unpack != nil {
		err = j.unpack(u)
	} else {
		err = j.work()
	}
	if err == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
		w.fail(err)
	}
}

func (w *workers) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// wait waits until all jobs are done, and returns why one was not.
func (w *workers) wait() error {
	w.pending.Wait()
	return w.failed()
}

// close ends the workers after what was given to them.
func (w *workers) close() error {
	close(w.jobs)
	w.running.Wait()
	return w.failed()
}

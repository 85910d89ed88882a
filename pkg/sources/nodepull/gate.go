// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package nodepull

import (
	"context"
	"sync"
)

// A gate lets a bounded number through, and of each name one at a time: two Pods of a name
// cannot be, and each poll deletes its own.
type gate struct {
	slots chan struct{}
	mu    sync.Mutex
	// busy holds a channel for each name that is inside, closed when it leaves.
	busy map[string]chan struct{}
}

func newGate(size int) *gate {
	return &gate{slots: make(chan struct{}, size), busy: map[string]chan struct{}{}}
}

// enter waits until it may pass; leave has to be called then. Its error is that of ctx.
func (g *gate) enter(ctx context.Context, name string) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for {
		before, mine := g.claim(name)
		if mine {
			break
		}
		select {
		case <-before:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	select {
	case g.slots <- struct{}{}:
		return func() {
			<-g.slots
			g.release(name)
		}, nil
	case <-ctx.Done():
		g.release(name)
		return nil, ctx.Err()
	}
}

// claim takes a name, or returns what is closed when it is free.
func (g *gate) claim(name string) (before chan struct{}, mine bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if before, ok := g.busy[name]; ok {
		return before, false
	}
	g.busy[name] = make(chan struct{})
	return nil, true
}

func (g *gate) release(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.busy[name])
	delete(g.busy, name)
}

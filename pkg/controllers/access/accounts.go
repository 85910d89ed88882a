// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
)

const (
	// accountAge is how long it is not noticed that a ServiceAccount names other Secrets.
	accountAge = 30 * time.Second
	// accountWait bounds a read.
	accountWait = 15 * time.Second
	// maxAccounts bounds how many ServiceAccounts are remembered.
	maxAccounts = 4096
)

// Accounts remembers for a short while the names of the Secrets that ServiceAccounts pull with:
// thousands of polls in a minute may be by one account, which mostly names none. What is in the
// Secrets it does not hold. Make one with NewAccounts; it is safe for concurrent use.
type Accounts struct {
	clock clock.PassiveClock
	mu    sync.Mutex
	known map[types.NamespacedName]account
	// flights are reads that are under way.
	flights singleflight.Group
}

type account struct {
	secrets []string
	until   time.Time
}

// NewAccounts returns an empty one.
func NewAccounts(clock clock.PassiveClock) *Accounts {
	return &Accounts{clock: clock, known: map[types.NamespacedName]account{}}
}

// names returns the Secrets that a ServiceAccount names, and reads them if they are not known.
// Many who ask for one at a time have it read once. A failure is not remembered.
func (a *Accounts) names(ctx context.Context, key types.NamespacedName, read func(context.Context) ([]string, error)) ([]string, error) {
	if a == nil {
		return read(ctx)
	}
	if names, ok := a.get(key); ok {
		return names, nil
	}
	result := a.flights.DoChan(key.String(), func() (any, error) {
		if names, ok := a.get(key); ok {
			return names, nil
		}
		// It is for others as well, who may wait for longer than the one whose turn it is.
		reading, cancel := context.WithTimeout(context.WithoutCancel(ctx), accountWait)
		defer cancel()
		names, err := read(reading)
		if err == nil {
			a.set(key, names)
		}
		return names, err
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case read := <-result:
		names, _ := read.Val.([]string)
		return names, read.Err
	}
}

func (a *Accounts) get(key types.NamespacedName) (secrets []string, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	found, ok := a.known[key]
	if !ok || !a.clock.Now().Before(found.until) {
		return nil, false
	}
	return found.secrets, true
}

func (a *Accounts) set(key types.NamespacedName, secrets []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.known) >= maxAccounts {
		// It costs a read each, once.
		clear(a.known)
	}
	a.known[key] = account{secrets: secrets, until: a.clock.Now().Add(accountAge)}
}

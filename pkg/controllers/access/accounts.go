// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
)

const (
	// accountAge is how long it is not noticed that a ServiceAccount names other Secrets.
	accountAge = 30 * time.Second
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
}

type account struct {
	secrets []string
	until   time.Time
}

// NewAccounts returns an empty one.
func NewAccounts(clock clock.PassiveClock) *Accounts {
	return &Accounts{clock: clock, known: map[types.NamespacedName]account{}}
}

func (a *Accounts) get(key types.NamespacedName) (secrets []string, ok bool) {
	if a == nil {
		return nil, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	found, ok := a.known[key]
	if !ok || !a.clock.Now().Before(found.until) {
		return nil, false
	}
	return found.secrets, true
}

func (a *Accounts) set(key types.NamespacedName, secrets []string) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.known) >= maxAccounts {
		// It costs a read each, once.
		clear(a.known)
	}
	a.known[key] = account{secrets: secrets, until: a.clock.Now().Add(accountAge)}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// An entry is what is known of a cron besides what is stored. All of it may be lost: then a poll
// is made once more than needed.
type entry struct {
	uid types.UID
	// asking is the poll that waits for an answer, nil if there is none.
	asking *asking
	// told is the latest poll, as long as the cache does not show it; nil if it does.
	told *result
	// version of the object that told was written with, "" as long as it is not written.
	version string
	// flush is when told is written at the latest; zero if it was.
	flush time.Time
	// ended is when the latest poll ended, to the nanosecond; zero if that is not known.
	ended time.Time
	// access is what the latest poll that failed was made with, in short.
	access string
	// looked is when that was compared last with what there is.
	looked time.Time
	// changed tells that the source is said to hold something else.
	changed bool
	// onNode tells that it was said that nodes are asked.
	onNode bool
}

// memory holds the entries. An entry is used by one sync of its cron at a time; changed is set
// by others, so it is read and written by way of memory.
type memory struct {
	mu      sync.Mutex
	entries map[types.NamespacedName]*entry
}

func newMemory() *memory { return &memory{entries: map[types.NamespacedName]*entry{}} }

// of returns the entry of a cron, an empty one if another object of its name was remembered.
func (m *memory) of(key types.NamespacedName, uid types.UID) *entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.entries[key]
	if e == nil || e.uid != uid {
		e = &entry{uid: uid, changed: e != nil && e.uid == "" && e.changed}
		m.entries[key] = e
	}
	return e
}

func (m *memory) forget(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.entries, key)
}

// change notes that a cron's source is said to hold something else.
func (m *memory) change(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.entries[key]
	if e == nil {
		e = &entry{}
		m.entries[key] = e
	}
	e.changed = true
}

// changed tells whether change was called since settle.
func (m *memory) changed(e *entry) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return e.changed
}

// settle takes note that what changed is looked at now.
func (m *memory) settle(e *entry) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e.changed = false
}

// unwritten returns the crons whose latest poll is not written down.
func (m *memory) unwritten() map[types.NamespacedName]*entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := map[types.NamespacedName]*entry{}
	for key, e := range m.entries {
		if e.told != nil && !e.flush.IsZero() {
			found[key] = e
		}
	}
	return found
}

// overlay returns a cron as it will be when the cache shows the latest poll.
func (e *entry) overlay(cached *v1beta1.DataImportCron) *v1beta1.DataImportCron {
	if e.told == nil {
		return cached
	}
	if e.version != "" && !older(cached.ResourceVersion, e.version) {
		e.told, e.version = nil, ""
		return cached
	}
	cron := cached.DeepCopy()
	e.told.apply(cron)
	return cron
}

// older tells whether a version comes before another one. Versions that cannot be compared are
// taken to be newer: the cache then counts.
func older(a, b string) bool {
	order, err := resourceversion.CompareResourceVersion(a, b)
	return err == nil && order < 0
}

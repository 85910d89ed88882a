// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"container/list"
	"context"
	"sync"
)

// maxChildren bounds what is kept of indexes, each some hundred bytes.
const maxChildren = 4096

// A childKey is what an index's child is looked up by. The digest names the whole index, so that
// what was found never goes out of date.
type childKey struct {
	registry, repository, digest, architecture string
}

// children keeps what was found in indexes: the least recently used are dropped. It is safe for
// concurrent use.
type children struct {
	limit int

	mu sync.Mutex
	// order holds *childEntry, the latest used first.
	order   *list.List
	entries map[childKey]*list.Element
}

type childEntry struct {
	key childKey
	// finding is held by who reads the index, and guards what is below; a channel, so that
	// waiting ends with ctx.
	finding chan struct{}
	found   bool
	child   child
}

func newChildren(limit int) *children {
	return &children{limit: limit, order: list.New(), entries: map[childKey]*list.Element{}}
}

// get returns what was found for a key. If that is nothing it calls find, while others who ask
// for the key wait. An error of find is returned and not kept.
func (c *children) get(ctx context.Context, key childKey, find func() (child, error)) (child, error) {
	e := c.entry(key)
	select {
	case e.finding <- struct{}{}:
		defer func() { <-e.finding }()
	case <-ctx.Done():
		return child{}, context.Cause(ctx)
	}
	if e.found {
		return e.child, nil
	}
	found, err := find()
	if err != nil {
		return child{}, err
	}
	e.child, e.found = found, true
	return found, nil
}

// put replaces what was found for a key, unless somebody is about to find it.
func (c *children) put(key childKey, found child) {
	e := c.entry(key)
	select {
	case e.finding <- struct{}{}:
		e.child, e.found = found, true
		<-e.finding
	default:
	}
}

func (c *children) entry(key childKey) *childEntry {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, ok := c.entries[key]; ok {
		c.order.MoveToFront(element)
		return entryOf(element)
	}
	for len(c.entries) >= c.limit {
		last := c.order.Back()
		delete(c.entries, entryOf(last).key)
		c.order.Remove(last)
	}
	e := &childEntry{key: key, finding: make(chan struct{}, 1)}
	c.entries[key] = c.order.PushFront(e)
	return e
}

func entryOf(element *list.Element) *childEntry {
	e, _ := element.Value.(*childEntry) // it holds nothing else
	return e
}

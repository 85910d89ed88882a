// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"
)

// Requests of a round: one at a time, and several at a time.
const (
	serialRequests   = 100
	abreastRequests  = 600
	requestsOfARound = serialRequests + abreastRequests
)

// Units.
const (
	unitMillisecond = "ms"
	unitSecond      = "s"
	unitRate        = "1/s"
)

const milliseconds = 1e3 // in a second

// writes creates objects, patches them and deletes them.
func (b *apiBench) writes(ctx context.Context, s *side, round int) ([]measured, error) {
	created, err := b.verb(ctx, "create", func(ctx context.Context, i int) error {
		return s.create(ctx, namespaceOther, nameOf(i), i)
	})
	if err != nil {
		return nil, err
	}
	patched, err := b.verb(ctx, "patch", func(ctx context.Context, i int) error {
		return s.patch(ctx, namespaceOther, nameOf(i), round+1)
	})
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	if err := s.deleteAll(ctx, namespaceOther); err != nil {
		return nil, err
	}
	took := time.Since(begin).Seconds()
	return append(append(created, patched...), measured{
		fmt.Sprintf("delete a namespace's %d", requestsOfARound), unitSecond, took,
	}), nil
}

// gets reads objects that are there all the time.
func (b *apiBench) gets(ctx context.Context, s *side, _ int) ([]measured, error) {
	return b.verb(ctx, "get", func(ctx context.Context, i int) error {
		return s.get(ctx, namespaceFull, nameOf(i))
	})
}

// verb calls do with each number of a round, first one at a time, and then several.
func (b *apiBench) verb(ctx context.Context, name string, do func(ctx context.Context, i int) error) ([]measured, error) {
	var latencies []float64
	for i := range serialRequests {
		begin := time.Now()
		if err := do(ctx, i); err != nil {
			return nil, err
		}
		latencies = append(latencies, time.Since(begin).Seconds()*milliseconds)
	}
	took, work, err := b.timed(func() error {
		return inParallel(ctx, parallelRequests, abreastRequests, func(ctx context.Context, i int) error {
			return do(ctx, serialRequests+i)
		})
	})
	return []measured{
		{name + ", median", unitMillisecond, percentile(latencies, 50)},
		{name + ", 99th percentile", unitMillisecond, percentile(latencies, 99)},
		{fmt.Sprintf("%s, %d at a time", name, parallelRequests), unitRate, abreastRequests / took},
		{name + ", processors' time", unitMillisecond, work / abreastRequests * milliseconds},
	}, err
}

// timed returns how long something took, and how much of the processors' time the servers took
// for it, in seconds.
func (b *apiBench) timed(do func() error) (took, work float64, err error) {
	before, err := b.servers.seconds("/proc")
	if err != nil {
		return 0, 0, err
	}
	begin := time.Now()
	if err := do(); err != nil {
		return 0, 0, err
	}
	took = time.Since(begin).Seconds()
	after, err := b.servers.seconds("/proc")
	return took, after - before, err
}

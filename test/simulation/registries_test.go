// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"strings"
	"sync"
	"time"

	"goldenimage.dev/pkg/sources"
)

// fault is a while in which sources do not answer as they should.
type fault struct {
	from, to time.Time
	// host that has it, or the one location.
	host, location string
	// kind of error, whose NotBefore is to if limits is true.
	kind   sources.Kind
	limits bool
	// reason of the condition meanwhile.
	reason string
	// heals is how long after its end all crons must have polled again.
	heals time.Duration
	// most is how many requests may be made until then, to all that have the fault.
	most int
}

func (f *fault) hits(location string) bool {
	return location == f.location || f.host != "" && hostOf(location) == f.host
}

func (f *fault) healed() time.Time { return f.to.Add(f.heals) }

// during tells whether a time is one in which polls may fail.
func (f *fault) during(when time.Time) bool { return !when.Before(f.from) && !when.After(f.healed()) }

func hostOf(location string) string {
	host, _, _ := strings.Cut(strings.TrimPrefix(location, "docker://"), "/")
	return host
}

// registries answer for all images. Each image changes once in the week, at half past some hour.
type registries struct {
	begin  time.Time
	faults []*fault

	mu       sync.Mutex
	requests map[string][]time.Time
}

// Resolve implements sources.Resolver.
func (r *registries) Resolve(ctx context.Context, query sources.Query) (sources.Revision, error) {
	begun := time.Now()
	r.mu.Lock()
	r.requests[query.Location] = append(r.requests[query.Location], begun)
	r.mu.Unlock()
	took := 50*time.Millisecond + time.Duration(number(query.Location)%200)*time.Millisecond
	found := r.faultOf(query.Location, begun)
	if found != nil && found.kind == sources.Unreachable {
		took = 5 * time.Second
	}
	select {
	case <-time.After(took):
	case <-ctx.Done():
		return sources.Revision{}, fmt.Errorf("resolve: %w", context.Cause(ctx))
	}
	if found == nil {
		return sources.Revision{Digest: r.digest(query.Location, begun)}, nil
	}
	err := sources.Errorf(found.kind, "%s does not answer as it should", query.Location)
	if found.limits {
		err.NotBefore = found.to
	}
	return sources.Revision{}, err
}

// faultOf returns what is wrong with a location, nil if nothing is.
func (r *registries) faultOf(location string, when time.Time) *fault {
	for _, f := range r.faults {
		if f.hits(location) && !when.Before(f.from) && when.Before(f.to) {
			return f
		}
	}
	return nil
}

// digest is what a location holds at a time.
func (r *registries) digest(location string, when time.Time) string {
	changes := r.begin.Truncate(time.Hour).Add(time.Duration(1+number(location)%166)*time.Hour + 30*time.Minute)
	sum := sha256.Sum256(fmt.Append(nil, location, !when.Before(changes)))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// number is some number that is always the same for the same text.
func number(text string) uint64 {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(text))
	return sum.Sum64() >> 3
}

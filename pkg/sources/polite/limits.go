// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package polite

import (
	"net"
	"strings"
	"time"
)

const (
	defaultPerSecond  = 2
	defaultBurst      = 5
	defaultConcurrent = 8
	// unlimitedConcurrent is how many questions are put at once to a host without limits.
	unlimitedConcurrent = 64
	// slowest and mostBurst keep numbers from overflowing.
	slowest, mostBurst = time.Hour, 1 << 20
)

// Limits of how a host is asked, for each by itself. A request is a question here; a Resolver may
// need several requests of a transport to answer one.
type Limits struct {
	// PerSecond is how many questions are begun in a second in the long run; 0 means 2.
	PerSecond float64
	// Burst is how many are begun at once after a pause; 0 means 5.
	Burst int
	// Concurrent is how many are under way at a time; 0 means 8. Hosts without limits have 64
	// or that number, whichever is more.
	Concurrent int
	// Unlimited are hosts that have no limit but a number of questions at a time, as host[:port]
	// or *.suffix[:port]. Without a port it is any.
	Unlimited []string
}

func (l Limits) complete() Limits {
	if l.PerSecond <= 0 {
		l.PerSecond = defaultPerSecond
	}
	if l.Burst <= 0 {
		l.Burst = defaultBurst
	}
	if l.Concurrent <= 0 {
		l.Concurrent = defaultConcurrent
	}
	return l
}

func (l *Limits) concurrent(unlimited bool) int {
	if unlimited {
		return max(unlimitedConcurrent, l.Concurrent)
	}
	return l.Concurrent
}

// unlimited tells whether a host is one of Unlimited.
func (l *Limits) unlimited(host string) bool {
	bare, _, err := net.SplitHostPort(host)
	if err != nil {
		bare = host
	}
	for _, pattern := range l.Unlimited {
		if matches(pattern, host) || matches(pattern, bare) {
			return true
		}
	}
	return false
}

func matches(pattern, host string) bool {
	if suffix, ok := strings.CutPrefix(pattern, "*"); ok {
		return strings.HasPrefix(suffix, ".") && len(host) > len(suffix) && strings.EqualFold(host[len(host)-len(suffix):], suffix)
	}
	return strings.EqualFold(pattern, host)
}

// bucket bounds how often something begins. Tokens are not counted: it is the time that is
// remembered until which those that were taken fill the long run.
type bucket struct {
	interval, slack time.Duration
	until           time.Time
}

func newBucket(l *Limits) *bucket {
	interval := time.Duration(min(float64(slowest), float64(time.Second)/l.PerSecond))
	return &bucket{interval: interval, slack: time.Duration(min(l.Burst, mostBurst)-1) * interval}
}

// delay is how long to wait for the next token; 0 means that there is one.
func (b *bucket) delay(now time.Time) time.Duration {
	return max(0, b.until.Add(-b.slack).Sub(now))
}

// take takes a token, also if there is none.
func (b *bucket) take(now time.Time) {
	if b.until.Before(now) {
		b.until = now
	}
	b.until = b.until.Add(b.interval)
}

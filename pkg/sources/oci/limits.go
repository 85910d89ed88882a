// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// maxRetryAfter bounds how long a registry may keep us away.
const maxRetryAfter = 24 * time.Hour

const (
	// From firstSecond on a number is a date in seconds, from firstMilli on in milliseconds, and
	// not how long to wait.
	firstSecond = 1_000_000_000
	firstMilli  = 1_000_000_000_000
)

type notesKey struct{}

// notes carries what responses said past go-containerregistry's errors, which drop headers.
type notes struct {
	mu        sync.Mutex
	notBefore time.Time
}

func withNotes(ctx context.Context, n *notes) context.Context {
	return context.WithValue(ctx, notesKey{}, n)
}

func (n *notes) add(response *http.Response, now time.Time) {
	if response.StatusCode != http.StatusTooManyRequests && response.StatusCode != http.StatusServiceUnavailable {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.notBefore = comeBack(response, now)
}

func (n *notes) retryAt() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.notBefore
}

// comeBack returns when a registry wants to be asked again, the zero time if it does not say.
func comeBack(response *http.Response, now time.Time) time.Time {
	at := retryAfter(response.Header.Get("Retry-After"), now)
	if !at.IsZero() || response.StatusCode != http.StatusTooManyRequests {
		return at
	}
	// Only of an answer that refuses: others tell by these when a count starts anew.
	for _, name := range []string{"X-Retry-After", "RateLimit-Reset", "X-RateLimit-Reset"} {
		if at := resetAt(response.Header.Get(name), now); !at.IsZero() {
			return at
		}
	}
	return time.Time{}
}

// retryAfter reads a Retry-After header, which is a number of seconds or a date. It returns
// the zero time if there is none or it is malformed.
func retryAfter(value string, now time.Time) time.Time {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return bounded(now.Add(time.Duration(seconds)*time.Second), now)
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return time.Time{}
	}
	return bounded(at, now)
}

// resetAt reads a header that registries have each in their own way: as Retry-After, as a date
// in seconds or milliseconds since 1970, or with parameters behind a semicolon.
func resetAt(value string, now time.Time) time.Time {
	value = parameterless(value)
	number, err := strconv.ParseUint(value, 10, 53)
	switch {
	case err != nil || number < firstSecond:
		return retryAfter(value, now)
	case number < firstMilli:
		return bounded(time.Unix(int64(number), 0), now)
	}
	return bounded(time.UnixMilli(int64(number)), now)
}

func bounded(at, now time.Time) time.Time {
	switch {
	case at.Before(now):
		return now
	case at.After(now.Add(maxRetryAfter)):
		return now.Add(maxRetryAfter)
	}
	return at
}

// remaining returns how many requests a registry still grants, -1 if it does not say.
func remaining(header http.Header) int64 {
	for _, name := range []string{"RateLimit-Remaining", "X-RateLimit-Remaining"} {
		if n, err := strconv.ParseUint(parameterless(header.Get(name)), 10, 63); err == nil {
			return int64(n)
		}
	}
	return -1
}

// parameterless returns a header's value without what follows it, such as 76 of 76;w=21600.
func parameterless(value string) string {
	value, _, _ = strings.Cut(value, ";")
	return strings.TrimSpace(value)
}

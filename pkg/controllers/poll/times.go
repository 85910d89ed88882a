// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"fmt"
	"hash/fnv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// pause returns how long to wait after failures in a row: anything up to a bound that doubles
// with each, so that a registry that is back is not asked by all at once. It is the same for the
// same cron and number.
func pause(failures int32, uid string) time.Duration {
	bound := lastRetry
	if shift := max(failures, 1) - 1; shift < 7 {
		bound = min(lastRetry, firstRetry<<shift)
	}
	sum := fnv.New64a()
	_, _ = fmt.Fprintf(sum, "%s %d", uid, failures)
	// FNV's upper bits hardly differ between texts that differ at the end; its lower ones do.
	const steps = 1 << 16
	return leastRetry + time.Duration(sum.Sum64()%steps)*(bound-leastRetry)/steps //nolint:gosec // below steps
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// wholeSecond rounds up: times lose their fractions on the wire, and a retry must not come
// before the time that a source asked for.
func wholeSecond(t time.Time) time.Time {
	if floor := t.Truncate(time.Second); !floor.Equal(t) {
		return floor.Add(time.Second)
	}
	return t
}

// stamp is the value of an annotation that holds a time, nil for the zero time.
func stamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC().Format(time.RFC3339))
}

// metaTime is t as the status holds it, nil for the zero time.
func metaTime(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	return new(metav1.NewTime(t.Truncate(time.Second)))
}

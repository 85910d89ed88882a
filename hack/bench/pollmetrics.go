// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Metrics of the server that are read.
const (
	metricPolls = "golden_image_polls_total"
	metricLag   = "golden_image_poll_lag_seconds_bucket"
)

// pollMetrics are the counts of polls at a time, or between two.
type pollMetrics struct {
	polls, unchanged float64
	// buckets are the polls by their upper bounds in seconds, each with those of the ones below.
	buckets map[float64]float64
}

// readPollMetrics reads them from what Prometheus would.
func readPollMetrics(text string) (pollMetrics, error) {
	m := pollMetrics{buckets: map[float64]float64{}}
	for line := range strings.Lines(text) {
		name, rest, labelled := strings.Cut(line, "{")
		if !labelled || name != metricPolls && name != metricLag {
			continue
		}
		end := strings.LastIndexByte(rest, '}')
		if end < 0 {
			return m, fmt.Errorf("a metric is not written as it should be: %q", line)
		}
		value, err := strconv.ParseFloat(strings.TrimSpace(rest[end+1:]), 64)
		if err != nil {
			return m, fmt.Errorf("read %s: %w", name, err)
		}
		if name == metricPolls {
			m.polls += value
			if strings.Contains(rest, `result="Unchanged"`) {
				m.unchanged += value
			}
			continue
		}
		_, bound, _ := strings.Cut(rest[:end], `le="`)
		bound, _, _ = strings.Cut(bound, `"`)
		limit, err := strconv.ParseFloat(bound, 64)
		if err != nil {
			return m, fmt.Errorf("read the bound of a bucket of %s: %w", name, err)
		}
		m.buckets[limit] += value
	}
	if m.polls == 0 || len(m.buckets) == 0 {
		return m, errors.New("the server has no metrics of polls yet")
	}
	return m, nil
}

// since returns what came after an earlier time.
func (m pollMetrics) since(before pollMetrics) pollMetrics {
	between := pollMetrics{polls: m.polls - before.polls, unchanged: m.unchanged - before.unchanged, buckets: map[float64]float64{}}
	for limit, count := range m.buckets {
		between.buckets[limit] = count - before.buckets[limit]
	}
	return between
}

// lateness returns a quantile in seconds, the way Prometheus does: within a bucket all are taken
// to be spread evenly, and what is above the last bound counts as that. It is 0 if there is none.
func (m pollMetrics) lateness(quantile float64) float64 {
	type bucket struct{ limit, count float64 }
	var all []bucket
	for limit, count := range m.buckets {
		all = append(all, bucket{limit, count})
	}
	slices.SortFunc(all, func(a, b bucket) int { return cmp.Compare(a.limit, b.limit) })
	if len(all) == 0 {
		return 0
	}
	rank := quantile * all[len(all)-1].count
	var below bucket
	for _, b := range all {
		if b.count >= rank && b.count > below.count {
			if math.IsInf(b.limit, 1) {
				return below.limit
			}
			return below.limit + (b.limit-below.limit)*(rank-below.count)/(b.count-below.count)
		}
		below = b
	}
	return 0
}

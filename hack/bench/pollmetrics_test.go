// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const pollsBefore = `# HELP golden_image_polls_total Polls.
golden_image_polls_total{registry="a.example:5000",result="Unchanged"} 10
golden_image_polls_total{registry="other",result="Unchanged"} 5
golden_image_polls_total{registry="other",result="Updated"} 1
golden_image_poll_lag_seconds_bucket{le="0.5"} 10
golden_image_poll_lag_seconds_bucket{le="1"} 12
golden_image_poll_lag_seconds_bucket{le="+Inf"} 12
golden_image_poll_lag_seconds_sum 3
`

const pollsAfter = `golden_image_polls_total{registry="other",result="Unchanged"} 215
golden_image_polls_total{registry="other",result="Updated"} 1
golden_image_poll_lag_seconds_bucket{le="0.5"} 110
golden_image_poll_lag_seconds_bucket{le="1"} 211
golden_image_poll_lag_seconds_bucket{le="+Inf"} 212
`

func TestPollMetrics(t *testing.T) {
	before, err := readPollMetrics(pollsBefore)
	if err != nil {
		t.Fatal(err)
	}
	after, err := readPollMetrics(pollsAfter)
	if err != nil {
		t.Fatal(err)
	}
	got := after.since(before)
	if got.polls != 200 || got.unchanged != 200 {
		t.Errorf("%v polls, %v unchanged", got.polls, got.unchanged)
	}
	lateness := map[float64]float64{}
	for _, quantile := range []float64{0, 0.25, 0.5, 0.75, 1} {
		lateness[quantile] = got.lateness(quantile)
	}
	// Of two hundred, a hundred took below half a second, 99 below a second, and one longer.
	want := map[float64]float64{0: 0, 0.25: 0.25, 0.5: 0.5, 0.75: 0.5 + 0.5*50/99, 1: 1}
	if diff := cmp.Diff(want, lateness, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("quantiles (-want +got):\n%s", diff)
	}
}

func TestBadPollMetrics(t *testing.T) {
	for name, text := range map[string]string{
		"none at all":        "go_goroutines 7\n",
		"no number":          "golden_image_polls_total{result=\"Unchanged\"} many\n",
		"not closed":         "golden_image_polls_total{result=\"Unchanged\n",
		"a bound of no kind": pollsAfter + "golden_image_poll_lag_seconds_bucket{le=\"soon\"} 1\n",
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := readPollMetrics(text); err == nil {
				t.Errorf("read %+v", got)
			}
		})
	}
}

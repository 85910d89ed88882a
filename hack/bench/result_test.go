// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMedian(t *testing.T) {
	for name, test := range map[string]struct {
		values []float64
		want   float64
	}{
		"none is zero":                    {nil, 0},
		"one is itself":                   {[]float64{3}, 3},
		"the middle of three in disorder": {[]float64{9, 1, 4}, 4},
		"the mean of the middle of four":  {[]float64{8, 1, 2, 4}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			before := append([]float64(nil), test.values...)
			if got := median(test.values); got != test.want {
				t.Errorf("median = %v, want %v", got, test.want)
			}
			if diff := cmp.Diff(before, test.values); diff != "" {
				t.Errorf("the values were changed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCompare(t *testing.T) {
	for name, test := range map[string]struct {
		ours, peer, want float64
	}{
		"half the time":           {1, 2, 0.5},
		"a peer of zero":          {1, 0, 0},
		"zero against a number":   {0, 2, 0},
		"twice as much as a peer": {4, 2, 2},
	} {
		t.Run(name, func(t *testing.T) {
			want := result{Name: "n", Unit: "s", Ours: test.ours, Peer: test.peer, PeerName: "p", Ratio: test.want}
			if diff := cmp.Diff(want, compare("n", "s", test.ours, "p", test.peer)); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPublish(t *testing.T) {
	dir := t.TempDir()
	results := []result{
		compare("gzip-raw wall time", "s", 1.5, "pipe", 3),
		compare("memory", "MiB", 64.06, "limit of the issue", 256),
	}
	var table strings.Builder
	if err := publish(&table, dir, "import", results); err != nil {
		t.Fatal(err)
	}
	wantTable := `NAME                UNIT  OURS  PEER  RATIO  PEER IS
gzip-raw wall time  s     1.50  3.00  0.50   pipe
memory              MiB   64.1  256   0.25   limit of the issue

written to ` + filepath.Join(dir, "import.json") + "\n\n"
	if diff := cmp.Diff(wantTable, table.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
	content, err := os.ReadFile(filepath.Join(dir, "import.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	if err := json.Unmarshal(content, &got); err != nil {
		t.Fatal(err)
	}
	want := []map[string]any{
		{"name": "gzip-raw wall time", "unit": "s", "ours": 1.5, "peer": 3.0, "peerName": "pipe", "ratio": 0.5},
		{"name": "memory", "unit": "MiB", "ours": 64.06, "peer": 256.0, "peerName": "limit of the issue", "ratio": 64.06 / 256},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
}

func TestJSONOfNoResultsIsAnEmptyList(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.json")
	if err := writeJSON(path, nil); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("[]\n", string(content)); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
}

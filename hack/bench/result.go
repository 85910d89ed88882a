// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
)

// result is one comparison.
type result struct {
	Name string `json:"name"`
	Unit string `json:"unit"`
	// Ours and Peer are medians, or peaks of memory.
	Ours     float64 `json:"ours"`
	Peer     float64 `json:"peer"`
	PeerName string  `json:"peerName"`
	// Ratio is Ours divided by Peer, 0 if Peer is 0.
	Ratio float64 `json:"ratio"`
}

func compare(name, unit string, ours float64, peerName string, peer float64) result {
	r := result{Name: name, Unit: unit, Ours: ours, Peer: peer, PeerName: peerName}
	if peer != 0 {
		r.Ratio = ours / peer
	}
	return r
}

// median returns the middle one, or the mean of the two in the middle; 0 if there is none.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// publish prints the results and writes them to dir.
func publish(w io.Writer, dir, name string, results []result) error {
	path := filepath.Join(dir, name+".json")
	if err := writeJSON(path, results); err != nil {
		return err
	}
	if err := writeTable(w, results); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nwritten to %s\n\n", path)
	return err
}

func writeTable(w io.Writer, results []result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	// What is written to the tabwriter comes out, or fails, with Flush.
	_, _ = fmt.Fprintln(t, "NAME\tUNIT\tOURS\tPEER\tRATIO\tPEER IS")
	for _, r := range results {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%.2f\t%s\n", r.Name, r.Unit, figure(r.Ours), figure(r.Peer), r.Ratio, r.PeerName)
	}
	return t.Flush()
}

// figure shows three digits or more.
func figure(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func writeJSON(path string, results []result) error {
	if results == nil {
		results = []result{} // a list, not null
	}
	content, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(content, '\n'), 0o644)
}

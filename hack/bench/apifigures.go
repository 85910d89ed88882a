// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"slices"
)

// A measured is what one round of one side gave.
type measured struct {
	name, unit string
	value      float64
}

// figures are those of all rounds, of both sides, in the order in which they came first.
type figures struct {
	order  []measured
	values map[string]*[2][]float64
}

// Sides of a comparison.
const (
	sideOurs = iota
	sidePeer
)

func (f *figures) add(side int, some ...measured) {
	if f.values == nil {
		f.values = map[string]*[2][]float64{}
	}
	for _, one := range some {
		if f.values[one.name] == nil {
			f.values[one.name] = &[2][]float64{}
			f.order = append(f.order, one)
		}
		f.values[one.name][side] = append(f.values[one.name][side], one.value)
	}
}

// results compares the medians.
func (f *figures) results(peerName string) []result {
	var all []result
	for _, one := range f.order {
		values := f.values[one.name]
		all = append(all, compare(one.name, one.unit, median(values[sideOurs]), peerName, median(values[sidePeer])))
	}
	return all
}

// percentile returns the value that so many of a hundred are not above; 0 if there is none.
func percentile(values []float64, percent float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	rank := int(math.Ceil(percent / 100 * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}

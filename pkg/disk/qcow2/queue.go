// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package qcow2

// A queue holds extents by where they start.
type queue struct{ heap []extent }

func (q *queue) push(e extent) {
	q.heap = append(q.heap, e)
	for i := len(q.heap) - 1; i > 0; {
		up := (i - 1) / 2
		if q.heap[up].start <= q.heap[i].start {
			break
		}
		q.heap[up], q.heap[i] = q.heap[i], q.heap[up]
		i = up
	}
}

// pop takes the first extent if it starts before a place.
func (q *queue) pop(before int64) (extent, bool) {
	if len(q.heap) == 0 || q.heap[0].start >= before {
		return extent{}, false
	}
	first, last := q.heap[0], len(q.heap)-1
	q.heap[0] = q.heap[last]
	q.heap = q.heap[:last]
	for i := 0; ; {
		least := i
		for _, down := range [2]int{2*i + 1, 2*i + 2} {
			if down < last && q.heap[down].start < q.heap[least].start {
				least = down
			}
		}
		if least == i {
			return first, true
		}
		q.heap[least], q.heap[i] = q.heap[i], q.heap[least]
		i = least
	}
}

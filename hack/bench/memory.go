// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// sampleInterval is how often memory is looked at. A kernel keeps the peak of each process, so
// only what grows just before the end is missed.
const sampleInterval = 10 * time.Millisecond

// watchMemory watches a process and its children, until stop returns the sum of their peaks in
// bytes. That is no less than the peak of the sum.
//
// The usage that wait returns is of no use here: a program inherits the peak of the process
// that starts it, and this one holds images in memory.
func watchMemory(pid int) (stop func() int64) {
	end, total := make(chan struct{}), make(chan int64)
	go func() {
		ticker := time.NewTicker(sampleInterval)
		defer ticker.Stop()
		peaks := map[int]int64{}
		for {
			sample("/proc", pid, peaks)
			select {
			case <-ticker.C:
			case <-end:
				var all int64
				for _, peak := range peaks {
					all += peak
				}
				total <- all
				return
			}
		}
	}()
	return func() int64 {
		close(end)
		return <-total
	}
}

// sample notes the peaks of a process and its children. The latest counts, not the highest: a
// child shows its parent's until it runs its own program.
func sample(proc string, pid int, peaks map[int]int64) {
	dir := filepath.Join(proc, strconv.Itoa(pid))
	if status, err := os.ReadFile(filepath.Join(dir, "status")); err == nil {
		if peak := peakOf(string(status)); peak > 0 {
			peaks[pid] = peak
		}
	}
	lists, err := filepath.Glob(filepath.Join(dir, "task/*/children"))
	if err != nil {
		return
	}
	for _, list := range lists {
		children, err := os.ReadFile(list)
		if err != nil {
			continue // the thread has ended
		}
		for field := range strings.FieldsSeq(string(children)) {
			if child, err := strconv.Atoi(field); err == nil {
				sample(proc, child, peaks)
			}
		}
	}
}

// peakOf reads the peak of resident memory in bytes from a status file; 0 if the process has
// ended.
func peakOf(status string) int64 {
	for line := range strings.Lines(status) {
		value, ok := strings.CutPrefix(line, "VmHWM:")
		if !ok {
			continue
		}
		kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		if err != nil {
			return 0
		}
		return kib << 10
	}
	return 0
}

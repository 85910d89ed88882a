// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// disk measures how long a side's etcd waits for its disk. The two are not on the same one: that
// of the own server is on a volume, which on the local cluster is a file on the other's disk.
func (b *apiBench) disk(_ context.Context, s *side, _ int) ([]measured, error) {
	program := programEtcd
	if s == b.sides[sideOurs] {
		program = programOurs
	}
	dir, err := b.servers.dataDir("/proc", program)
	if err != nil {
		return nil, err
	}
	took, err := syncTime(dir)
	return []measured{{"2 KB to the disk of etcd, median", unitMillisecond, took * milliseconds}}, err
}

// dataDir returns the folder of a program's data as this process can reach it.
func (s servers) dataDir(proc, program string) (string, error) {
	process := filepath.Join(proc, strconv.Itoa(s[program]))
	for _, word := range arguments(filepath.Join(process, "cmdline")) {
		if dir, ok := strings.CutPrefix(word, "--data-dir="); ok {
			return filepath.Join(process, "root", dir), nil
		}
	}
	return "", fmt.Errorf("the %s has no --data-dir", program)
}

// syncTime returns the median of the times in seconds after which a write is on the disk. The
// file has its size before, as etcd's log does.
func syncTime(dir string) (took float64, err error) {
	const writes, size = 50, 2 << 10
	path := filepath.Join(dir, "bench-sync")
	file, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(path)) }()
	if err := syscall.Fallocate(int(file.Fd()), 0, 0, writes*size); err != nil {
		return 0, fmt.Errorf("allocate %s: %w", path, err)
	}
	if err := file.Sync(); err != nil {
		return 0, err
	}
	var times []float64
	for i := range writes {
		begin := time.Now()
		if _, err := file.WriteAt(make([]byte, size), int64(i*size)); err != nil {
			return 0, err
		}
		if err := syscall.Fdatasync(int(file.Fd())); err != nil {
			return 0, fmt.Errorf("write %s: %w", path, err)
		}
		times = append(times, time.Since(begin).Seconds())
	}
	return median(times), nil
}

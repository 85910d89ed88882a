// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

const (
	diskSize   = 2 << 30
	diskFilled = 320 << 20
	rounds     = 3
	// memoryLimit is what the worker's Pod may have, in MiB.
	memoryLimit = 256
)

// contestant is one way to get the disk. It works in a folder of its own, on whose disk the
// result must be when it returns.
type contestant struct {
	name string
	run  func(ctx context.Context, dir string) (memory int64, err error)
	// output is the raw disk's path in the folder; empty if there is none.
	output string
}

// trial is what was measured of a contestant: seconds of each round, and the peak of memory in
// bytes, 0 if nobody asked.
type trial struct {
	seconds []float64
	memory  int64
}

func measureImport(ctx context.Context, s setting) (results []result, err error) {
	worker, err := filepath.Abs(s.worker)
	if err != nil {
		return nil, err
	}
	s.worker = worker
	dir, err := os.MkdirTemp(s.out, ".import-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	raw := filepath.Join(dir, "raw")
	if err := writeDisk(raw, diskSize, diskFilled); err != nil {
		return nil, fmt.Errorf("make the disk: %w", err)
	}
	want, err := sum(raw)
	if err != nil {
		return nil, err
	}
	for _, v := range variants() {
		found, err := measureVariant(ctx, s, v, raw, want)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.name, err)
		}
		results = append(results, found...)
	}
	return results, nil
}

func measureVariant(ctx context.Context, s setting, v variant, raw, want string) (results []result, err error) {
	// A registry for each, as it holds the image in memory.
	registry, err := serve(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, registry.close()) }()
	image, err := publishVariant(ctx, registry, v, raw)
	if err != nil {
		return nil, err
	}
	_, _ = fmt.Fprintf(s.log, "%s: layer of %d MiB\n", v.name, image.blobSize>>20)
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	all := []contestant{
		newWorker(s.worker, image),
		newPipe(self, v, image),
		newDownload(self, image),
	}
	trials, err := race(ctx, s, all, filepath.Join(filepath.Dir(raw), "run"), want)
	if err != nil {
		return nil, err
	}
	ours := median(trials[0].seconds)
	for i, peer := range all[1:] {
		results = append(results, compare(v.name+" wall time", "s", ours, peer.name, median(trials[i+1].seconds)))
	}
	memory := float64(trials[0].memory) / (1 << 20)
	return append(results, compare(v.name+" peak RSS of worker and qemu-img", "MiB", memory, "limit of the issue", memoryLimit)), nil
}

// publishVariant packs the raw disk and pushes it.
func publishVariant(ctx context.Context, registry *server, v variant, raw string) (image pushed, err error) {
	packed, err := v.pack(ctx, raw)
	if err != nil {
		return pushed{}, err
	}
	if packed != raw {
		defer func() { err = errors.Join(err, os.Remove(packed)) }()
	}
	made, err := v.newImage(packed)
	if err != nil {
		return pushed{}, err
	}
	return registry.push(ctx, v.name, made)
}

// race lets the contestants run in turns.
func race(ctx context.Context, s setting, all []contestant, dir, want string) ([]trial, error) {
	trials := make([]trial, len(all))
	for round := range rounds {
		for i, c := range all {
			seconds, memory, err := once(ctx, c, dir, want)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			_, _ = fmt.Fprintf(s.log, "  round %d: %6.2f s  %s\n", round+1, seconds, c.name)
			trials[i].seconds = append(trials[i].seconds, seconds)
			trials[i].memory = max(trials[i].memory, memory)
		}
	}
	return trials, nil
}

// once runs a contestant and checks its output, which does not count for the time.
func once(ctx context.Context, c contestant, dir, want string) (seconds float64, memory int64, err error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	unix.Sync() // what others wrote before is not this one's to wait for
	begin := time.Now()
	memory, err = c.run(ctx, dir)
	seconds = time.Since(begin).Seconds()
	if err != nil || c.output == "" {
		return seconds, memory, err
	}
	got, err := sum(filepath.Join(dir, c.output))
	if err == nil && got != want {
		err = fmt.Errorf("the output has SHA-256 %s, and the disk %s", got, want)
	}
	return seconds, memory, err
}

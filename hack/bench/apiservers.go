// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Programs whose processors' time and memory count. Ours has its etcd in itself.
const (
	programOurs = "golden-image-apiserver"
	programKube = "kube-apiserver"
	programEtcd = "etcd"
)

// flagNoSync makes etcd answer before what it wrote is on the disk.
const flagNoSync = "--unsafe-no-fsync"

// servers are the processes that serve, by their programs' names.
type servers map[string]int

// findServers looks for the processes. There must be one of each program.
func findServers(proc string) (servers, error) {
	found := servers{}
	lines, err := filepath.Glob(filepath.Join(proc, "[0-9]*", "cmdline"))
	if err != nil {
		return nil, err
	}
	for _, line := range lines {
		words := arguments(line)
		if len(words) == 0 {
			continue
		}
		name := filepath.Base(words[0])
		if name != programOurs && name != programKube && name != programEtcd {
			continue
		}
		if found[name] != 0 {
			return nil, fmt.Errorf("more than one process is a %s", name)
		}
		if found[name], err = strconv.Atoi(filepath.Base(filepath.Dir(line))); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{programOurs, programKube, programEtcd} {
		if found[name] == 0 {
			return nil, fmt.Errorf("no process is a %s: the servers must run on this machine", name)
		}
	}
	return found, nil
}

// arguments returns the command line in a file, nil if its process has ended.
func arguments(path string) []string {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var words []string
	for word := range bytes.SplitSeq(bytes.TrimRight(content, "\x00"), []byte{0}) {
		words = append(words, string(word))
	}
	return words
}

// seconds returns the processors' time that all servers have taken.
func (s servers) seconds(proc string) (float64, error) {
	const ticks = 100 // a second, on all Linux
	var sum float64
	for _, pid := range s {
		content, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "stat"))
		if err != nil {
			return 0, err
		}
		// The second field is a name in parentheses, which may hold some itself.
		fields := strings.Fields(string(content[bytes.LastIndexByte(content, ')')+1:]))
		const user, system = 11, 12
		if len(fields) <= system {
			return 0, fmt.Errorf("process %d has no times", pid)
		}
		for _, field := range []string{fields[user], fields[system]} {
			count, err := strconv.ParseFloat(field, 64)
			if err != nil {
				return 0, fmt.Errorf("read the times of process %d: %w", pid, err)
			}
			sum += count / ticks
		}
	}
	return sum, nil
}

// resident returns the memory in bytes that all servers have. The pages of files do not count:
// etcd maps its database, of which the system keeps in memory what it has room for.
func (s servers) resident(proc string) (int64, error) {
	var sum int64
	for _, pid := range s {
		content, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "status"))
		if err != nil {
			return 0, err
		}
		size, err := residentOf(string(content))
		if err != nil {
			return 0, fmt.Errorf("read the memory of process %d: %w", pid, err)
		}
		sum += size
	}
	return sum, nil
}

// residentOf reads resident memory in bytes, without that of files, from a status file.
func residentOf(status string) (int64, error) {
	for line := range strings.Lines(status) {
		if value, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("it has none")
}

// syncs tells whether the cluster's etcd waits for the disk.
func (s servers) syncs(proc string) bool {
	return !slices.Contains(arguments(filepath.Join(proc, strconv.Itoa(s[programEtcd]), "cmdline")), flagNoSync)
}

// setSync has the cluster's etcd wait for the disk, or not: mark is a file whose presence tells
// the cluster so when it starts etcd, and it does that when etcd ends. Without a mark it does
// nothing. It returns the processes of then; etcd may be as it was, if the cluster knows no mark.
func setSync(ctx context.Context, s servers, mark string, on bool) (servers, error) {
	if mark == "" {
		return s, nil
	}
	var err error
	if on {
		err = os.WriteFile(mark, nil, 0o600)
	} else if err = os.Remove(mark); errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	if err != nil || s.syncs("/proc") == on {
		return s, err
	}
	old := s[programEtcd]
	if err := syscall.Kill(old, syscall.SIGTERM); err != nil {
		return s, fmt.Errorf("restart etcd: %w", err)
	}
	err = eventually(ctx, "etcd to start again", func(context.Context) (bool, error) {
		found, err := findServers("/proc")
		if err != nil || found[programEtcd] == old {
			return false, nil //nolint:nilerr // it ends, or starts
		}
		s = found
		return true, nil
	})
	return s, err
}

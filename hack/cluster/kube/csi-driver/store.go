// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The kinds of item, each a folder of the store.
const (
	volumes   = "volumes"
	snapshots = "snapshots"
)

// item is what the store knows of a volume or a snapshot: the file meta.json of its
// folder, beside its data.
type item struct {
	Size    int64  // bytes
	Block   bool   // a block volume, or a snapshot of one
	Source  string `json:",omitempty"` // a snapshot's volume
	Created time.Time
}

// store is the folder that holds the items: KIND/ID/{meta.json,data}.
type store string

func (s store) path(kind, id string) (string, error) {
	if id == "" || id == "." || id == ".." || strings.Contains(id, "/") {
		return "", status.Errorf(codes.NotFound, "no item %q in %s", id, kind)
	}
	return filepath.Join(string(s), kind, id), nil
}

// load returns an item and the path of its data. The error's code is NotFound if there
// is no such item.
func (s store) load(kind, id string) (*item, string, error) {
	path, err := s.path(kind, id)
	if err != nil {
		return nil, "", err
	}
	content, err := os.ReadFile(filepath.Join(path, "meta.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", status.Errorf(codes.NotFound, "no item %q in %s", id, kind)
	} else if err != nil {
		return nil, "", err
	}
	it := new(item)
	if err := json.Unmarshal(content, it); err != nil {
		return nil, "", fmt.Errorf("read %s/meta.json: %w", path, err)
	}
	return it, filepath.Join(path, "data"), nil
}

// create makes an item: the data, which fill writes, and then its description. It
// appears under its name at once, complete.
func (s store) create(kind, id string, it *item, fill func(data string) error) error {
	path, err := s.path(kind, id)
	if err != nil {
		return err
	}
	part := path + ".part"
	if err := os.RemoveAll(part); err != nil { // of a process that was killed
		return err
	}
	if err := os.MkdirAll(part, 0o755); err != nil {
		return err
	}
	if err := fill(filepath.Join(part, "data")); err != nil {
		return errors.Join(err, os.RemoveAll(part))
	}
	content, err := json.Marshal(it)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(part, "meta.json"), content, 0o644); err != nil {
		return err
	}
	return os.Rename(part, path)
}

// remove removes an item. It is no error if there is none.
func (s store) remove(kind, id string) error {
	path, err := s.path(kind, id)
	if err != nil {
		return nil //nolint:nilerr // what cannot exist is gone
	}
	return os.RemoveAll(path)
}

// duplicate copies a file; the two share their data if the file system can do that.
func duplicate(ctx context.Context, from, to string) error {
	_, err := run(ctx, "cp", "--reflink=auto", "--sparse=always", from, to)
	return err
}

// run returns what a command prints, or an error that holds it.
func run(ctx context.Context, name string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

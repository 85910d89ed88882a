// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// The values of the flag -format.
const (
	formatQcow2 = "qcow2"
	formatRaw   = "raw"
)

// made is when all of the disk was made, so that the same files make the same disk.
func made() time.Time {
	return time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
}

type diskOptions struct {
	version     string
	format      string
	compress    bool
	virtualSize size
	contentSize size
}

// makeDisk makes the disk below dir and returns its path.
func makeDisk(ctx context.Context, dir string, o diskOptions) (string, error) {
	tree := filepath.Join(dir, "tree")
	if err := makeTree(tree, o); err != nil {
		return "", fmt.Errorf("make the files: %w", err)
	}
	raw := filepath.Join(dir, "disk.img")
	if err := makeFileSystem(ctx, tree, raw, o); err != nil {
		return "", err
	}
	if o.format == formatRaw {
		return raw, os.RemoveAll(tree)
	}
	qcow2 := filepath.Join(dir, "disk.qcow2")
	args := []string{"convert", "-f", "raw", "-O", "qcow2"}
	if o.compress {
		args = append(args, "-c")
	}
	if err := command(ctx, nil, "qemu-img", append(args, raw, qcow2)...); err != nil {
		return "", err
	}
	return qcow2, errors.Join(os.Remove(raw), os.RemoveAll(tree))
}

// makeFileSystem makes an ext4 file system with the files of tree, without mounting it.
func makeFileSystem(ctx context.Context, tree, path string, o diskOptions) error {
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return err
	}
	if err := os.Truncate(path, int64(o.virtualSize)); err != nil {
		return err
	}
	id := uuid.NewSHA1(uuid.NameSpaceOID, []byte(o.version)).String()
	err := command(ctx, nil, "mkfs.ext4", "-q", "-F", "-L", "testdisk", "-U", id,
		"-E", "root_owner=0:0,lazy_itable_init=1,hash_seed="+id, "-d", tree, path)
	if err != nil {
		return err
	}
	// mkfs.ext4 copies the times of the files. Their change times nobody can set, and
	// reading them changes their access times.
	script, err := fileTimes(tree)
	if err != nil {
		return err
	}
	return command(ctx, script, "debugfs", "-w", "-f", "-", path)
}

// fileTimes returns a script for debugfs that gives all files the time of made.
func fileTimes(tree string) (io.Reader, error) {
	script := new(bytes.Buffer)
	err := filepath.WalkDir(tree, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := "/" + strings.TrimPrefix(strings.TrimPrefix(path, tree), "/")
		for _, field := range []string{"atime", "mtime", "ctime"} {
			fmt.Fprintf(script, "set_inode_field %q %s @%d\n", name, field, made().Unix())
		}
		return nil
	})
	return script, err
}

// writeRawSum writes the SHA-256 over the virtual size, of the disk as qemu-img gives it.
func writeRawSum(ctx context.Context, dir, disk, format, sumPath string) (err error) {
	raw := filepath.Join(dir, "sum.img")
	if err := command(ctx, nil, "qemu-img", "convert", "-f", format, "-O", "raw", disk, raw); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(raw)) }()
	file, err := os.Open(raw)
	if err != nil {
		return err
	}
	hash := sha256.New()
	_, err = io.Copy(hash, file)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.WriteFile(sumPath, fmt.Appendf(nil, "%x\n", hash.Sum(nil)), 0o644)
}

// command runs a program whose clock, if it asks e2fsprogs for one, stands still.
func command(ctx context.Context, stdin io.Reader, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = stdin
	cmd.Env = append(os.Environ(), "E2FSPROGS_FAKE_TIME="+strconv.FormatInt(made().Unix(), 10), "TZ=UTC", "LC_ALL=C")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(out))
	}
	return nil
}

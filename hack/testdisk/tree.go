// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
)

// docs bounds what is taken of this machine's documentation.
const docs = 8 << 20

// makeTree makes the files of the disk: those that tell its version, busybox and texts of
// this machine, and generated ones of half text, half noise, which change with the version.
func makeTree(tree string, o diskOptions) error {
	for _, dir := range []string{"bin", "dev", "etc", "proc", "sys", "tmp", "usr/share/doc", "var/lib/data"} {
		if err := os.MkdirAll(filepath.Join(tree, dir), 0o755); err != nil {
			return err
		}
	}
	release := fmt.Sprintf("NAME=\"Golden Image Test Disk\"\nID=testdisk\nVERSION_ID=%q\nPRETTY_NAME=%q\n",
		o.version, "Golden Image Test Disk "+o.version)
	for name, content := range map[string]string{"etc/os-release": release, "etc/version": o.version + "\n"} {
		if err := os.WriteFile(filepath.Join(tree, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return errors.Join(
		addBusybox(filepath.Join(tree, "bin")),
		addDocs(filepath.Join(tree, "usr/share/doc")),
		addData(filepath.Join(tree, "var/lib/data"), o),
	)
}

// addBusybox adds a shell, if this machine has busybox.
func addBusybox(dir string) error {
	path, err := exec.LookPath("busybox")
	if err != nil {
		return nil //nolint:nilerr // a disk without it serves as well
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "busybox"), content, 0o755); err != nil {
		return err
	}
	return os.Symlink("busybox", filepath.Join(dir, "sh"))
}

func addDocs(dir string) error {
	found, err := filepath.Glob("/usr/share/doc/*/copyright")
	if err != nil {
		return err
	}
	left := docs
	for _, path := range found {
		content, err := os.ReadFile(path)
		if err != nil || len(content) > left {
			continue // a link to nowhere
		}
		left -= len(content)
		to := filepath.Join(dir, filepath.Base(filepath.Dir(path)))
		if err := os.WriteFile(to, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// addData adds files of up to 8 MiB.
func addData(dir string, o diskOptions) error {
	source := rand.NewChaCha8(sha256.Sum256([]byte(o.version)))
	for i, left := 0, int64(o.contentSize); left > 0; i++ {
		n := min(left, 8<<20)
		left -= n
		if err := addFile(filepath.Join(dir, fmt.Sprintf("%04d", i)), n, source); err != nil {
			return err
		}
	}
	return nil
}

func addFile(path string, n int64, source *rand.ChaCha8) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(file, 1<<20)
	noise := make([]byte, 4<<10)
	for written := int64(0); written < n && err == nil; written += int64(len(noise)) {
		_, _ = source.Read(noise) // it never fails
		block := noise
		if written%int64(2*len(noise)) == 0 { // text, which compresses well
			block = fmt.Appendf(nil, "%0*d", len(noise), source.Uint64())
		}
		_, err = w.Write(block[:min(int64(len(block)), n-written)])
	}
	return errors.Join(err, w.Flush(), file.Close())
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	importer "goldenimage.dev/pkg/apis/importer/v1"
)

// newWorker is this project's worker, as its Pod runs it.
func newWorker(program string, image pushed) contestant {
	run := func(ctx context.Context, dir string) (int64, error) {
		if err := prepare(dir, image.pinned); err != nil {
			return 0, err
		}
		var log bytes.Buffer
		cmd := exec.CommandContext(ctx, program, "--root", dir)
		cmd.Stderr = &log
		if err := cmd.Start(); err != nil {
			return 0, err
		}
		stop := watchMemory(cmd.Process.Pid)
		err := cmd.Wait()
		memory := stop()
		if err != nil {
			return 0, fmt.Errorf("%w: %s", err, bytes.TrimSpace(log.Bytes()))
		}
		return memory, nil
	}
	return contestant{name: "worker", run: run, output: filepath.Join(importer.TargetDir, importer.DiskName)}
}

// prepare makes what the kubelet mounts.
func prepare(dir, reference string) error {
	request, err := json.Marshal(importer.Request{
		Registry: &importer.RegistrySource{Reference: reference, Insecure: true},
		Target:   importer.Target{SizeBytes: diskSize},
	})
	if err != nil {
		return err
	}
	path := filepath.Join(dir, importer.RequestPath)
	for _, folder := range []string{
		filepath.Dir(path), filepath.Join(dir, importer.TargetDir),
		filepath.Join(dir, filepath.Dir(importer.TerminationMessagePath)), filepath.Join(dir, "tmp"),
	} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
	}
	return os.WriteFile(path, request, 0o644)
}

// newPipe is what one would do by hand: crane export | tar, then qemu-img.
func newPipe(self string, v variant, image pushed) contestant {
	const output = "disk.img"
	run := func(ctx context.Context, dir string) (int64, error) {
		out := filepath.Join(dir, output)
		if v.format == "raw" {
			return 0, errors.Join(extractTo(ctx, self, v, image, out), flush(out))
		}
		packed := filepath.Join(dir, "packed")
		if err := extractTo(ctx, self, v, image, packed); err != nil {
			return 0, err
		}
		if err := command(ctx, "qemu-img", "convert", "-f", v.format, "-O", "raw", packed, out); err != nil {
			return 0, err
		}
		return 0, flush(out)
	}
	name := "crane-like export | tar, qemu-img convert"
	if v.format == "raw" {
		name = "crane-like export | tar"
	}
	return contestant{name: name, run: run, output: output}
}

// extractTo writes the disk's file to a path.
func extractTo(ctx context.Context, self string, v variant, image pushed, path string) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	reader, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	export := exec.CommandContext(ctx, self, "-child", childExport, image.pinned)
	tar := exec.CommandContext(ctx, "tar", "-xOf", "-", v.file())
	var complaints1, complaints2 bytes.Buffer
	export.Stdout, export.Stderr = writer, &complaints1
	tar.Stdin, tar.Stdout, tar.Stderr = reader, file, &complaints2
	started := []error{export.Start(), tar.Start()}
	// Each end is left to the one that uses it, so that either sees when the other ends.
	err = errors.Join(append(started, writer.Close(), reader.Close())...)
	for i, cmd := range []*exec.Cmd{export, tar} {
		if started[i] == nil {
			err = errors.Join(err, cmd.Wait())
		}
	}
	if err != nil {
		return fmt.Errorf("export | tar: %w: %s %s", err, complaints1.String(), complaints2.String())
	}
	return nil
}

// flush waits until a file is on the disk.
func flush(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// newDownload is the limit: nobody who checks a digest is faster.
func newDownload(self string, image pushed) contestant {
	run := func(ctx context.Context, _ string) (int64, error) {
		return 0, command(ctx, self, "-child", childDownload, image.blob, image.blobDigest)
	}
	return contestant{name: "limit: download and SHA-256", run: run}
}

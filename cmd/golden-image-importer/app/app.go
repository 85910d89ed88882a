// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"runtime/debug"

	"goldenimage.dev/cmd/golden-image-importer/internal/report"
	importer "goldenimage.dev/pkg/apis/importer/v1"
	"goldenimage.dev/pkg/disk"
)

// memoryLimit is what the runtime tries to stay below, in bytes. The Pod may have 256 MiB, of
// which qemu-img needs a part while the worker waits for it.
const memoryLimit = 160 << 20

// options are the worker's flags. In a Pod none is given.
type options struct {
	// root is put in front of all paths of the contract, for tests and benchmarks.
	root    string
	qemuImg string
}

func (o options) path(p string) string { return filepath.Join(o.root, p) }

func parseOptions(arguments []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("golden-image-importer", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.root, "root", "/", "folder below which request, source and target are; for tests")
	flags.StringVar(&o.qemuImg, "qemu-img", "qemu-img", "program that converts images which are not raw")
	if err := flags.Parse(arguments); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return o, nil
}

// Run does what the Request says and returns the process's exit code. When ctx ends it stops
// with importer.ReasonInterrupted. With one of the commands as its first argument it does that
// in place.
func Run(ctx context.Context, arguments []string, stdout, stderr io.Writer) int {
	log := slog.New(slog.NewTextHandler(stderr, nil))
	debug.SetMemoryLimit(memoryLimit)
	if code, ok := runCommand(arguments, log); ok {
		return code
	}
	o, err := parseOptions(arguments, stderr)
	if err != nil {
		log.Error("Cannot start", "error", err)
		return importer.ExitUsage
	}
	progress := report.Start(stdout)
	result, code := recovered(log, func() (importer.Result, int) { return work(ctx, o, log, progress) })
	progress.Stop()
	result.BytesRead, result.BytesWritten = progress.Latest().BytesRead, progress.Latest().BytesWritten
	if err := report.Write(o.path(importer.TerminationMessagePath), result); err != nil {
		log.Error("Cannot leave the result", "error", err)
		code = max(code, importer.ExitRetry)
	}
	log.Info("Ended", "reason", result.Reason, "message", result.Message, "exitCode", code,
		"bytesRead", result.BytesRead, "bytesWritten", result.BytesWritten)
	return code
}

// recovered turns a panic into a Result. By itself it would end the process with a code that
// means something else, and leave no message.
func recovered(log *slog.Logger, work func() (importer.Result, int)) (result importer.Result, code int) {
	defer func() {
		if r := recover(); r != nil {
			log.Error("Internal error", "panic", r, "stack", string(debug.Stack()))
			result = importer.Result{Reason: importer.ReasonReadFailed, Message: "internal error of the worker: its log tells where"}
			code = importer.ExitRetry
		}
	}()
	return work()
}

func work(ctx context.Context, o options, log *slog.Logger, progress *report.Progress) (importer.Result, int) {
	request, err := readRequest(o.path(importer.RequestPath))
	if err != nil {
		return outcome(ctx, importer.Result{}, err)
	}
	in, err := open(ctx, o, request)
	if err != nil {
		return outcome(ctx, importer.Result{}, err)
	}
	defer in.close() //nolint:errcheck // it is read only, and errors of reading have been seen
	target := disk.Target{
		Path: o.path(filepath.Join(importer.TargetDir, importer.DiskName)), SizeBytes: request.Target.SizeBytes, Preallocate: request.Target.Preallocate,
	}
	if request.Target.Block {
		target.Path, target.Block = o.path(importer.TargetDevice), true
	}
	log.Info("Begins", "source", in.name, "target", target.Path, "block", target.Block, "sizeBytes", target.SizeBytes)
	engine := disk.New(disk.Config{
		QEMUImg: o.qemuImg, TempDir: o.path("/tmp"), Progress: func(p disk.Progress) { progress.Set(importer.Progress(p)) },
	})
	info, err := engine.Write(ctx, in.source, target)
	result := importer.Result{Digest: in.digest, Labels: in.labels, Format: string(info.Format), VirtualSizeBytes: info.VirtualSize}
	return outcome(ctx, result, err)
}

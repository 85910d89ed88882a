// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Command golden-image-importer fills one volume with one disk. It runs in a Pod that the
// server makes, reads what to do from a file, and leaves a Result as termination message.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"goldenimage.dev/cmd/golden-image-importer/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	code := app.Run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

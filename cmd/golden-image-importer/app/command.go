// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	importer "goldenimage.dev/pkg/apis/importer/v1"
)

// runCommand does what a command says by which the server asks a node for an image: a container
// whose image is not the worker's runs the worker's program, which ends at once. It returns
// the exit code; ok is false if there is no command.
func runCommand(arguments []string, log *slog.Logger) (code int, ok bool) {
	if len(arguments) == 0 {
		return 0, false
	}
	switch arguments[0] {
	case importer.CommandExit:
		return importer.ExitDone, true
	case importer.CommandCopy:
		if len(arguments) != 2 {
			log.Error("Cannot start", "error", importer.CommandCopy+" needs one path")
			return importer.ExitUsage, true
		}
		if err := copySelf(arguments[1]); err != nil {
			log.Error("Cannot copy the program", "error", err)
			return importer.ExitRetry, true
		}
		return importer.ExitDone, true
	}
	return 0, false
}

// copySelf writes this program, which needs no library, to a file that anybody may run.
func copySelf(path string) (err error) {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the program: %w", err)
	}
	from, err := os.Open(self)
	if err != nil {
		return err
	}
	defer from.Close()                                                      //nolint:errcheck // it reads only
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o755) //nolint:gosec // it is a program
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	if _, err := io.Copy(to, from); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

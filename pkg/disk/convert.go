// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// childMemory bounds the address space of qemu-img, in bytes.
	childMemory = 4 << 30
	// childStderr bounds what is kept of its complaints, in bytes.
	childStderr = 1 << 10
	// inheritedFile is how the child opens the file that it inherits, so that it reads the
	// very file that was checked.
	inheritedFile = "/proc/self/fd/3"
)

// convert writes an image by qemu-img, after its header has been checked.
func (e *Engine) convert(ctx context.Context, format Format, image *os.File, out output) (Info, error) {
	info := Info{Format: format}
	size, err := Inspect(format, image)
	if err != nil {
		return info, err
	}
	info.VirtualSize = roundUp(size)
	if info.VirtualSize > out.limit() {
		return info, tooLarge(info.VirtualSize, out.limit())
	}
	name, device := out.path()
	if err := e.runQEMUImg(ctx, format, image, name, device, info.VirtualSize); err != nil {
		return info, err
	}
	if err := out.reopen(); err != nil {
		return info, err
	}
	if !device {
		// Some headers do not tell the size exactly.
		written, err := sizeOf(out.file())
		if err != nil {
			return info, writeFailed(err, "measure the converted disk")
		}
		if written > out.limit() {
			return info, tooLarge(written, out.limit())
		}
		info.VirtualSize = roundUp(written)
	}
	return info, nil
}

func (e *Engine) runQEMUImg(ctx context.Context, format Format, image *os.File, target string, device bool, size int64) error {
	source, err := imageOptions(format)
	if err != nil {
		return err
	}
	arguments := []string{"convert", "-p", "-t", "writeback", "-O", "raw"}
	if device {
		arguments = append(arguments, "-n")
	}
	command := exec.CommandContext(ctx, e.config.QEMUImg, append(arguments, "--", source, target)...)
	command.Env, command.Dir, command.ExtraFiles, command.WaitDelay = []string{"LC_ALL=C"}, "/", []*os.File{image}, 5*time.Second
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var complaints limited
	command.Stderr = &complaints
	command.Stdout = &percentages{engine: e, size: size}
	// The child dies with the thread that started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := command.Start(); err != nil {
		return failf(Write, "start the conversion of the %s image: %w", format, err)
	}
	bound(command.Process.Pid, size, device)
	if err := command.Wait(); err != nil {
		return conversionFailed(ctx, format, err, complaints.String())
	}
	return nil
}

// imageOptions names the inherited file and its format, so that nothing is guessed, and says
// that there is no backing file, whatever the image says.
func imageOptions(format Format) (string, error) {
	options := map[string]any{
		"driver":    string(format),
		"read-only": true,
		"file":      map[string]any{"driver": "file", "filename": inheritedFile, "locking": "off"},
	}
	if format == VMDK {
		options["backing"] = nil
	}
	encoded, err := json.Marshal(options)
	if err != nil {
		return "", failf(Write, "name the image: %w", err)
	}
	return "json:" + string(encoded), nil
}

// bound limits what a hostile image can make the child do. That it fails is no reason to
// stop: the limits are a second line behind the checks of the header.
func bound(pid int, size int64, device bool) {
	limits := map[int]uint64{unix.RLIMIT_AS: childMemory, unix.RLIMIT_CORE: 0}
	if !device {
		// One cluster more: the disk's size may be rounded up.
		limits[unix.RLIMIT_FSIZE] = uint64(size) + 2<<20
	}
	for resource, limit := range limits {
		_ = unix.Prlimit(pid, resource, &unix.Rlimit{Cur: limit, Max: limit}, nil) // see above
	}
}

func conversionFailed(ctx context.Context, format Format, err error, complaints string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	text := strings.ReplaceAll(complaints, inheritedFile, "image")
	switch {
	case strings.Contains(text, "No space left on device"), strings.Contains(text, "Disk quota exceeded"):
		return writeFailed(fmt.Errorf("qemu-img: %w", syscall.ENOSPC), "convert the image")
	case strings.Contains(text, "error while writing"), strings.Contains(text, "Could not create"), strings.Contains(text, "Could not open '/"):
		return failf(Write, "convert the %s image: %s", format, text)
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return failf(Unsupported, "the %s image cannot be converted: %s", format, text)
	}
	// It was killed, such as for lack of memory.
	return failf(Write, "convert the %s image: qemu-img: %w", format, err)
}

// percentages turns qemu-img's output, such as "    (12.34/100%)\r", into progress.
type percentages struct {
	engine *Engine
	size   int64
	last   int64
	rest   string
}

func (w *percentages) Write(p []byte) (int, error) {
	w.rest += string(p)
	for {
		before, after, found := strings.Cut(w.rest, "/100%)")
		if !found {
			break
		}
		w.rest = after
		if percent, err := strconv.ParseFloat(before[strings.LastIndexByte(before, '(')+1:], 64); err == nil {
			w.report(percent / 100)
		}
	}
	w.rest = w.rest[max(0, len(w.rest)-childStderr):]
	return len(p), nil
}

func (w *percentages) report(fraction float64) {
	written := int64(fraction * float64(w.size))
	share := w.engine.readShare
	w.engine.advance(share+(1-share)*fraction, 0, max(written-w.last, 0))
	w.last = max(w.last, written)
}

// limited keeps the beginning of what is written to it, on one line.
type limited struct{ text []byte }

func (l *limited) Write(p []byte) (int, error) {
	l.text = append(l.text, p[:min(len(p), childStderr-len(l.text))]...)
	return len(p), nil
}

func (l *limited) String() string {
	return strings.ToValidUTF8(strings.Join(strings.Fields(string(l.text)), " "), "?")
}

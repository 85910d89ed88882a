// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const mib = 1 << 20

// sampleDisk has data at its beginning, in a small island, and at its end, and holes between.
func sampleDisk() []byte {
	content := make([]byte, 12*mib)
	random := rand.NewChaCha8([32]byte{7})
	for _, part := range [][2]int{{0, 2*mib + 300}, {5*mib + 4096, 5*mib + 8192}, {11 * mib, 12 * mib}} {
		_, _ = random.Read(content[part[0]:part[1]]) // it never fails
	}
	return content
}

// qemuImg runs the program that the Engine converts with.
func qemuImg(t testing.TB, arguments ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "qemu-img", arguments...).CombinedOutput(); err != nil {
		t.Fatalf("qemu-img is needed (Debian's package qemu-utils): %v: %s", err, out)
	}
}

// imageOf returns a raw disk as an image of a format.
func imageOf(t testing.TB, raw []byte, format string, options ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	if err := os.WriteFile(in, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	qemuImg(t, append(append([]string{"convert", "-f", "raw", "-O", format}, options...), in, out)...)
	image, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

func fileOf(t testing.TB, content []byte) *os.File {
	t.Helper()
	name := filepath.Join(t.TempDir(), "source")
	if err := os.WriteFile(name, content, 0o400); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() }) //nolint:errcheck // it reads only
	return f
}

func compress(t testing.TB, content []byte, format Format) []byte {
	t.Helper()
	var out bytes.Buffer
	w := io.WriteCloser(gzip.NewWriter(&out))
	if format == Zstd {
		encoder, err := zstd.NewWriter(&out)
		if err != nil {
			t.Fatal(err)
		}
		w = encoder
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// images are the sample disk in all forms, by name.
func images(t testing.TB) map[string]struct {
	content []byte
	format  Format
} {
	raw := sampleDisk()
	qcow2 := imageOf(t, raw, "qcow2")
	return map[string]struct {
		content []byte
		format  Format
	}{
		"raw":                       {raw, Raw},
		"qcow2":                     {qcow2, QCOW2},
		"qcow2, compressed":         {imageOf(t, raw, "qcow2", "-c"), QCOW2},
		"qcow2, of version 2":       {imageOf(t, raw, "qcow2", "-o", "compat=0.10"), QCOW2},
		"qcow2, small clusters":     {imageOf(t, raw, "qcow2", "-o", "cluster_size=512"), QCOW2},
		"qcow2, extended tables":    {imageOf(t, raw, "qcow2", "-o", "extended_l2=on"), QCOW2},
		"vmdk":                      {imageOf(t, raw, "vmdk"), VMDK},
		"vmdk, optimized to stream": {imageOf(t, raw, "vmdk", "-o", "subformat=streamOptimized"), VMDK},
		"vdi":                       {imageOf(t, raw, "vdi"), VDI},
		"vhd":                       {imageOf(t, raw, "vpc", "-o", "force_size"), VHD},
		"vhdx":                      {imageOf(t, raw, "vhdx"), VHDX},
		"raw in gzip":               {compress(t, raw, Gzip), Raw},
		"qcow2 in zstd":             {compress(t, qcow2, Zstd), QCOW2},
	}
}

func TestWriteMakesTheSameDisk(t *testing.T) {
	want := sampleDisk()
	for name, image := range images(t) {
		for how, source := range map[string]Source{
			"a stream":                 {Stream: bytes.NewReader(image.content), Size: int64(len(image.content))},
			"a stream of unknown size": {Stream: iotest.HalfReader(bytes.NewReader(image.content))},
			"a file":                   {File: fileOf(t, image.content)},
		} {
			t.Run(name+" from "+how, func(t *testing.T) {
				target := Target{Path: filepath.Join(t.TempDir(), "disk.img")}
				var last Progress
				info, err := New(Config{Progress: func(p Progress) { last = p }}).Write(t.Context(), source, target)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(Info{Format: image.format, VirtualSize: int64(len(want))}, info); diff != "" {
					t.Error(diff)
				}
				checkDisk(t, target.Path, want, int64(len(want)))
				if last.Fraction != 1 || last.BytesRead == 0 || last.BytesWritten < int64(len(want))-mib {
					t.Errorf("it ended with %+v", last)
				}
			})
		}
	}
}

// checkDisk compares a file target and looks at all that a Write promises of it.
func checkDisk(t *testing.T, path string, want []byte, size int64) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(got)) != size {
		t.Errorf("the disk has %d bytes, want %d", len(got), size)
	}
	if !bytes.Equal(got[:min(len(got), len(want))], want) {
		t.Error("the disk has other bytes")
	}
	stat, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if stat.Mode() != 0o660 {
		t.Errorf("the disk's mode is %s", stat.Mode())
	}
	if blocks := stat.Sys().(*syscall.Stat_t).Blocks * 512; blocks > 5*mib {
		t.Errorf("the disk takes %d bytes of its volume", blocks)
	}
	checkOnly(t, filepath.Dir(path), filepath.Base(path))
}

// checkOnly looks for files that should be gone.
func checkOnly(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWriteGrowsTheFile(t *testing.T) {
	raw := sampleDisk()
	for name, content := range map[string][]byte{"raw": raw, "qcow2": imageOf(t, raw, "qcow2")} {
		t.Run(name, func(t *testing.T) {
			target := Target{Path: filepath.Join(t.TempDir(), "disk.img"), SizeBytes: 40*mib + 100}
			info, err := New(Config{}).Write(t.Context(), Source{Stream: bytes.NewReader(content)}, target)
			if err != nil {
				t.Fatal(err)
			}
			if info.VirtualSize != int64(len(raw)) {
				t.Errorf("virtual size %d", info.VirtualSize)
			}
			checkDisk(t, target.Path, append(raw, make([]byte, 28*mib)...), 40*mib)
		})
	}
}

func TestWriteFillsTheLastSector(t *testing.T) {
	for name, source := range map[string]Source{
		"a stream": {Stream: strings.NewReader("hello"), Size: 5},
		"a file":   {File: fileOf(t, []byte("hello"))},
	} {
		t.Run(name, func(t *testing.T) {
			target := Target{Path: filepath.Join(t.TempDir(), "disk.img")}
			if _, err := New(Config{}).Write(t.Context(), source, target); err != nil {
				t.Fatal(err)
			}
			checkDisk(t, target.Path, append([]byte("hello"), make([]byte, 507)...), 512)
		})
	}
}

func TestWriteRefusesALargerDisk(t *testing.T) {
	raw := sampleDisk()
	qcow2 := imageOf(t, raw, "qcow2")
	const says = "virtual image size 12582912 is larger than the reported available storage 8388608. A larger PVC is required"
	for name, test := range map[string]struct {
		source Source
		says   string
	}{
		"raw":                 {Source{Stream: bytes.NewReader(raw), Size: int64(len(raw))}, says},
		"raw of unknown size": {Source{Stream: bytes.NewReader(raw)}, "is larger than the reported available storage 8388608. A larger PVC is required"},
		"raw file":            {Source{File: fileOf(t, raw)}, says},
		"qcow2":               {Source{Stream: bytes.NewReader(qcow2)}, says},
		"qcow2 file":          {Source{File: fileOf(t, qcow2)}, says},
		"vhdx":                {Source{Stream: bytes.NewReader(imageOf(t, raw, "vhdx"))}, says},
		"a small image of 1 EiB": {Source{Stream: bytes.NewReader(compress(t, make([]byte, 9*mib), Gzip))},
			"is larger than the reported available storage"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			_, err := New(Config{}).Write(t.Context(), test.source, Target{Path: filepath.Join(dir, "disk.img"), SizeBytes: 8 * mib})
			checkError(t, err, TooLarge, test.says)
			checkOnly(t, dir)
		})
	}
}

func checkError(t *testing.T, err error, want Kind, says string) {
	t.Helper()
	var typed *Error
	if !errors.As(err, &typed) || typed.Kind != want {
		t.Fatalf("got %v, want kind %d", err, want)
	}
	if !strings.Contains(err.Error(), says) {
		t.Errorf("error %q lacks %q", err, says)
	}
}

func TestWriteKeepsNothingOfABrokenSource(t *testing.T) {
	broken := errors.New("the line is dead")
	raw := sampleDisk()
	for name, content := range map[string][]byte{"raw": raw, "qcow2": imageOf(t, raw, "qcow2"), "raw in gzip": compress(t, raw, Gzip)} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			// All bytes arrive, and only then it turns out that they are not good.
			stream := io.MultiReader(bytes.NewReader(content), iotest.ErrReader(broken))
			_, err := New(Config{}).Write(t.Context(), Source{Stream: stream}, Target{Path: filepath.Join(dir, "disk.img")})
			checkError(t, err, Read, "the line is dead")
			if !errors.Is(err, broken) {
				t.Error("the cause is lost")
			}
			checkOnly(t, dir)
		})
	}
}

func TestWriteEndsWhenItIsCanceled(t *testing.T) {
	raw := sampleDisk()
	for name, source := range map[string]func(context.CancelFunc) Source{
		"while it reads a raw disk": func(cancel context.CancelFunc) Source {
			return Source{Stream: &canceling{Reader: bytes.NewReader(raw), after: 3 * mib, cancel: cancel}}
		},
		"while it stores an image": func(cancel context.CancelFunc) Source {
			return Source{Stream: &canceling{Reader: bytes.NewReader(imageOf(t, raw, "qcow2")), after: 2 * mib, cancel: cancel}}
		},
		"before it converts": func(cancel context.CancelFunc) Source {
			cancel()
			return Source{File: fileOf(t, imageOf(t, raw, "qcow2"))}
		},
		"before it copies": func(cancel context.CancelFunc) Source {
			cancel()
			return Source{File: fileOf(t, raw), Raw: true}
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			dir := t.TempDir()
			_, err := New(Config{}).Write(ctx, source(cancel), Target{Path: filepath.Join(dir, "disk.img")})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			checkOnly(t, dir)
		})
	}
}

type canceling struct {
	io.Reader
	after  int
	cancel context.CancelFunc
}

func (c *canceling) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if c.after -= n; c.after <= 0 {
		c.cancel()
	}
	return n, err
}

func TestWriteRemovesLeftovers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disk.img")
	for _, name := range []string{path, path + partialSuffix, path + spoolSuffix} {
		if err := os.WriteFile(name, bytes.Repeat([]byte("old"), mib), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := sampleDisk()
	if _, err := New(Config{}).Write(t.Context(), Source{Stream: bytes.NewReader(want)}, Target{Path: path}); err != nil {
		t.Fatal(err)
	}
	checkDisk(t, path, want, int64(len(want)))
}

func TestWriteDoesNotLookIntoADisk(t *testing.T) {
	// A guest may have put an image with a backing file on its disk.
	dir := t.TempDir()
	image := filepath.Join(dir, "evil.qcow2")
	qemuImg(t, "create", "-q", "-u", "-f", "qcow2", "-F", "raw", "-b", "/etc/passwd", image, "1M")
	want, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, make([]byte, roundUp(int64(len(want)))-int64(len(want)))...)
	for name, source := range map[string]Source{
		"a file":   {File: fileOf(t, want), Raw: true},
		"a stream": {Stream: bytes.NewReader(want), Raw: true},
	} {
		t.Run(name, func(t *testing.T) {
			target := Target{Path: filepath.Join(t.TempDir(), "disk.img")}
			info, err := New(Config{}).Write(t.Context(), source, target)
			if err != nil || info.Format != Raw {
				t.Fatalf("got %+v, %v", info, err)
			}
			checkDisk(t, target.Path, want, int64(len(want)))
		})
	}
}

func TestWritePreallocates(t *testing.T) {
	raw := sampleDisk()
	for name, source := range map[string]Source{
		"raw":   {Stream: bytes.NewReader(raw)},
		"qcow2": {Stream: bytes.NewReader(imageOf(t, raw, "qcow2"))},
		"clone": {File: fileOf(t, raw), Raw: true},
	} {
		t.Run(name, func(t *testing.T) {
			target := Target{Path: filepath.Join(t.TempDir(), "disk.img"), SizeBytes: 16 * mib, Preallocate: true}
			if _, err := New(Config{}).Write(t.Context(), source, target); err != nil {
				t.Fatal(err)
			}
			stat, err := os.Stat(target.Path)
			if err != nil {
				t.Fatal(err)
			}
			if blocks := stat.Sys().(*syscall.Stat_t).Blocks * 512; blocks < 16*mib {
				t.Errorf("%d bytes are allocated", blocks)
			}
		})
	}
}

func TestWriteTellsWhatItCannotWrite(t *testing.T) {
	_, err := New(Config{}).Write(t.Context(), Source{Stream: strings.NewReader("x")}, Target{Path: filepath.Join(t.TempDir(), "gone", "disk.img")})
	checkError(t, err, Write, "no such file")
	_, err = New(Config{}).Write(t.Context(), Source{Stream: strings.NewReader("x")}, Target{Path: fileOf(t, nil).Name(), Block: true})
	checkError(t, err, Write, "not a block device")
	_, err = New(Config{QEMUImg: "/gone/qemu-img"}).Write(t.Context(), Source{Stream: bytes.NewReader(imageOf(t, sampleDisk(), "vmdk"))},
		Target{Path: filepath.Join(t.TempDir(), "disk.img")})
	checkError(t, err, Write, "/gone/qemu-img")
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRunRefusesWrongArguments(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want []string // in the message
	}{
		"an unknown name lists the known ones": {[]string{"exprot"}, []string{`"exprot"`, "import", "poll", "api"}},
		"two names":                            {[]string{"import", "poll"}, []string{`"import poll"`}},
		"an unknown flag":                      {[]string{"-fast"}, []string{"-fast"}},
		"an unknown child":                     {[]string{"-child", "none"}, []string{"none"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := run(t.Context(), append([]string{"-out", t.TempDir()}, test.args...), io.Discard, io.Discard)
			if err == nil || exitCode(err) != 2 {
				t.Fatalf("error = %v, want one with exit code 2", err)
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error = %v, without %s", err, part)
				}
			}
		})
	}
}

func TestChooseTakesAllWithoutAName(t *testing.T) {
	for name, test := range map[string]struct {
		names, want []string
	}{
		"none is all": {nil, []string{"import", "poll", "api"}},
		"one is one":  {[]string{"poll"}, []string{"poll"}},
	} {
		t.Run(name, func(t *testing.T) {
			chosen, err := choose(benchmarks(), test.names)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, b := range chosen {
				got = append(got, b.name)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("benchmarks (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDiskIsTheSameEachTimeAndCompressesToAboutHalf(t *testing.T) {
	const size, filled = 32 << 20, 8 << 20
	dir := t.TempDir()
	var disks [2][]byte
	for i := range disks {
		path := filepath.Join(dir, "disk")
		if err := writeDisk(path, size, filled); err != nil {
			t.Fatal(err)
		}
		var err error
		if disks[i], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(disks[0], disks[1]) {
		t.Error("two disks differ")
	}
	if len(disks[0]) != size {
		t.Errorf("size = %d, want %d", len(disks[0]), size)
	}
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	if _, err := zip.Write(disks[0]); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	if ratio := float64(packed.Len()) / filled; ratio < 0.35 || ratio > 0.65 {
		t.Errorf("compressed to %.2f of what is filled", ratio)
	}
}

func TestPeakOf(t *testing.T) {
	for name, test := range map[string]struct {
		status string
		want   int64
	}{
		"a process that runs":   {"Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t 1024 kB\n", 2 << 20},
		"a process that ended":  {"Name:\tx\nState:\tZ (zombie)\n", 0},
		"a value of other kind": {"VmHWM:\tmuch\n", 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := peakOf(test.status); got != test.want {
				t.Errorf("peak = %d, want %d", got, test.want)
			}
		})
	}
}

func TestSampleTakesChildrenAndTheLatestPeak(t *testing.T) {
	proc := t.TempDir()
	for path, text := range map[string]string{
		"1/status":          "VmHWM:\t100 kB\n",
		"1/task/1/children": "",
		"1/task/2/children": "3 4",
		"3/status":          "VmHWM:\t10 kB\n",
		"4/status":          "State:\tZ (zombie)\n",
	} {
		file := filepath.Join(proc, path)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	peaks := map[int]int64{3: 100 << 10, 4: 5 << 10}
	sample(proc, 1, peaks)
	if diff := cmp.Diff(map[int]int64{1: 100 << 10, 3: 10 << 10, 4: 5 << 10}, peaks); diff != "" {
		t.Errorf("peaks (-want +got):\n%s", diff)
	}
}

func TestChildrenReadWhatWasPushed(t *testing.T) {
	registry, err := serve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = registry.close() })
	disk := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(disk, []byte("the disk"), 0o600); err != nil {
		t.Fatal(err)
	}
	made, err := variant{name: "gzip-raw", format: "raw"}.newImage(disk)
	if err != nil {
		t.Fatal(err)
	}
	image, err := registry.push(t.Context(), "gzip-raw", made)
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	if err := runChild(t.Context(), childExport, []string{image.pinned}, &archive); err != nil {
		t.Error(err)
	}
	if !bytes.Contains(archive.Bytes(), []byte("the disk")) || !bytes.Contains(archive.Bytes(), []byte("disk/disk.raw")) {
		t.Errorf("the archive of %d bytes lacks the disk", archive.Len())
	}
	if err := runChild(t.Context(), childDownload, []string{image.blob, image.blobDigest}, io.Discard); err != nil {
		t.Error(err)
	}
	if err := runChild(t.Context(), childDownload, []string{image.blob, "00"}, io.Discard); err == nil {
		t.Error("a wrong digest is not noticed")
	}
	for _, p := range []poller{{"resolver", startResolver}, {"head", startHead}, {"puller", startPuller}} {
		ask, stop, err := p.start(image.tag)
		if err != nil {
			t.Fatal(err)
		}
		digest, err := ask(t.Context())
		stop()
		if diff := cmp.Diff(image.digest, digest); diff != "" || err != nil {
			t.Errorf("%s: error %v, digest (-want +got):\n%s", p.name, err, diff)
		}
	}
}

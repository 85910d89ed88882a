// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

func TestParseListsAllErrors(t *testing.T) {
	_, err := parse([]string{"-format", "vmdk", "-layout", "x", "-compress", "-content-size", "1Gi", "rest"})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"rest", "-format", "-layout", "-compress", "-content-size", "nothing to do"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %q in %q", want, err)
		}
	}
}

// entry is what matters of a tar entry.
type entry struct {
	Name     string
	Mode     int64
	UID, GID int
}

func TestMakeImage(t *testing.T) {
	dir := t.TempDir()
	disk := filepath.Join(dir, "disk.qcow2")
	if err := os.WriteFile(disk, []byte("QFI\xfb"), 0o600); err != nil {
		t.Fatal(err)
	}
	img, err := makeImage(filepath.Join(dir, "layer"), "disk", disk)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(img, validate.Fast); err != nil {
		t.Errorf("invalid image: %v", err)
	}
	layers, err := img.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%d layers, error %v, want one", len(layers), err)
	}
	got, plain := readLayer(t, filepath.Join(dir, "layer"))
	want := []entry{{"disk/", 0o555, 107, 107}, {"disk/disk.qcow2", 0o440, 107, 107}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("layer (-want +got):\n%s", diff)
	}
	diffID, err := layers[0].DiffID()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fmt.Sprintf("%x", sha256.Sum256(plain)), diffID.Hex); diff != "" {
		t.Errorf("diff ID (-want +got):\n%s", diff)
	}
}

func readLayer(t *testing.T, path string) (entries []entry, plain []byte) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	unzip, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err = io.ReadAll(unzip); err != nil {
		t.Fatal(err)
	}
	archive := tar.NewReader(bytes.NewReader(plain))
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return entries, plain
		} else if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, entry{h.Name, h.Mode, h.Uid, h.Gid})
	}
}

// runs holds what one run of the command leaves.
type runs struct{ Digest, Sum string }

func TestRunIsReproducible(t *testing.T) {
	for _, program := range []string{"mkfs.ext4", "debugfs", "qemu-img"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%v: hack/install-packages.sh installs it", err)
		}
	}
	first, again, other := runOnce(t, "1"), runOnce(t, "1"), runOnce(t, "2")
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("the same version differs (-first +second):\n%s", diff)
	}
	if first.Digest == other.Digest || first.Sum == other.Sum {
		t.Errorf("another version gives the same: %+v", other)
	}
}

func runOnce(t *testing.T, version string) (got runs) {
	t.Helper()
	dir := t.TempDir()
	sum := filepath.Join(dir, "sum")
	var stdout bytes.Buffer
	err := run(t.Context(), []string{
		"-version", version, "-virtual-size", "64Mi", "-content-size", "3Mi",
		"-raw-sum", sum, "-name", "registry.test/disk:1", "-out", filepath.Join(dir, "out.tar"),
	}, &stdout)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(sum)
	if err != nil {
		t.Fatal(err)
	}
	return runs{Digest: stdout.String(), Sum: string(content)}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// build makes a static binary for an architecture.
func build(t *testing.T, architecture string) string {
	t.Helper()
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() { println(\"hello\") }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "hello")
	command := exec.CommandContext(t.Context(), "go", "build", "-o", binary, source)
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+architecture, "GOFLAGS=", "GOWORK=off")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return binary
}

func runImage(t *testing.T, arguments ...string) string {
	t.Helper()
	var stdout bytes.Buffer
	if err := run(t.Context(), arguments, &stdout); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(stdout.String())
}

func qemuImg(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("qemu-img")
	if err != nil {
		t.Fatalf("qemu-img is needed (Debian's package qemu-utils): %v", err)
	}
	return program
}

func TestTheSameFilesMakeTheSameImage(t *testing.T) {
	binary, dir := build(t, runtime.GOARCH), t.TempDir()
	var digests []string
	var archives [][]byte
	for _, name := range []string{"first", "second"} {
		out := filepath.Join(dir, name)
		digests = append(digests, runImage(t, "-name", "golden-image.test/hello:dev", "-out", out, "-binary", binary, "-entrypoint", "/hello",
			"-with-program", qemuImg(t)))
		content, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		archives = append(archives, content)
	}
	if digests[0] != digests[1] || !bytes.Equal(archives[0], archives[1]) {
		t.Errorf("digests %s, equal archives %v", digests, bytes.Equal(archives[0], archives[1]))
	}
}

// unpack extracts a tar file below a folder.
func unpack(t *testing.T, r io.Reader, dir string) {
	t.Helper()
	for archive := tar.NewReader(r); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, filepath.Clean("/"+header.Name))
		if header.Typeflag == tar.TypeDir {
			if err := errors.Join(os.MkdirAll(path, 0o755), os.Chmod(path, header.FileInfo().Mode())); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, header.FileInfo().Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	}
}

// load reads an archive as a container engine does.
func load(t *testing.T, archive string) v1.ImageIndex {
	t.Helper()
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // it reads only
	dir := t.TempDir()
	unpack(t, f, dir)
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	return index
}

func TestTheImageIsCompleteAndRuns(t *testing.T) {
	out := filepath.Join(t.TempDir(), "image.tar")
	digest := runImage(t, "-name", "golden-image.test/hello:dev", "-out", out, "-binary", build(t, runtime.GOARCH),
		"-entrypoint", "/bin/hello", "-user", "107:107", "-with-program", qemuImg(t))
	index := load(t, out)
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if got := manifest.Manifests[0].Annotations["io.containerd.image.name"]; got != "golden-image.test/hello:dev" || manifest.Manifests[0].Digest.String() != digest {
		t.Errorf("the archive holds %+v, want %s", manifest.Manifests[0], digest)
	}
	image, err := index.Image(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(image); err != nil {
		t.Error(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	want := v1.Config{User: "107:107", Entrypoint: []string{"/bin/hello"}, Env: []string{searchPath}, WorkingDir: "/"}
	if diff := cmp.Diff(want, config.Config); diff != "" || config.Architecture != runtime.GOARCH {
		t.Errorf("%s: %s", config.Architecture, diff)
	}
	root := t.TempDir()
	content := mutate.Extract(image)
	unpack(t, content, root)
	if err := content.Close(); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(root, "tmp/raw"), bytes.Repeat([]byte("golden"), 100000), 0o644); err != nil { //nolint:gosec // the user of the image reads it
		t.Fatal(err)
	}
	inRoot(t, root, "/bin/hello")
	inRoot(t, root, qemuImg(t), "convert", "-f", "raw", "-O", "qcow2", "-c", "/tmp/raw", "/tmp/qcow2")
	var info struct {
		Size int64 `json:"virtual-size"`
	}
	if err := json.Unmarshal(inRoot(t, root, qemuImg(t), "info", "-f", "qcow2", "--output", "json", "/tmp/qcow2"), &info); err != nil || info.Size != 600064 {
		t.Errorf("%+v, %v", info, err)
	}
}

// inRoot runs a program that sees nothing but the image.
func inRoot(t *testing.T, root, program string, arguments ...string) []byte {
	t.Helper()
	command := exec.CommandContext(t.Context(), program, arguments...)
	command.Env, command.Dir = []string{searchPath}, "/"
	command.SysProcAttr = &syscall.SysProcAttr{
		Chroot: root, Cloneflags: syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	var complaints bytes.Buffer
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s in the image: %v: %s", program, err, complaints.String())
	}
	return out
}

func TestAnIndexForSeveralArchitectures(t *testing.T) {
	out := filepath.Join(t.TempDir(), "image.tar")
	runImage(t, "-name", "golden-image.test/hello:dev", "-out", out, "-binary", build(t, "amd64"), "-binary", build(t, "arm64"), "-entrypoint", "/hello")
	outer, err := load(t, out).IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	index, err := load(t, out).ImageIndex(outer.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var platforms []string
	for _, m := range manifest.Manifests {
		platforms = append(platforms, m.Platform.String())
	}
	if diff := cmp.Diff([]string{"linux/amd64", "linux/arm64"}, platforms); diff != "" {
		t.Error(diff)
	}
}

func TestErrors(t *testing.T) {
	binary := build(t, runtime.GOARCH)
	foreign := "arm64"
	if runtime.GOARCH == foreign {
		foreign = "amd64"
	}
	out := filepath.Join(t.TempDir(), "image.tar")
	for name, test := range map[string]struct {
		arguments []string
		says      []string
	}{
		"all flags wrong": {
			[]string{"-user", "root", "-with-program", "x", "-sysroot", "y", "-entrypoint", "z", "rest"},
			[]string{"nothing to do", "-binary", "-user", "-with-program", "-sysroot", "-entrypoint", "rest"},
		},
		"a dynamic binary":     {[]string{"-binary", qemuImg(t), "-entrypoint", "/x", "-name", "a.test/b:c", "-out", out}, []string{"CGO_ENABLED=0"}},
		"a binary that is not": {[]string{"-binary", "main.go", "-entrypoint", "/x", "-name", "a.test/b:c", "-out", out}, []string{"main.go"}},
		"two of a kind":        {[]string{"-binary", binary, "-binary", binary, "-entrypoint", "/x", "-name", "a.test/b:c", "-out", out}, []string{"two binaries"}},
		"a program that the architecture lacks": {
			[]string{"-binary", build(t, foreign), "-entrypoint", "/x", "-name", "a.test/b:c", "-out", out, "-with-program", "/usr/bin/qemu-img"},
			[]string{foreign, "-sysroot " + foreign + "=DIR"},
		},
		"a program that its root lacks": {
			[]string{"-binary", build(t, foreign), "-entrypoint", "/x", "-name", "a.test/b:c", "-out", out, "-with-program", "/usr/bin/qemu-img", "-sysroot", foreign + "=" + t.TempDir()},
			[]string{"/usr/bin/qemu-img", foreign},
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := run(t.Context(), test.arguments, io.Discard)
			if err == nil {
				t.Fatal("no error")
			}
			for _, s := range test.says {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("error %q lacks %q", err, s)
				}
			}
		})
	}
	if _, err := os.Stat(out); !os.IsNotExist(err) {
		t.Errorf("an archive was left: %v", err)
	}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	importer "goldenimage.dev/pkg/apis/importer/v1"
	"goldenimage.dev/test/registry"
)

const (
	mib = 1 << 20
	// childVariable makes the test binary a worker, to be killed.
	childVariable = "GOLDEN_IMAGE_IMPORTER_TEST_ROOT"
)

func TestMain(m *testing.M) {
	if root := os.Getenv(childVariable); root != "" {
		os.Exit(Run(context.Background(), []string{"--root", root}, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// pod is a worker's file system.
type pod struct{ root string }

func newPod(t *testing.T) pod {
	t.Helper()
	p := pod{t.TempDir()}
	for _, dir := range []string{"/etc/golden-image", importer.TargetDir, "/dev", "/tmp"} {
		if err := os.MkdirAll(filepath.Join(p.root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func (p pod) path(name string) string { return filepath.Join(p.root, name) }

func (p pod) disk() string { return p.path(filepath.Join(importer.TargetDir, importer.DiskName)) }

func (p pod) write(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(p.path(name)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.path(name), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (p pod) request(t *testing.T, r importer.Request) {
	t.Helper()
	content, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	p.write(t, importer.RequestPath, content)
}

// run runs a worker and returns its Result, exit code, and all that it printed.
func (p pod) run(t *testing.T, ctx context.Context) (importer.Result, int, string) { //nolint:revive // t goes first in helpers
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := Run(ctx, []string{"--root", p.root}, &stdout, &stderr)
	content, err := os.ReadFile(p.path(importer.TerminationMessagePath))
	if err != nil {
		t.Fatal(err)
	}
	var r importer.Result
	if err := json.Unmarshal(content, &r); err != nil {
		t.Fatal(err)
	}
	all := stdout.String() + stderr.String() + string(content)
	if strings.Contains(all, "hunter2") || strings.Contains(all, "sesame") {
		t.Errorf("a credential is in the output: %s", all)
	}
	return r, code, stdout.String()
}

// sampleDisk is a raw disk with holes, and large enough to be stopped in the middle.
func sampleDisk() []byte {
	content := make([]byte, 24*mib)
	random := rand.NewChaCha8([32]byte{3})
	_, _ = random.Read(content[:5*mib])          // it never fails
	_, _ = random.Read(content[20*mib : 23*mib]) // it never fails
	return content
}

// qcow2 is the sample disk as the image that qemu-img makes of it.
func qcow2(t *testing.T, raw []byte) []byte {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	if err := os.WriteFile(in, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if message, err := exec.CommandContext(t.Context(), "qemu-img", "convert", "-f", "raw", "-O", "qcow2", in, out).CombinedOutput(); err != nil {
		t.Fatalf("qemu-img is needed (Debian's package qemu-utils): %v: %s", err, message)
	}
	image, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// push puts an image into a new registry, and what is needed to read it into the pod.
func (p pod) push(t *testing.T, what remote.Taggable, c registry.Config) (r *registry.Registry, reference, digest string) {
	t.Helper()
	r = registry.New(t, c)
	digest = r.Push(t, "images/fedora", "latest", what)
	p.write(t, importer.CertificatesDir+"/ca.crt", r.CertificatePEM())
	return r, r.Host + "/images/fedora@" + digest, digest
}

func checkDisk(t *testing.T, path string, want []byte, size int) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != size || !bytes.Equal(got[:len(want)], want) {
		t.Errorf("the disk has %d bytes, or other ones", len(got))
	}
}

func TestImportFromARegistry(t *testing.T) {
	raw := sampleDisk()
	for name, test := range map[string]struct {
		content []byte
		file    string
		format  string
	}{
		"raw":   {raw, "fedora.img", "raw"},
		"qcow2": {qcow2(t, raw), "fedora.qcow2", "qcow2"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPod(t)
			_, reference, digest := p.push(t, registry.NewImage(t, registry.Image{
				Layers:      []registry.Layer{{{Name: "disk/" + test.file, Content: test.content}}},
				Environment: []string{"INSTANCETYPE_KUBEVIRT_IO_DEFAULT_PREFERENCE=fedora"},
			}), registry.Config{Username: "ada", Password: "hunter2", Token: true})
			p.write(t, importer.CredentialsDir+"/accessKeyId", []byte("ada\n"))
			p.write(t, importer.CredentialsDir+"/secretKey", []byte("hunter2\n"))
			p.request(t, importer.Request{Registry: &importer.RegistrySource{Reference: reference}, Target: importer.Target{SizeBytes: 32 * mib}})
			got, code, stdout := p.run(t, t.Context())
			want := importer.Result{
				Reason: importer.ReasonDone, Digest: digest, VirtualSizeBytes: 24 * mib, Format: test.format,
				BytesRead: int64(len(test.content)),
				Labels:    map[string]string{"instancetype.kubevirt.io/default-preference": "fedora"},
			}
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(want, "BytesWritten")); diff != "" || code != importer.ExitDone {
				t.Errorf("exit code %d: %s", code, diff)
			}
			checkDisk(t, p.disk(), raw, 32*mib)
			checkProgress(t, stdout)
		})
	}
}

func checkProgress(t *testing.T, stdout string) {
	t.Helper()
	var last importer.Progress
	for line := range strings.Lines(stdout) {
		if err := json.Unmarshal([]byte(line), &last); err != nil {
			t.Errorf("line %q: %v", line, err)
		}
	}
	if last.Fraction != 1 {
		t.Errorf("the last progress is %+v", last)
	}
}

func TestImportByADockerConfig(t *testing.T) {
	p := newPod(t)
	raw := sampleDisk()
	r, reference, _ := p.push(t, registry.ContainerDisk(t, "a.img", raw), registry.Config{Username: "ada", Password: "hunter2"})
	p.write(t, importer.CredentialsDir+"/.dockerconfigjson", []byte(`{"auths":{"`+r.Host+`":{"username":"ada","password":"hunter2"}}}`))
	p.request(t, importer.Request{Registry: &importer.RegistrySource{Reference: reference}})
	if got, code, _ := p.run(t, t.Context()); code != importer.ExitDone {
		t.Errorf("%+v", got)
	}
	checkDisk(t, p.disk(), raw, len(raw))
}

func TestImportFromAMountedImage(t *testing.T) {
	raw := sampleDisk()
	for name, content := range map[string][]byte{"raw": raw, "qcow2": qcow2(t, raw)} {
		t.Run(name, func(t *testing.T) {
			p := newPod(t)
			p.write(t, importer.ImageDir+"/disk/fedora", content)
			digest := "sha256:" + strings.Repeat("ab", 32)
			p.request(t, importer.Request{Image: &importer.ImageSource{Reference: "quay.io/a/b@" + digest}, Target: importer.Target{SizeBytes: 32 * mib}})
			got, code, stdout := p.run(t, t.Context())
			if code != importer.ExitDone || got.Digest != digest || got.Format != name || got.VirtualSizeBytes != 24*mib {
				t.Errorf("%+v", got)
			}
			checkDisk(t, p.disk(), raw, 32*mib)
			checkProgress(t, stdout)
		})
	}
}

func TestClone(t *testing.T) {
	p := newPod(t)
	// What a guest put on its disk is no image, even if it looks like one.
	raw := qcow2(t, sampleDisk())
	p.write(t, importer.SourceDir+"/"+importer.DiskName, raw)
	p.request(t, importer.Request{Clone: &importer.CloneSource{Name: "ns/pvc"}})
	got, code, stdout := p.run(t, t.Context())
	if code != importer.ExitDone || got.Format != "raw" || got.VirtualSizeBytes != int64(len(raw)) {
		t.Errorf("%+v", got)
	}
	checkDisk(t, p.disk(), raw, len(raw))
	checkProgress(t, stdout)
}

func TestCloneFromABlockDevice(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a block device can be made by root alone")
	}
	p, raw := newPod(t), sampleDisk()
	p.write(t, "backing", raw)
	out, err := exec.CommandContext(t.Context(), "losetup", "--find", "--show", p.path("backing")).Output()
	if err != nil {
		t.Skipf("this machine has no loop devices: %v", err)
	}
	device := strings.TrimSpace(string(out))
	t.Cleanup(func() { exec.Command("losetup", "--detach", device).Run() }) //nolint:errcheck,noctx // t.Context has ended
	if err := os.Symlink(device, p.path(importer.SourceDevice)); err != nil {
		t.Fatal(err)
	}
	p.request(t, importer.Request{Clone: &importer.CloneSource{Name: "ns/pvc", Block: true}, Target: importer.Target{SizeBytes: 32 * mib}})
	if got, code, _ := p.run(t, t.Context()); code != importer.ExitDone {
		t.Errorf("%+v", got)
	}
	checkDisk(t, p.disk(), raw, 32*mib)
}

// TestKilledAndRunAgain kills a worker in the middle of its work, as the kubelet or the
// kernel would.
func TestKilledAndRunAgain(t *testing.T) {
	raw := sampleDisk()
	for name, content := range map[string][]byte{"raw": raw, "qcow2": qcow2(t, raw)} {
		t.Run(name, func(t *testing.T) {
			p := newPod(t)
			r, reference, _ := p.push(t, registry.ContainerDisk(t, "fedora", content), registry.Config{})
			p.request(t, importer.Request{Registry: &importer.RegistrySource{Reference: reference}})
			r.SetFaults(registry.Faults{BlobsFrom: mib, StallAfter: 6 * mib})
			killInTheMiddle(t, p)
			if _, err := os.Stat(p.disk()); !os.IsNotExist(err) {
				t.Errorf("a half-written disk has the disk's name: %v", err)
			}
			if left, err := os.ReadDir(filepath.Dir(p.disk())); err != nil || len(left) == 0 {
				t.Errorf("the worker was not killed in the middle: %v", err)
			}
			r.SetFaults(registry.Faults{})
			if got, code, _ := p.run(t, t.Context()); code != importer.ExitDone {
				t.Errorf("%+v", got)
			}
			checkDisk(t, p.disk(), raw, len(raw))
			if left, err := os.ReadDir(filepath.Dir(p.disk())); err != nil || len(left) != 1 {
				t.Errorf("left are %v, %v", left, err)
			}
		})
	}
}

func killInTheMiddle(t *testing.T, p pod) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childVariable+"="+p.root)
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		var progress importer.Progress
		if err := json.Unmarshal(lines.Bytes(), &progress); err != nil {
			t.Errorf("line %q: %v", lines.Text(), err)
		}
		if progress.BytesRead > 2*mib {
			break
		}
	}
	if err := child.Process.Kill(); err != nil {
		t.Error(err)
	}
	_, _ = io.Copy(io.Discard, stdout) // what it said last does not matter
	if err := child.Wait(); err == nil {
		t.Error("the worker ended by itself")
	}
}

func TestInterrupted(t *testing.T) {
	p := newPod(t)
	r, reference, _ := p.push(t, registry.ContainerDisk(t, "fedora", sampleDisk()), registry.Config{})
	p.request(t, importer.Request{Registry: &importer.RegistrySource{Reference: reference}})
	r.SetFaults(registry.Faults{BlobsFrom: mib, StallAfter: 2 * mib})
	ctx, cancel := context.WithCancel(t.Context())
	// The worker asks for the layer, and then is told to stop.
	go func() {
		for range time.Tick(time.Millisecond) {
			if ctx.Err() != nil {
				return
			}
			for _, seen := range r.Requests() {
				if seen.Method == "GET" && strings.Contains(seen.Path, "/blobs/") {
					cancel()
				}
			}
		}
	}()
	got, code, _ := p.run(t, ctx)
	if got.Reason != importer.ReasonInterrupted || code != importer.ExitRetry {
		t.Errorf("%d %+v", code, got)
	}
	if left, err := os.ReadDir(filepath.Dir(p.disk())); err != nil || len(left) != 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}

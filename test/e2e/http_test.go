//go:build e2e

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	// hostAddress is this machine, as the cluster sees it.
	hostAddress = "10.213.0.2"
	webDisk     = 64 << 20
	webImage    = "cloud.qcow2"
	webCron     = "cloud"
)

// A mirror publishes builds of a cloud image in a folder, as distributions do.
type mirror struct {
	t       *testing.T
	dir     string
	address string
	server  *http.Server
}

func newMirror(t *testing.T) *mirror {
	t.Helper()
	m := &mirror{t: t, dir: t.TempDir(), address: hostAddress + ":0"}
	m.start()
	t.Cleanup(m.stop)
	return m
}

// start serves the folder, at the same address as before.
func (m *mirror) start() {
	m.t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(m.t.Context(), "tcp", m.address)
	if err != nil {
		m.t.Fatal(err)
	}
	m.address = listener.Addr().String()
	m.server = &http.Server{Handler: http.FileServer(http.Dir(m.dir)), ReadHeaderTimeout: time.Minute}
	server := m.server
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			m.t.Errorf("serve: %v", err)
		}
	}()
}

func (m *mirror) stop() {
	_ = m.server.Close() // nobody waits for what it still sends
}

func (m *mirror) url(file string) string { return "http://" + m.address + "/" + file }

func (m *mirror) command(name string, args ...string) {
	m.t.Helper()
	command := exec.CommandContext(m.t.Context(), name, args...)
	command.Dir = m.dir
	if out, err := command.CombinedOutput(); err != nil {
		m.t.Fatalf("%s: %v: %s", name, err, out)
	}
}

func (m *mirror) read(file string) []byte {
	m.t.Helper()
	content, err := os.ReadFile(filepath.Join(m.dir, file))
	if err != nil {
		m.t.Fatal(err)
	}
	return content
}

// write replaces a file as a whole: nobody shall read the half of a build.
func (m *mirror) write(file string, content []byte) {
	m.t.Helper()
	part := filepath.Join(m.dir, ".part")
	if err := os.WriteFile(part, content, 0o600); err != nil {
		m.t.Fatal(err)
	}
	if err := os.Rename(part, filepath.Join(m.dir, file)); err != nil {
		m.t.Fatal(err)
	}
}

// publish makes a build, and returns the SHA-256 of its disk. Its checksums are replaced by
// wrong, unless that is "".
func (m *mirror) publish(wrong string) string {
	m.t.Helper()
	raw := make([]byte, webDisk)
	for _, at := range []int{0, 20 << 20, webDisk - 1<<20} {
		if _, err := rand.Read(raw[at : at+1<<20]); err != nil {
			m.t.Fatal(err)
		}
	}
	m.write(".raw", raw)
	m.command("qemu-img", "convert", "-f", "raw", "-O", "qcow2", ".raw", ".image")
	m.command("xz", "-1", "-k", "-f", ".image")
	// What arrives is compared with what qemu-img itself makes of the image.
	m.command("qemu-img", "convert", "-f", "qcow2", "-O", "raw", ".image", ".back")
	sums := ""
	for from, to := range map[string]string{".image": webImage, ".image.xz": webImage + ".xz"} {
		content := m.read(from)
		m.write(to, content)
		sum := wrong
		if sum == "" {
			sum = fmt.Sprintf("%x", sha256.Sum256(content))
		}
		sums += sum + " *" + to + "\n"
	}
	// Last, as they are not to be older than what they are of.
	m.write("SHA256SUMS", []byte(sums))
	return fmt.Sprintf("%x", sha256.Sum256(m.read(".back")))
}

func reasonOf(t *testing.T, namespace, object, condition string) string {
	t.Helper()
	return get(t, namespace, object, `{.status.conditions[?(@.type=="`+condition+`")].reason}`)
}

// movedFrom waits until the DataSource points to another claim, and returns that.
func movedFrom(t *testing.T, namespace, before string) string {
	t.Helper()
	var now string
	eventually(t, namespace, func() string {
		if now = get(t, namespace, "das/"+webCron, "{.spec.source.pvc.name}"); now == before || now == "" {
			return "the DataSource points to " + now
		}
		return ""
	})
	wait(t, namespace, "das/"+webCron, "condition=Ready")
	return now
}

// TestCloudImages follows a folder of cloud images: its builds, a checksum that is wrong, and
// the time while its server is gone.
func TestCloudImages(t *testing.T) {
	t.Parallel()
	namespace, m := newNamespace(t, "e2e-http"), newMirror(t)
	want := m.publish("")
	apply(t, fmt.Sprintf(`
apiVersion: cdi.kubevirt.io/v1beta1
kind: DataImportCron
metadata: {name: %[1]s, namespace: %[2]s}
spec:
  schedule: "0 0 1 1 *"
  managedDataSource: %[1]s
  template:
    spec:
      source: {http: {url: %[3]q}}
      storage: {resources: {requests: {storage: 1Gi}}, storageClassName: %[4]s}
`, webCron, namespace, m.url(webImage), storageClass))
	wait(t, namespace, "dic/"+webCron, "condition=UpToDate")
	first := movedFrom(t, namespace, "")
	checkBuild(t, namespace, first, want)
	if checksum := get(t, namespace, "dv/"+first, "{.spec.source.http.checksum}"); !strings.HasPrefix(checksum, "sha256:") {
		t.Errorf("the import is not held to the published checksum: %q", checksum)
	}

	want = m.publish("")
	trigger(t, namespace, webCron, "")
	second := movedFrom(t, namespace, first)
	checkBuild(t, namespace, second, want)

	m.publish(strings.Repeat("0", 64))
	trigger(t, namespace, webCron, "")
	eventually(t, namespace, func() string {
		if reason := reasonOf(t, namespace, "dic/"+webCron, "Progressing"); reason != "DigestMismatch" {
			return "a wrong checksum is told as " + reason
		}
		return ""
	})
	if now := get(t, namespace, "das/"+webCron, "{.spec.source.pvc.name}"); now != second {
		t.Errorf("the DataSource moved to %s, which is not what was published", now)
	}
	want = m.publish("")
	trigger(t, namespace, webCron, "")
	third := movedFrom(t, namespace, second)
	checkBuild(t, namespace, third, want)

	m.stop()
	trigger(t, namespace, webCron, "")
	eventually(t, namespace, func() string {
		if reason := reasonOf(t, namespace, "dic/"+webCron, "SourceReachable"); reason != "Unreachable" {
			return "a server that is gone is told as " + reason
		}
		return ""
	})
	wait(t, namespace, "das/"+webCron, "condition=Ready")
	m.start()
	wait(t, namespace, "dic/"+webCron, "condition=SourceReachable")
	if now := get(t, namespace, "das/"+webCron, "{.spec.source.pvc.name}"); now != third {
		t.Errorf("the DataSource moved to %s though nothing was published", now)
	}
	leftovers(t, namespace)
}

func checkBuild(t *testing.T, namespace, claim, want string) {
	t.Helper()
	if got := diskSum(t, namespace, claim, false, webDisk); got != want {
		t.Errorf("the disk on %s has the SHA-256 %s, want %s", claim, got, want)
	}
}

// TestFilesOfDataVolumes imports a file that is compressed, and one whose checksum is another.
func TestFilesOfDataVolumes(t *testing.T) {
	t.Parallel()
	namespace, m := newNamespace(t, "e2e-http-volumes"), newMirror(t)
	want := m.publish("")
	volume := func(name, source string) {
		apply(t, fmt.Sprintf(`
apiVersion: cdi.kubevirt.io/v1beta1
kind: DataVolume
metadata:
  name: %s
  namespace: %s
  annotations: {cdi.kubevirt.io/storage.bind.immediate.requested: "true"}
spec:
  source: {http: {%s}}
  storage: {resources: {requests: {storage: 1Gi}}, storageClassName: %s}
`, name, namespace, source, storageClass))
	}
	volume("packed", fmt.Sprintf("url: %q", m.url(webImage+".xz")))
	volume("wrong", fmt.Sprintf("url: %q, checksum: \"sha256:%s\"", m.url(webImage), strings.Repeat("0", 64)))
	volume("gone", fmt.Sprintf("url: %q", m.url("nothing.qcow2")))
	wait(t, namespace, "dv/packed", "condition=Ready")
	checkBuild(t, namespace, "packed", want)
	for name, reason := range map[string]string{"wrong": "DigestMismatch", "gone": "SourceNotFound"} {
		eventually(t, namespace, func() string {
			if got := reasonOf(t, namespace, "dv/"+name, "Running"); got != reason {
				return fmt.Sprintf("DataVolume %s says %s, want %s", name, got, reason)
			}
			return ""
		})
	}
	_, _ = try(context.WithoutCancel(t.Context()), t, "", "hack/cluster/kubectl.sh", "-n", namespace, "delete", "dv", "--all")
}

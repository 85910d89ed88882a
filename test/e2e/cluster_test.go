//go:build e2e

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Where the local cluster's registries listen, and what they are called in it.
const (
	openRegistry    = "10.213.0.1:443"
	privateRegistry = "10.213.0.1:5443"
	privateName     = "private.golden-image.test:5443"
	storageClass    = "hostpath-provisioner"
)

// patience is how long a test waits for what should take seconds.
const patience = 3 * time.Minute

func root(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("GOLDEN_IMAGE_ROOT")
	if dir == "" {
		t.Fatal("GOLDEN_IMAGE_ROOT is not set: run hack/test-e2e.sh")
	}
	return dir
}

func stateFile(t *testing.T, name string) string {
	t.Helper()
	return filepath.Join(filepath.Dir(strings.TrimSpace(run(t, "", "hack/cluster/kubeconfig.sh"))), name)
}

// try runs a command of the repository and returns what it prints.
func try(ctx context.Context, t *testing.T, stdin, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience+time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, filepath.Join(root(t), name), args...)
	command.Dir = root(t)
	command.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String(), nil
}

func run(t *testing.T, stdin, name string, args ...string) string {
	t.Helper()
	out, err := try(t.Context(), t, stdin, name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func kubectl(t *testing.T, args ...string) string {
	t.Helper()
	return run(t, "", "hack/cluster/kubectl.sh", args...)
}

func apply(t *testing.T, manifest string) {
	t.Helper()
	run(t, manifest, "hack/cluster/kubectl.sh", "apply", "-f", "-")
}

// get returns one field of an object.
func get(t *testing.T, namespace, object, path string) string {
	t.Helper()
	return kubectl(t, "-n", namespace, "get", object, "-o", "jsonpath="+path)
}

// wait waits for what kubectl wait can wait for. If it does not come about, the test fails
// with what a user would look at.
func wait(t *testing.T, namespace, object, what string) {
	t.Helper()
	_, err := try(t.Context(), t, "", "hack/cluster/kubectl.sh", "-n", namespace, "wait", "--for="+what, "--timeout="+patience.String(), object)
	if err == nil {
		return
	}
	describe(t, namespace)
	t.Fatal(err)
}

func describe(t *testing.T, namespace string) {
	t.Helper()
	for _, args := range [][]string{
		{"get", "dic,das,dv,pvc,pod", "-o", "wide"}, {"describe", "dic,dv"}, {"get", "events", "--sort-by=.lastTimestamp"},
	} {
		out, _ := try(t.Context(), t, "", "hack/cluster/kubectl.sh", append([]string{"-n", namespace}, args...)...)
		t.Log(out)
	}
	out, _ := try(t.Context(), t, "", "hack/cluster/kubectl.sh", "-n", "golden-image", "logs", "golden-image-apiserver-0", "--tail=60")
	t.Log(out)
}

// newNamespace makes a namespace for a test, in which Pods are held to the strictest
// standard, with the registry's certificate authority in the ConfigMap some-certs.
func newNamespace(t *testing.T, name string) string {
	t.Helper()
	kubectl(t, "delete", "namespace", name, "--ignore-not-found", "--timeout=120s") // of a run that failed
	kubectl(t, "create", "namespace", name)
	kubectl(t, "label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
	kubectl(t, "-n", name, "create", "configmap", "some-certs", "--from-file=ca.crt="+stateFile(t, "registry-ca.crt"))
	t.Cleanup(func() {
		if t.Failed() {
			return // left to be looked at
		}
		_, err := try(context.WithoutCancel(t.Context()), t, "", "hack/cluster/kubectl.sh", "delete", "namespace", name, "--timeout=120s")
		if err != nil {
			t.Errorf("namespace does not go away: %v", err)
		}
	})
	return name
}

// push builds a container disk and pushes it to a repository of the open registry. It
// returns the SHA-256 of the raw disk.
func push(t *testing.T, repository, version string, args ...string) string {
	t.Helper()
	sum := filepath.Join(t.TempDir(), "sum")
	run(t, "", "_output/bin/testdisk", append([]string{
		"-version", version, "-raw-sum", sum, "-connect", openRegistry, "-ca", stateFile(t, "registry-ca.crt"), "-push", repository,
	}, args...)...)
	data, err := os.ReadFile(sum)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}

func trigger(t *testing.T, namespace, cron, body string) {
	t.Helper()
	path := fmt.Sprintf("/apis/cdi.kubevirt.io/v1beta1/namespaces/%s/dataimportcrons/%s/trigger", namespace, cron)
	if body == "" {
		kubectl(t, "create", "--raw", path, "-f", "/dev/null")
		return
	}
	run(t, body, "hack/cluster/kubectl.sh", "create", "--raw", path, "-f", "-")
}

// eventually repeats a check until it returns "", and fails with what it said last.
func eventually(t *testing.T, namespace string, check func() string) {
	t.Helper()
	repeat(t, namespace, patience, check)
}

// repeat is eventually with some patience.
func repeat(t *testing.T, namespace string, within time.Duration, check func() string) {
	t.Helper()
	deadline := time.After(within)
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	for {
		wrong := check()
		if wrong == "" {
			return
		}
		select {
		case <-deadline:
			describe(t, namespace)
			t.Fatal(wrong)
		case <-ticker.C:
		}
	}
}

// diskSum returns the SHA-256 of the first bytes of the disk on a claim, as a Pod reads it.
func diskSum(t *testing.T, namespace, claim string, block bool, size int64) string {
	t.Helper()
	name := "sum-" + claim
	mount, path := "volumeMounts: [{name: disk, mountPath: /disk, readOnly: true}]", "/disk/disk.img"
	if block {
		mount, path = "volumeDevices: [{name: disk, devicePath: /disk}]", "/disk"
	}
	apply(t, fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: %[1]s, namespace: %[2]s}
spec:
  restartPolicy: Never
  automountServiceAccountToken: false
  securityContext: {runAsNonRoot: true, runAsUser: 107, runAsGroup: 107, fsGroup: 107, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: sum
    image: golden-image.test/busybox:1
    imagePullPolicy: Never
    command: [sh, -c, "head -c %[3]d %[4]s | sha256sum"]
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
    %[5]s
  volumes: [{name: disk, persistentVolumeClaim: {claimName: %[6]s}}]
`, name, namespace, size, path, mount, claim))
	wait(t, namespace, "pod/"+name, "jsonpath={.status.phase}=Succeeded")
	sum, _, _ := strings.Cut(kubectl(t, "-n", namespace, "logs", name), " ")
	kubectl(t, "-n", namespace, "delete", "pod", name, "--grace-period=0")
	return sum
}

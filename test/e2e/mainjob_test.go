//go:build e2e

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const (
	images     = "golden-images"
	fedora     = "quay.io/kubevirt/fedora-cloud-registry-disk-demo:latest"
	fedoraCron = "fedora-image-import-cron"
	gibibyte   = 1 << 30
)

// TestMainJob is the documented flow with the documented manifests.
func TestMainJob(t *testing.T) {
	example := func(name string) string { return filepath.Join(root(t), "artifacts/example", name) }
	kubectl(t, "-n", images, "delete", "dic,dv,das,pvc", "--all", "--wait=true")
	kubectl(t, "-n", images, "delete", "events", "--all")
	want := push(t, fedora, "main-1")

	kubectl(t, "apply", "-f", example("dataimportcron.yaml"), "-f", example("datavolume.yaml"))
	wait(t, images, "dic/"+fedoraCron, "condition=UpToDate")
	wait(t, images, "das/fedora", "condition=Ready")
	wait(t, images, "dv/fedora-ref", "condition=Ready")
	first := get(t, images, "das/fedora", "{.spec.source.pvc.name}")
	if !regexp.MustCompile("^fedora-[0-9a-f]{12}$").MatchString(first) {
		t.Errorf("the claim is called %q", first)
	}
	for _, claim := range []string{first, "fedora-ref"} {
		if got := diskSum(t, images, claim, false, gibibyte); got != want {
			t.Errorf("the disk on %s has the SHA-256 %s, want %s", claim, got, want)
		}
	}
	t.Log(kubectl(t, "-n", images, "get", "dic,das,dv,pvc"))
	described := kubectl(t, "-n", images, "describe", "dic", fedoraCron)
	for _, event := range []string{"SourceUpdated", "ImportStarted", "ImportSucceeded", "DataSourceUpdated"} {
		if !strings.Contains(described, event) {
			t.Errorf("describe shows no event %s:\n%s", event, described)
		}
	}

	current := first
	for i, body := range []string{"", "{}", "", "", "", ""} {
		current = next(t, current, fmt.Sprintf("main-%d", i+2), body)
		if i == 0 {
			kubectl(t, "-n", images, "get", "pvc", first) // still there
		}
	}
	eventually(t, images, func() string {
		names := strings.Fields(get(t, images, "pvc", "{.items[*].metadata.name}"))
		kept := 0
		for _, name := range names {
			if strings.HasPrefix(name, "fedora-") && name != "fedora-ref" {
				kept++
			}
		}
		if kept != 3 {
			return fmt.Sprintf("%d imports are kept, want 3: %v", kept, names)
		}
		return ""
	})
	leftovers(t, images)
	t.Log(kubectl(t, "-n", images, "get", "dic,das,dv,pvc"))
}

// next pushes a changed image, asks for a poll, and checks that the DataSource moves to a
// claim that is complete, and not before. It returns the claim's name.
func next(t *testing.T, current, version, body string) string {
	t.Helper()
	push(t, fedora, version)
	trigger(t, images, fedoraCron, body)
	var moved string
	eventually(t, images, func() string {
		moved = get(t, images, "das/fedora", "{.spec.source.pvc.name}")
		if moved == current {
			return "the DataSource still points to " + current
		}
		return ""
	})
	if phase := get(t, images, "dv/"+moved, "{.status.phase}"); phase != "Succeeded" {
		t.Errorf("the DataSource moved to %s, whose phase is %q", moved, phase)
	}
	wait(t, images, "dic/"+fedoraCron, "condition=UpToDate")
	return moved
}

// leftovers checks that no worker's Pod and no prime claim is left.
func leftovers(t *testing.T, namespace string) {
	t.Helper()
	eventually(t, namespace, func() string {
		left := strings.Fields(get(t, namespace, "pod,pvc", "{range .items[*]}{.kind}/{.metadata.name} {end}"))
		for _, name := range left {
			if strings.HasPrefix(name, "Pod/") || strings.Contains(name, "prime-") {
				return fmt.Sprintf("left over: %v", left)
			}
		}
		return ""
	})
}

// TestSecondExample runs the example that pulls within the importing pod.
func TestSecondExample(t *testing.T) {
	push(t, fedora, "second")
	manifest, err := os.ReadFile(filepath.Join(root(t), "artifacts/example/dataimportcron-pod.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	apply(t, string(manifest))
	wait(t, images, "dic/fedora-pod-import-cron", "condition=UpToDate")
	wait(t, images, "das/fedora-pod", "condition=Ready")
	kubectl(t, "-n", images, "delete", "dic", "fedora-pod-import-cron")
}

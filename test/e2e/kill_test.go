//go:build e2e

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestKilledMidway kills the server, and the worker, in the middle of an import.
func TestKilledMidway(t *testing.T) {
	namespace := newNamespace(t, "e2e-killed")
	const repository = "registry.golden-image.test/disks/killed:1"
	// Large enough for the import to last some seconds.
	want := push(t, repository, "killed", "-content-size", "700Mi", "-virtual-size", "2Gi", "-format", "raw")
	for victim, process := range map[string]string{
		"server": "/golden-image-apiserver",
		"worker": "/golden-image-importer",
	} {
		t.Run(victim, func(t *testing.T) {
			apply(t, cronManifest{namespace: namespace, name: victim, url: repository, storage: "3Gi"}.String())
			var volume string
			eventually(t, namespace, func() string {
				volume = get(t, namespace, "dic/"+victim, "{.status.currentImports[0].DataVolumeName}")
				if volume == "" {
					return "no import has begun"
				}
				return ""
			})
			wait(t, namespace, "dv/"+volume, "jsonpath={.status.phase}=ImportInProgress")
			kill(t, process)
			if victim == "server" {
				serverIsBack(t)
			}
			wait(t, namespace, "dic/"+victim, "condition=UpToDate")
			wait(t, namespace, "das/"+victim, "condition=Ready")
			if got := diskSum(t, namespace, volume, false, 2*gibibyte); got != want {
				t.Errorf("the import has the SHA-256 %s, want %s", got, want)
			}
			leftovers(t, namespace)
		})
	}
}

// kill ends a process on the node, by its path, as nothing can ask it to.
func kill(t *testing.T, process string) {
	t.Helper()
	pids := strings.Fields(run(t, "", "hack/cluster/enter.sh", "pgrep", "-f", "^"+process))
	if len(pids) == 0 {
		t.Fatalf("no process %s runs", process)
	}
	run(t, "", "hack/cluster/enter.sh", append([]string{"kill", "-KILL"}, pids...)...)
	t.Logf("killed %s: %v", process, pids)
}

// serverIsBack waits until the server that was killed answers again.
func serverIsBack(t *testing.T) {
	t.Helper()
	begin := time.Now()
	eventually(t, "golden-image", func() string {
		restarts, err := try(t.Context(), t, "", "hack/cluster/kubectl.sh", "-n", "golden-image", "get", "pod", "golden-image-apiserver-0",
			"-o", "jsonpath={.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].ready}")
		if err != nil || strings.HasPrefix(restarts, "0 ") || !strings.HasSuffix(restarts, "true") {
			return fmt.Sprintf("the server has not started again: %s %v", restarts, err)
		}
		if _, err := try(t.Context(), t, "", "hack/cluster/kubectl.sh", "get", "dic", "-A"); err != nil {
			return err.Error()
		}
		return ""
	})
	t.Logf("the server was back after %s", time.Since(begin).Round(100*time.Millisecond))
}

// kubectlAfter runs kubectl while a test is cleaned up.
func kubectlAfter(t *testing.T, args ...string) {
	if _, err := try(context.WithoutCancel(t.Context()), t, "", "hack/cluster/kubectl.sh", args...); err != nil {
		t.Error(fmt.Errorf("clean up: %w", err))
	}
}

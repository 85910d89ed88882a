//go:build e2e

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"strings"
	"testing"
)

// nodeOnly is a registry that has no name outside of the container runtime's configuration.
const nodeOnly = "node-only.golden-image.test"

// onlyNodes makes the open registry known to the node by a name that nobody else can look up.
func onlyNodes(t *testing.T) {
	t.Helper()
	dir := stateFile(t, path.Join("..", "etc", "registries", nodeOnly))
	host, _, _ := strings.Cut(openRegistry, ":")
	ca := stateFile(t, "registry-ca.crt")
	mirror := fmt.Sprintf("server = 'https://%[1]s'\nca = '%[2]s'\n[host.'https://%[1]s']\n  capabilities = ['pull', 'resolve']\n  ca = '%[2]s'\n", host, ca)
	run(t, "", "hack/cluster/enter.sh", "sh", "-c", `mkdir -p "$1" && printf %s "$2" >"$1/hosts.toml"`, "sh", dir, mirror)
	t.Cleanup(func() {
		if _, err := try(context.WithoutCancel(t.Context()), t, "", "hack/cluster/enter.sh", "rm", "-r", dir); err != nil {
			t.Error(err)
		}
	})
}

// TestImagesThatNodesAloneMayRead follows a tag in a registry that the server cannot find:
// a Pod on a node tells the digest, an event says so, and what the tag names later is imported
// too.
func TestImagesThatNodesAloneMayRead(t *testing.T) {
	t.Parallel()
	const (
		cron       = "fedora"
		repository = "/disks/nodepull:1"
		pushed     = "registry.golden-image.test" + repository
		size       = 256 << 20
	)
	onlyNodes(t)
	first := push(t, pushed, "nodepull-1", "-virtual-size", "256Mi", "-content-size", "8Mi")
	namespace := newNamespace(t, "e2e-nodepull")
	apply(t, cronManifest{namespace: namespace, name: cron, url: nodeOnly + repository, pullMethod: "node", certConfigMap: "-"}.String())
	wait(t, namespace, "dic/"+cron, "condition=UpToDate")
	wait(t, namespace, "das/"+cron, "condition=Ready")

	digest := get(t, namespace, "dic/"+cron, "{.status.source.digest}")
	if !regexp.MustCompile(`^sha256:[0-9a-f]{64}$`).MatchString(digest) {
		t.Errorf("the digest is %q", digest)
	}
	claim := get(t, namespace, "das/"+cron, "{.spec.source.pvc.name}")
	if got := diskSum(t, namespace, claim, false, size); got != first {
		t.Errorf("the import has the SHA-256 %s, want %s", got, first)
	}
	events := kubectl(t, "-n", namespace, "get", "events", "--field-selector", "reason=AskingNode,involvedObject.name="+cron, "-o", "jsonpath={.items[*].message}")
	if !strings.Contains(events, nodeOnly) || !strings.Contains(events, "pullMethod is node") {
		t.Errorf("no event says that a node was asked, and why: %q", events)
	}
	pod := "poll-" + get(t, namespace, "dic/"+cron, "{.metadata.uid}")
	if got := kubectl(t, "-n", namespace, "get", "events", "--field-selector", "reason=Pulled,involvedObject.kind=Pod,involvedObject.name="+pod); !strings.Contains(got, pod) {
		t.Errorf("Pod %s has pulled nothing: %s", pod, got)
	}
	leftovers(t, namespace)

	second := push(t, pushed, "nodepull-2", "-virtual-size", "256Mi", "-content-size", "8Mi")
	trigger(t, namespace, cron, "")
	eventually(t, namespace, func() string {
		if moved := get(t, namespace, "das/"+cron, "{.spec.source.pvc.name}"); moved == claim {
			return "the DataSource still names " + claim
		}
		return ""
	})
	if again := get(t, namespace, "dic/"+cron, "{.status.source.digest}"); again == digest {
		t.Errorf("the digest is %s still", again)
	}
	if got := diskSum(t, namespace, get(t, namespace, "das/"+cron, "{.spec.source.pvc.name}"), false, size); got != second {
		t.Errorf("the second import has the SHA-256 %s, want %s", got, second)
	}

	// What the node cannot pull either is said with the node's words, and leaves no Pod.
	const missing = "missing"
	apply(t, cronManifest{namespace: namespace, name: missing, url: nodeOnly + "/disks/nodepull:missing", pullMethod: "node", certConfigMap: "-"}.String())
	wait(t, namespace, "dic/"+missing, "condition=SourceReachable=False")
	condition := "{.status.conditions[?(@.type==\"SourceReachable\")]"
	eventually(t, namespace, func() string {
		if reason := get(t, namespace, "dic/"+missing, condition+".reason}"); reason != "NotFound" {
			return "the reason is " + reason + ", want NotFound"
		}
		return ""
	})
	if message := get(t, namespace, "dic/"+missing, condition+".message}"); !strings.Contains(message, "a node cannot pull "+nodeOnly) {
		t.Errorf("the message does not say that a node was asked: %s", message)
	}
	leftovers(t, namespace)
}

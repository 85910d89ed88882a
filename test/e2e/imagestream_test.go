//go:build e2e

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

const (
	streamNamespace = "openshift-virtualization-os-images"
	streamCron      = "dic/rhel8-image-import-cron"
	streamAPI       = "hack/cluster/manifests/openshift/imagestream.yaml"
)

// pushImage pushes a container disk and returns its reference with its digest.
func pushImage(t *testing.T, repository, version string) (reference, digest string) {
	t.Helper()
	out := run(t, "", "_output/bin/testdisk", "-version", version, "-connect", openRegistry, "-ca", stateFile(t, "registry-ca.crt"),
		"-push", repository+":"+version, "-virtual-size", "128Mi", "-content-size", "8Mi")
	digest = strings.TrimSpace(out)
	return repository + "@" + digest, digest
}

// stream is an ImageStream whose tag latest is as its status says.
func stream(latest string) string {
	return fmt.Sprintf(`
apiVersion: image.openshift.io/v1
kind: ImageStream
metadata: {name: rhel8-is, namespace: %s}
spec:
  lookupPolicy: {local: true}
  tags:
  - {name: latest, from: {kind: DockerImage, name: registry.golden-image.test/disks/stream}, generation: 1, importPolicy: {scheduled: true}, referencePolicy: {type: Source}}
status:
  dockerImageRepository: ""
  tags: %s
`, streamNamespace, latest)
}

func holding(reference, digest string) string {
	return fmt.Sprintf(`[{tag: latest, items: [{created: "2026-11-01T00:00:00Z", dockerImageReference: %q, image: %q, generation: 1}]}]`, reference, digest)
}

// TestImageStream takes the manifest of the documentation, for a cluster that gets the API of
// ImageStreams while the server runs.
func TestImageStream(t *testing.T) {
	t.Parallel()
	// A run that was killed has left it.
	kubectl(t, "delete", "crd", "imagestreams.image.openshift.io", "--ignore-not-found")
	namespace := newNamespace(t, streamNamespace)
	kubectl(t, "apply", "-f", "artifacts/example/dataimportcron-imagestream.yaml")
	wait(t, namespace, streamCron, "condition=SourceReachable=False")
	eventually(t, namespace, func() string {
		if message := reachableMessage(t, namespace, streamCron); !strings.Contains(message, "does not serve ImageStreams") {
			return "without the API the condition says: " + message
		}
		return ""
	})
	run(t, "", "hack/cluster/kubectl.sh", "apply", "-f", streamAPI)
	t.Cleanup(func() {
		if _, err := try(context.WithoutCancel(t.Context()), t, "", "hack/cluster/kubectl.sh", "delete", "-f", streamAPI); err != nil {
			t.Error(err)
		}
	})
	run(t, "", "hack/cluster/kubectl.sh", "wait", "--for=condition=Established", "crd/imagestreams.image.openshift.io")

	// A stream whose import failed says why.
	apply(t, stream(`[{tag: latest, items: [], conditions: [{type: ImportSuccess, status: "False", reason: Unauthorized, message: you may not have access to the container image, generation: 1}]}]`))
	eventually(t, namespace, func() string {
		if message := reachableMessage(t, namespace, streamCron); !strings.Contains(message, "you may not have access") {
			return "the condition says: " + message
		}
		return ""
	})

	const repository = "registry.golden-image.test/disks/stream"
	reference, digest := pushImage(t, repository, "one")
	apply(t, stream(holding(reference, digest)))
	wait(t, namespace, streamCron, "condition=UpToDate")
	wait(t, namespace, "das/rhel8", "condition=Ready")
	wait(t, namespace, streamCron, "condition=SourceReachable")
	claim := get(t, namespace, "das/rhel8", "{.spec.source.pvc.name}")
	if got := get(t, namespace, streamCron, `{.metadata.annotations.cdi\.kubevirt\.io/storage\.import\.imageStreamDockerRef}`); got != reference {
		t.Errorf("the annotation holds %q, want %q", got, reference)
	}
	if got := get(t, namespace, "dv/"+claim, "{.spec.source.registry.url}"); got != "docker://"+reference {
		t.Errorf("imported is %s, want docker://%s", got, reference)
	}

	// The schedule is a week off: the change itself is noticed.
	reference, digest = pushImage(t, repository, "two")
	apply(t, stream(holding(reference, digest)))
	eventually(t, namespace, func() string {
		if moved := get(t, namespace, "das/rhel8", "{.spec.source.pvc.name}"); moved == claim {
			return "the DataSource still names " + claim
		}
		return ""
	})
	wait(t, namespace, streamCron, "condition=UpToDate")
}

func reachableMessage(t *testing.T, namespace, cron string) string {
	t.Helper()
	return get(t, namespace, cron, `{.status.conditions[?(@.type=="SourceReachable")].message}`)
}

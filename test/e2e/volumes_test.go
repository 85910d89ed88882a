//go:build e2e

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"testing"
)

// TestWhereDisksGo imports and clones between the kinds of volumes, storage classes and
// namespaces, and compares every byte.
func TestWhereDisksGo(t *testing.T) {
	t.Parallel()
	const (
		repository = "registry.golden-image.test/disks/volumes:1"
		size       = 256 << 20
	)
	want := push(t, repository, "volumes", "-virtual-size", "256Mi", "-content-size", "64Mi")
	namespace := newNamespace(t, "e2e-volumes")
	other := newNamespace(t, "e2e-volumes-other")
	tests := map[string]struct {
		pullMethod, class, mode               string
		cloneNamespace, cloneClass, cloneMode string
	}{
		"a node's pull into a file system, cloned within the namespace": {
			"node", storageClass, "Filesystem", namespace, storageClass, "Filesystem",
		},
		"a pod's pull onto a block device, cloned onto another": {
			"pod", storageClass, "Block", namespace, storageClass, "Block",
		},
		"a node's pull onto a block device, cloned into a file system in another namespace": {
			"node", storageClass, "Block", other, storageClass, "Filesystem",
		},
		"a pod's pull into a file system, cloned onto a block device in another namespace": {
			"pod", storageClass, "Filesystem", other, storageClass, "Block",
		},
		"a provisioner that knows nothing of populators": {
			"pod", "plain-hostpath", "Filesystem", namespace, "plain-hostpath", "Filesystem",
		},
		"such a provisioner across namespaces": {
			"pod", "plain-hostpath", "Filesystem", other, "plain-hostpath", "Filesystem",
		},
		"a class that waits for a consumer": {
			"pod", "hostpath-provisioner-wffc", "Filesystem", namespace, storageClass, "Filesystem",
		},
	}
	names := map[string]string{}
	letter := 'a'
	for name := range tests {
		names[name] = "disk-" + string(letter)
		letter++
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cron := names[name]
			apply(t, cronManifest{
				namespace: namespace, name: cron, url: repository, pullMethod: test.pullMethod,
				storageClass: test.class, volumeMode: test.mode,
			}.String())
			wait(t, namespace, "dic/"+cron, "condition=UpToDate")
			claim := get(t, namespace, "das/"+cron, "{.spec.source.pvc.name}")
			if got := diskSum(t, namespace, claim, test.mode == "Block", size); got != want {
				t.Errorf("the import has the SHA-256 %s, want %s", got, want)
			}
			clone := "clone-" + cron
			apply(t, cloneManifest(test.cloneNamespace, clone, namespace, cron, test.cloneClass, test.cloneMode))
			wait(t, test.cloneNamespace, "dv/"+clone, "condition=Ready")
			if got := diskSum(t, test.cloneNamespace, clone, test.cloneMode == "Block", size); got != want {
				t.Errorf("the clone has the SHA-256 %s, want %s", got, want)
			}
			leftovers(t, namespace)
			leftovers(t, test.cloneNamespace)
		})
	}
}

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

// sourceOfAll is a DataVolume's disk that other namespaces would have.
func sourceOfAll(t *testing.T, namespace, version string) (sum string) {
	t.Helper()
	repository := "registry.golden-image.test/disks/" + version + ":1"
	sum = push(t, repository, version, "-virtual-size", "64Mi", "-content-size", "16Mi")
	apply(t, fmt.Sprintf(`{apiVersion: cdi.kubevirt.io/v1beta1, kind: DataVolume, metadata: {name: disk, namespace: %s},
  spec: {source: {registry: {url: "docker://%s", certConfigMap: some-certs}}, storage: {resources: {requests: {storage: 1Gi}}}}}`, namespace, repository))
	wait(t, namespace, "dv/disk", "condition=Ready")
	return sum
}

// TestCloneIsCheckedAgainWhenItResolves makes a clone of a DataSource that leads nowhere yet, and
// then leads it to where its user may not clone from.
func TestCloneIsCheckedAgainWhenItResolves(t *testing.T) {
	images, own := newNamespace(t, "e2e-resolve-images"), newNamespace(t, "e2e-resolve-user")
	want := sourceOfAll(t, images, "resolve")
	kubectl(t, "-n", own, "create", "serviceaccount", "user")
	kubectl(t, "-n", own, "create", "rolebinding", "user", "--clusterrole=edit", "--serviceaccount="+own+":user")
	user := userOf(t, own)
	manifests := fmt.Sprintf(`{apiVersion: cdi.kubevirt.io/v1beta1, kind: DataSource, metadata: {name: later, namespace: %s}, spec: {source: {}}}
---`, own) + cloneManifest(own, "mine", own, "later", storageClass, "Filesystem")
	if out, err := try(t.Context(), t, manifests, "hack/cluster/kubectl.sh", append(user, "apply", "-f", "-")...); err != nil {
		t.Fatal(out, err)
	}
	kubectl(t, "-n", own, "patch", "das/later", "-p", fmt.Sprintf(`{"spec":{"source":{"pvc":{"namespace":%q,"name":"disk"}}}}`, images))
	const running = `{.status.conditions[?(@.type=="Running")].`
	eventually(t, own, func() string {
		if reason := get(t, own, "dv/mine", running+"reason}"); reason != "NotAuthorized" {
			return "the clone's reason is " + reason
		}
		return ""
	})
	message := get(t, own, "dv/mine", running+"message}")
	refusal := "User system:serviceaccount:" + own + ":user has insufficient permissions in clone source namespace " + images
	if !strings.Contains(message, refusal) {
		t.Errorf("the message is %q, want %q in it", message, refusal)
	}
	if events := kubectl(t, "-n", own, "get", "events", "--field-selector=involvedObject.name=mine,type=Warning"); !strings.Contains(events, "NotAuthorized") {
		t.Errorf("no event says so:\n%s", events)
	}
	if claims := kubectl(t, "-n", own, "get", "pvc", "-o", "name"); claims != "" {
		t.Errorf("there are claims: %s", claims)
	}
	// Permission that comes later is enough.
	kubectl(t, "-n", images, "create", "rolebinding", "user", "--clusterrole=cdi.kubevirt.io:clone-sourcer", "--serviceaccount="+own+":user")
	wait(t, own, "dv/mine", "condition=Ready")
	if got := diskSum(t, own, "mine", false, 64<<20); got != want {
		t.Errorf("the clone has the SHA-256 %s, want %s", got, want)
	}
}

// TestCronOfAClaim keeps a DataSource current from a claim of another namespace, in the name of
// a ServiceAccount.
func TestCronOfAClaim(t *testing.T) {
	t.Parallel()
	images, own := newNamespace(t, "e2e-claim-images"), newNamespace(t, "e2e-claim-cron")
	want := sourceOfAll(t, images, "claim")
	kubectl(t, "-n", own, "create", "serviceaccount", "importer")
	cron := fmt.Sprintf(`{apiVersion: cdi.kubevirt.io/v1beta1, kind: DataImportCron, metadata: {name: claim, namespace: %s},
  spec: {schedule: "0 0 1 1 *", managedDataSource: claim, serviceAccountName: importer,
    template: {spec: {source: {pvc: {namespace: %s, name: disk}}, storage: {resources: {requests: {storage: 1Gi}}}}}}}`, own, images)
	_, err := try(t.Context(), t, cron, "hack/cluster/kubectl.sh", "apply", "-f", "-")
	refusal := "User system:serviceaccount:" + own + ":importer has insufficient permissions in clone source namespace " + images
	if err == nil || !strings.Contains(err.Error(), refusal) {
		t.Fatalf("got %v, want %q", err, refusal)
	}
	kubectl(t, "-n", images, "create", "rolebinding", "importer", "--clusterrole=cdi.kubevirt.io:clone-sourcer", "--serviceaccount="+own+":importer")
	eventually(t, own, func() string { // the answers of the authorizer are kept for some seconds
		if _, err := try(t.Context(), t, cron, "hack/cluster/kubectl.sh", "apply", "-f", "-"); err != nil {
			return err.Error()
		}
		return ""
	})
	wait(t, own, "dic/claim", "condition=UpToDate")
	if digest, uid := get(t, own, "dic/claim", "{.status.currentImports[0].Digest}"), get(t, images, "pvc/disk", "{.metadata.uid}"); digest != "uid:"+uid {
		t.Errorf("the digest is %s, the UID %s", digest, uid)
	}
	if got := diskSum(t, own, get(t, own, "das/claim", "{.spec.source.pvc.name}"), false, 64<<20); got != want {
		t.Errorf("the import has the SHA-256 %s, want %s", got, want)
	}
}

// TestSuspendedCron polls by trigger alone.
func TestSuspendedCron(t *testing.T) {
	t.Parallel()
	namespace := newNamespace(t, "e2e-suspend")
	const repository = "registry.golden-image.test/disks/suspend:1"
	push(t, repository, "suspend")
	manifest := cronManifest{namespace: namespace, name: "suspended", url: repository}.String()
	apply(t, strings.Replace(manifest, `  schedule:`, "  suspend: true\n  schedule:", 1))
	eventually(t, namespace, func() string {
		if row := kubectl(t, "-n", namespace, "get", "dic/suspended", "-o", "wide", "--no-headers"); !strings.Contains(row, "suspended ") || !strings.Contains(row, "Suspended") {
			return "the row is " + row
		}
		return ""
	})
	trigger(t, namespace, "suspended", `{"spec":{"requestID":"now"}}`)
	wait(t, namespace, "dic/suspended", "jsonpath={.status.lastTrigger.requestID}=now")
	wait(t, namespace, "dic/suspended", "condition=UpToDate")
	if next := get(t, namespace, "dic/suspended", "{.status.nextPoll}"); next != "" {
		t.Errorf("the next poll is planned for %s", next)
	}
	kubectl(t, "-n", namespace, "patch", "dic/suspended", "-p", `{"spec":{"suspend":false}}`)
	eventually(t, namespace, func() string {
		if get(t, namespace, "dic/suspended", "{.status.nextPoll}") == "" {
			return "no poll is planned after the suspension"
		}
		return ""
	})
}

// TestStorageProfiles makes a StorageClass and finds its profile, which an administrator corrects.
func TestStorageProfiles(t *testing.T) {
	const class = `{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: e2e-ceph}, provisioner: rook-ceph.rbd.csi.ceph.com}`
	apply(t, class)
	t.Cleanup(func() {
		_, _ = try(context.WithoutCancel(t.Context()), t, "", "hack/cluster/kubectl.sh", "delete", "storageclass", "e2e-ceph", "--ignore-not-found")
	})
	profile := func(path string) string {
		out, err := try(t.Context(), t, "", "hack/cluster/kubectl.sh", "get", "storageprofile", "e2e-ceph", "-o", "jsonpath="+path)
		if err != nil {
			return err.Error()
		}
		return out
	}
	expect := func(path, want string) {
		t.Helper()
		eventually(t, "default", func() string {
			if got := profile(path); got != want {
				return path + " is " + got + ", want " + want
			}
			return ""
		})
	}
	expect(`{.status.conditions[?(@.type=="Recognized")].status}`, "True")
	expect("{.status.claimPropertySets[0].accessModes[0]}/{.status.claimPropertySets[0].volumeMode}", "ReadWriteMany/Block")
	expect("{.status.cloneStrategy}", "csi-clone")
	kubectl(t, "patch", "storageprofile", "e2e-ceph", "-p", `{"spec":{"cloneStrategy":"copy","claimPropertySets":[{"accessModes":["ReadWriteOnce"],"volumeMode":"Filesystem"}]}}`)
	expect("{.status.claimPropertySets[0].accessModes[0]}/{.status.claimPropertySets[0].volumeMode}", "ReadWriteOnce/Filesystem")
	expect("{.status.cloneStrategy}", "copy")
	kubectl(t, "delete", "storageclass", "e2e-ceph")
	eventually(t, "default", func() string {
		if out := profile("{.metadata.name}"); !strings.Contains(out, "not found") {
			return "the profile stays: " + out
		}
		return ""
	})

	// What configures the installation reaches the clients.
	t.Cleanup(func() {
		_, err := try(context.WithoutCancel(t.Context()), t, "", "hack/cluster/kubectl.sh", "patch", "cdi", "cdi", "--type=merge", "-p", `{"spec":{"config":{"featureGates":[]}}}`)
		if err != nil {
			t.Error(err)
		}
	})
	kubectl(t, "patch", "cdi", "cdi", "-p", `{"spec":{"config":{"featureGates":["HonorWaitForFirstConsumer"]}}}`)
	eventually(t, "default", func() string {
		if gates := kubectl(t, "get", "cdiconfig", "config", "-o", "jsonpath={.spec.featureGates[*]}"); gates != "HonorWaitForFirstConsumer" {
			return "the feature gates are " + gates
		}
		return ""
	})
}

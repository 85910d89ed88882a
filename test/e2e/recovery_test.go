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

	"github.com/google/go-cmp/cmp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"goldenimage.dev/pkg/generated/clientset/versioned"
	"goldenimage.dev/pkg/generated/informers/externalversions"
	listers "goldenimage.dev/pkg/generated/listers/cdi/v1beta1"
)

const (
	server    = "golden-image-apiserver"
	serverPod = server + "-0"
	// namespacedKinds are all of ours that live in a namespace.
	namespacedKinds = "dataimportcrons,datasources,datavolumes,volumeimportsources,volumeclonesources,volumeuploadsources"
)

// objects returns a manifest with one object of each namespaced kind, none of which makes
// the controllers import anything.
func objects(namespace, name string) string {
	return strings.NewReplacer("NAMESPACE", namespace, "NAME", name).Replace(`
apiVersion: cdi.kubevirt.io/v1beta1
kind: DataImportCron
metadata: {name: NAME, namespace: NAMESPACE, labels: {of: NAME}}
spec:
  schedule: ""
  managedDataSource: NAME-images
  template:
    spec:
      source: {registry: {url: "docker://registry.golden-image.test/nothing:1"}}
      storage: {resources: {requests: {storage: 1Gi}}, storageClassName: hostpath-provisioner}
---
apiVersion: cdi.kubevirt.io/v1beta1
kind: DataSource
metadata: {name: NAME, namespace: NAMESPACE, labels: {of: NAME}}
spec: {source: {pvc: {namespace: NAMESPACE, name: absent}}}
---
apiVersion: cdi.kubevirt.io/v1beta1
kind: DataVolume
metadata: {name: NAME, namespace: NAMESPACE, labels: {of: NAME}}
spec:
  sourceRef: {kind: DataSource, name: absent}
  storage: {resources: {requests: {storage: 1Gi}}, storageClassName: hostpath-provisioner}
---
apiVersion: cdi.kubevirt.io/v1beta1
kind: VolumeImportSource
metadata: {name: NAME, namespace: NAMESPACE, labels: {of: NAME}}
spec: {source: {registry: {url: "docker://registry.golden-image.test/nothing:1"}}}
---
apiVersion: cdi.kubevirt.io/v1beta1
kind: VolumeCloneSource
metadata: {name: NAME, namespace: NAMESPACE, labels: {of: NAME}}
spec: {source: {kind: PersistentVolumeClaim, name: absent}}
---
apiVersion: cdi.kubevirt.io/v1beta1
kind: VolumeUploadSource
metadata: {name: NAME, namespace: NAMESPACE, labels: {of: NAME}}
spec: {contentType: kubevirt}
---
`)
}

// versions returns name, UID and resourceVersion of all objects of ours in a namespace.
func versions(t *testing.T, namespace string) string {
	t.Helper()
	return kubectl(t, "-n", namespace, "get", namespacedKinds, "-o",
		`jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.uid} {.metadata.resourceVersion}{"\n"}{end}`)
}

// settled waits until the controllers have written what they have to, and returns the
// versions of the objects.
func settled(t *testing.T, namespace string) string {
	t.Helper()
	for kind, what := range map[string]string{
		"dataimportcrons": "condition=UpToDate=False",
		"datasources":     "condition=Ready=False",
		"datavolumes":     "jsonpath={.status.phase}=Pending",
	} {
		kubectl(t, "-n", namespace, "wait", "--for="+what, kind, "--all", "--timeout=60s")
	}
	last, same := "", 0
	eventually(t, namespace, func() string { // twice a second
		now := versions(t, namespace)
		if now != last {
			last, same = now, 0
		}
		if same++; same < 5 {
			return "the objects are still written:\n" + now
		}
		return ""
	})
	return last
}

// TestServerStopsAndStarts stops the server while clients watch it and a namespace is
// deleted, and starts it again: nothing is lost, watches go on, and so does the deletion.
func TestServerStopsAndStarts(t *testing.T) {
	namespace, doomed := newNamespace(t, "e2e-k-recovery"), "e2e-k-recovery-doomed"
	kubectl(t, "delete", "namespace", doomed, "--ignore-not-found", "--timeout=120s") // of a run that failed
	kubectl(t, "create", "namespace", doomed)
	t.Cleanup(func() { kubectlAfter(t, "delete", "namespace", doomed, "--ignore-not-found", "--timeout=120s") })
	for _, ns := range []string{namespace, doomed} {
		run(t, objects(ns, "one")+objects(ns, "two"), kubectlScript, "create", "-f", "-")
	}
	before := settled(t, namespace)
	watched := watchDataSources(t, namespace)
	if _, err := watched.Get("one"); err != nil {
		t.Fatal(err)
	}

	stop(t)
	if out, err := try(t.Context(), t, "", kubectlScript, "-n", namespace, "get", "das"); err == nil {
		t.Fatalf("the server has stopped and answers: %s", out)
	} else {
		t.Logf("while the server is down: %v", err)
	}
	kubectl(t, "-n", namespace, "get", "configmaps") // the rest of the cluster goes on
	kubectl(t, "delete", "namespace", doomed, "--wait=false")
	wait(t, "default", "namespace/"+doomed, "condition=NamespaceDeletionDiscoveryFailure")
	if phase := get(t, "default", "namespace/"+doomed, "{.status.phase}"); phase != "Terminating" {
		t.Errorf("the namespace is %s while nobody knows what is in it", phase)
	}

	start(t)
	if diff := cmp.Diff(before, versions(t, namespace)); diff != "" {
		t.Errorf("the objects are not what they were: %s", diff)
	}
	kubectl(t, "-n", namespace, "label", "das", "one", "after=restart")
	kubectl(t, "-n", namespace, "delete", "das", "two")
	eventually(t, namespace, func() string {
		if one, err := watched.Get("one"); err != nil || one.Labels["after"] != "restart" {
			return fmt.Sprintf("the informer does not know of the new label: %v %v", one, err)
		}
		if two, err := watched.Get("two"); err == nil {
			return fmt.Sprintf("the informer still has what was deleted: %v", two)
		}
		return ""
	})
	begin := time.Now()
	kubectl(t, "wait", "--for=delete", "namespace/"+doomed, "--timeout="+patience.String())
	t.Logf("the namespace went %s after the server was back", time.Since(begin).Round(100*time.Millisecond))
}

// watchDataSources starts an informer through the aggregator, and returns what it knows.
func watchDataSources(t *testing.T, namespace string) listers.DataSourceNamespaceLister {
	t.Helper()
	client := versioned.NewForConfigOrDie(clusterConfig(t))
	factory := externalversions.NewSharedInformerFactoryWithOptions(client, 0, externalversions.WithNamespace(namespace))
	informer := factory.Cdi().V1beta1().DataSources()
	lister := informer.Lister()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(func() {
		cancel()
		factory.Shutdown()
	})
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), informer.Informer().HasSynced) {
		t.Fatal("the informer does not fill")
	}
	return lister.DataSources(namespace)
}

// stop ends the server in good order, and sees to it that it is started when the test ends.
func stop(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		kubectlAfter(t, "-n", "golden-image", "scale", "statefulset", server, "--replicas=1")
		kubectlAfter(t, "wait", "--for=condition=Available", "apiservice", apiService, "--timeout="+patience.String())
	})
	begin := time.Now()
	kubectl(t, "-n", "golden-image", "scale", "statefulset", server, "--replicas=0")
	kubectl(t, "-n", "golden-image", "wait", "--for=delete", "pod/"+serverPod, "--timeout="+patience.String())
	wait(t, "golden-image", "apiservice/"+apiService, "condition=Available=False")
	// A kubelet kills what has not stopped after 30 seconds: open watches are to be ended.
	if took := time.Since(begin); took > 25*time.Second {
		t.Errorf("the server stopped in %s: it did not stop by itself", took.Round(100*time.Millisecond))
	}
}

func start(t *testing.T) {
	t.Helper()
	begin := time.Now()
	kubectl(t, "-n", "golden-image", "scale", "statefulset", server, "--replicas=1")
	wait(t, "golden-image", "apiservice/"+apiService, "condition=Available")
	t.Logf("the server was back after %s", time.Since(begin).Round(100*time.Millisecond))
}

// TestNamespaceOfManyObjects deletes some of many objects by one request with a selector, and
// the rest with their namespace.
func TestNamespaceOfManyObjects(t *testing.T) {
	const namespace, sets = "e2e-k-many", 34 // of 6 objects
	kubectl(t, "delete", "namespace", namespace, "--ignore-not-found", "--timeout=120s")
	kubectl(t, "create", "namespace", namespace)
	t.Cleanup(func() { kubectlAfter(t, "delete", "namespace", namespace, "--ignore-not-found", "--timeout=120s") })
	var manifest strings.Builder
	for i := range sets {
		manifest.WriteString(objects(namespace, fmt.Sprintf("n%02d", i)))
	}
	run(t, manifest.String(), kubectlScript, "create", "-f", "-")
	kubectl(t, "-n", namespace, "label", "das", "--selector=of in (n01,n02,n03)", "some=yes")
	kubectl(t, "delete", "--raw", "/apis/"+apiVersion+"/namespaces/"+namespace+"/datasources?labelSelector=some%3Dyes")
	left := strings.Fields(kubectl(t, "-n", namespace, "get", namespacedKinds, "-o", "name"))
	if want := 6*sets - 3; len(left) != want {
		t.Errorf("%d objects are left, want %d", len(left), want)
	}
	if out := kubectl(t, "-n", namespace, "get", "das", "-l", "some=yes", "-o", "name"); out != "" {
		t.Errorf("these were to go: %s", out)
	}
	begin := time.Now()
	kubectl(t, "delete", "namespace", namespace, "--timeout="+patience.String())
	t.Logf("the namespace went in %s", time.Since(begin).Round(100*time.Millisecond))
}

// TestGarbageCollection deletes owners among our objects and the cluster's own, in the three
// ways that there are.
func TestGarbageCollection(t *testing.T) {
	namespace := newNamespace(t, "e2e-k-garbage")
	for name, test := range map[string]struct{ owner, dependent, cascade string }{
		"a ConfigMap goes with its DataSource":        {"DataSource", "ConfigMap", "background"},
		"a DataSource goes with its ConfigMap":        {"ConfigMap", "DataSource", "background"},
		"a DataVolume goes with its DataImportCron":   {"DataImportCron", "DataVolume", "background"},
		"a DataSource waits for its ConfigMap":        {"DataSource", "ConfigMap", "foreground"},
		"a DataImportCron waits for its DataSource":   {"DataImportCron", "DataSource", "foreground"},
		"a ConfigMap outlives its DataSource":         {"DataSource", "ConfigMap", "orphan"},
		"a DataSource outlives its VolumeCloneSource": {"VolumeCloneSource", "DataSource", "orphan"},
	} {
		t.Run(name, func(t *testing.T) {
			id := strings.ToLower(test.owner + "-" + test.dependent + "-" + test.cascade)
			owner, dependent := object(t, namespace, test.owner, "owner-"+id), object(t, namespace, test.dependent, "dependent-"+id)
			own(t, namespace, dependent, owner, test.owner, "owner-"+id)
			if test.cascade == "foreground" {
				kubectl(t, "-n", namespace, "patch", dependent, "--type=merge", "-p", `{"metadata":{"finalizers":["example.com/hold"]}}`)
			}
			kubectl(t, "-n", namespace, "delete", owner, "--cascade="+test.cascade, "--wait=false")
			switch test.cascade {
			case "foreground":
				ownerWaits(t, namespace, owner, dependent)
				fallthrough
			case "background":
				kubectl(t, "-n", namespace, "wait", "--for=delete", owner, dependent, "--timeout=60s")
			case "orphan":
				kubectl(t, "-n", namespace, "wait", "--for=delete", owner, "--timeout=60s")
				if got := get(t, namespace, dependent, "{.metadata.ownerReferences}"); got != "" {
					t.Errorf("the dependent still has an owner: %s", got)
				}
			}
		})
	}
}

// object creates one object of a kind and returns it as kubectl names it.
func object(t *testing.T, namespace, kind, name string) string {
	t.Helper()
	manifest := fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {namespace: %s, name: %s}}", namespace, name)
	for document := range strings.SplitSeq(objects(namespace, name), "---\n") {
		if strings.Contains(document, "kind: "+kind+"\n") {
			manifest = document
		}
	}
	return strings.TrimSpace(run(t, manifest, kubectlScript, "create", "-o", "name", "-f", "-"))
}

// own makes an object depend on another one.
func own(t *testing.T, namespace, dependent, owner, kind, name string) {
	t.Helper()
	kubectl(t, "-n", namespace, "patch", dependent, "--type=merge", "-p", fmt.Sprintf(
		`{"metadata":{"ownerReferences":[{"apiVersion":%q,"kind":%q,"name":%q,"uid":%q,"blockOwnerDeletion":true}]}}`,
		get(t, namespace, owner, "{.apiVersion}"), kind, name, get(t, namespace, owner, "{.metadata.uid}")))
}

// ownerWaits sees that an owner stays as long as its dependent is held, and lets that go.
func ownerWaits(t *testing.T, namespace, owner, dependent string) {
	t.Helper()
	eventually(t, namespace, func() string {
		if get(t, namespace, dependent, "{.metadata.deletionTimestamp}") == "" {
			return "the dependent is not being deleted"
		}
		return ""
	})
	if got := get(t, namespace, owner, "{.metadata.finalizers[*]}"); got != metav1.FinalizerDeleteDependents {
		t.Errorf("the owner's finalizers are %q, want %q", got, metav1.FinalizerDeleteDependents)
	}
	kubectl(t, "-n", namespace, "patch", dependent, "--type=merge", "-p", `{"metadata":{"finalizers":null}}`)
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/reference"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	importerv1 "goldenimage.dev/pkg/apis/importer/v1"
	"goldenimage.dev/test/gen"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares an object with testdata/<name>.yaml.
func golden(t *testing.T, name string, object any) {
	t.Helper()
	got, err := yaml.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", name+".yaml")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: run the test with -update", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got; -update writes it):\n%s", file, diff)
	}
}

func parsed(t *testing.T, url string) reference.Reference {
	t.Helper()
	ref, err := reference.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func filling(name, namespace string, block bool) *corev1.PersistentVolumeClaim {
	mode := corev1.PersistentVolumeFilesystem
	if block {
		mode = corev1.PersistentVolumeBlock
	}
	return &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace, UID: "claim-uid"},
		Spec: corev1.PersistentVolumeClaimSpec{
			StorageClassName: new("csi"), VolumeMode: &mode, AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("5690831668")}},
		},
	}
}

func renderInputs(t *testing.T) map[string]*input {
	t.Helper()
	pinnedRef := parsed(t, "docker://registry.example/fedora@"+testDigest)
	source := filling("src", "os-images", true)
	late := filling("fedora", gen.Namespace, false)
	late.Annotations = map[string]string{annSelectedNode: testNode}
	return map[string]*input{
		"pod-registry-filesystem": {
			volume: importVolume("csi", func(dv *v1beta1.DataVolume) {
				dv.Spec.PriorityClassName, dv.Spec.ServiceAccountName, dv.Spec.Preallocation = "high", "importer", new(true)
			}),
			kind: importImage, home: gen.Namespace, method: method{name: v1beta1.MethodDirect}, target: filling("fedora", gen.Namespace, false),
			image: &image{ref: pinnedRef, architecture: "arm64", insecure: true, secret: "login", configMap: "some-certs"},
		},
		"pod-http": {
			volume: importVolume("csi"), kind: importImage, home: gen.Namespace, method: method{name: v1beta1.MethodDirect}, target: filling("fedora", gen.Namespace, false),
			image: &image{
				file: &file{
					url: "https://images.example/fedora.qcow2", digest: testFileDigest, checksum: testDigest,
					headers: []string{"X-Site: one"}, headerSecrets: []string{"token", "cookie"},
				},
				insecure: true, secret: "login", configMap: "some-certs",
			},
		},
		"pod-node-block": {
			volume: importVolume("csi"), kind: importImage, home: gen.Namespace, method: method{name: v1beta1.MethodHandOver},
			target: late, prime: filling("prime-"+testUID, gen.Namespace, true),
			image: &image{ref: pinnedRef, node: true, architecture: "arm64", pullSecret: "docker"},
		},
		"pod-clone-across": {
			volume: cloneVolume("csi", "os-images", "src"), kind: cloneClaim, home: "os-images", method: method{name: v1beta1.MethodHandOver},
			prime: filling("prime-"+testUID, "os-images", false), source: source,
		},
	}
}

func TestWorkerPods(t *testing.T) {
	options := WorkerOptions{
		Image: "registry.example/importer:v1", PullPolicy: corev1.PullIfNotPresent, PullSecrets: []string{"site"},
		HostAliases: []corev1.HostAlias{{IP: "192.0.2.1", Hostnames: []string{"registry.example"}}},
	}
	for name, in := range renderInputs(t) {
		t.Run(name, func(t *testing.T) {
			pod, err := renderWorker(in, options)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name, pod)
			decoded := importerv1.Request{}
			if err := json.Unmarshal([]byte(pod.Annotations[v1beta1.AnnRequest]), &decoded); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestClaims(t *testing.T) {
	handOver := method{name: v1beta1.MethodHandOver, early: true}
	direct := method{name: v1beta1.MethodDirect, early: true}
	noisy := func(dv *v1beta1.DataVolume) {
		for _, key := range []string{
			"kubectl.kubernetes.io/last-applied-configuration", v1beta1.AnnPopulated, v1beta1.AnnVirtualSize, v1beta1.AnnCloneSource,
			"pv.kubernetes.io/bind-completed", annSelectedNode, annAllowAdoption,
		} {
			dv.Annotations[key] = "must not be copied"
		}
		dv.Annotations[v1beta1.AnnForcedBy] = "request-1"
	}
	verbatim := func(dv *v1beta1.DataVolume) {
		dv.Spec.Storage = nil
		dv.Spec.PVC = &corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}, VolumeMode: ptr.To(corev1.PersistentVolumeBlock),
			StorageClassName: new("plain"),
			Resources:        corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("5Gi")}},
		}
	}
	source := filling("src", "os-images", false)
	source.Labels = map[string]string{"instancetype.kubevirt.io/default-preference": "fedora", "kubevirt.io/x": "y"}
	complete := &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pv-1"}}
	across := &input{
		volume: cloneVolume("plain", "os-images", "src"), kind: cloneClaim, home: "os-images", source: source,
		class: class("plain", "plain.example", false), method: method{name: v1beta1.MethodHandOver},
	}
	late := *across
	late.prime = renderPrime(across, 0.06)
	within := &input{volume: importVolume("csi", noisy), kind: importImage, home: gen.Namespace, class: class("csi", "csi.example", false), method: handOver}
	withTarget := *within
	withTarget.target = renderTarget(within, 0.06)
	for name, claim := range map[string]*corev1.PersistentVolumeClaim{
		"claim-target-hand-over":   renderTarget(within, 0.06),
		"claim-prime":              renderPrime(&withTarget, 0.06),
		"claim-prime-across":       late.prime,
		"claim-target-made-last":   renderTargetFor(&late, complete),
		"claim-target-direct-spec": renderTarget(&input{volume: importVolume("", verbatim), kind: importImage, home: gen.Namespace, class: class("plain", "plain.example", false), method: direct}, 0.06),
	} {
		t.Run(name, func(t *testing.T) { golden(t, name, claim) })
	}
}

func TestWorkerNames(t *testing.T) {
	long := "a-name-that-is-so-long-that-no-pod-could-have-it-as-its-host-name.example"
	tests := map[string]struct{ name, want string }{
		"short":     {"fedora", "importer-fedora-0a1b2c3d"},
		"with dots": {"fedora.40", "importer-fedora-40-0a1b2c3d"},
		"long":      {long, "importer-a-name-that-is-so-long-that-no-pod-could-have-0a1b2c3d"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := workerName(importVolume("csi", func(dv *v1beta1.DataVolume) { dv.Name = tc.name }))
			if got != tc.want || len(got) > maxName {
				t.Errorf("got %s (%d), want %s", got, len(got), tc.want)
			}
		})
	}
}

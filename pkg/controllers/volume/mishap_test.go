// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/sources"
	"goldenimage.dev/test/gen"
)

const (
	bound   = v1beta1.DataVolumeBound
	running = v1beta1.DataVolumeRunning
	ready   = v1beta1.DataVolumeReady
)

// A mishap keeps a volume from being filled until it is mended.
type mishap struct {
	objects []runtime.Object
	// config changes the controller.
	config func(c *Controller)
	// want is how the condition Running begins.
	want string
	// wantBound is how Bound begins, if that matters.
	wantBound string
	// mend makes the volume succeed; nil if nothing in the cluster can.
	mend func(w *world)
}

func dataSource(name string, condition corev1.ConditionStatus, source v1beta1.DataSourceSource) *v1beta1.DataSource {
	return &v1beta1.DataSource{
		ObjectMeta: metav1.ObjectMeta{Namespace: gen.Namespace, Name: name, Generation: 2},
		Spec:       v1beta1.DataSourceSpec{Source: source},
		Status: v1beta1.DataSourceStatus{Conditions: []v1beta1.DataSourceCondition{{
			Type: v1beta1.DataSourceReady,
			ConditionState: v1beta1.ConditionState{
				Status: condition, Reason: "ImportInProgress", Message: "Import DataVolume phase ImportInProgress", ObservedGeneration: 2,
			},
		}}},
	}
}

func toClaim(namespace, name string) v1beta1.DataSourceSource {
	return v1beta1.DataSourceSource{PVC: &v1beta1.DataVolumeSourcePVC{Namespace: namespace, Name: name}}
}

func toSource(name string) v1beta1.DataSourceSource {
	return v1beta1.DataSourceSource{DataSource: &v1beta1.DataSourceRefSourceDataSource{Namespace: gen.Namespace, Name: name}}
}

func refVolume(modify ...func(*v1beta1.DataVolume)) *v1beta1.DataVolume {
	return importVolume("plain", append([]func(*v1beta1.DataVolume){func(dv *v1beta1.DataVolume) {
		dv.Spec.Source = nil
		dv.Spec.SourceRef = &v1beta1.DataVolumeSourceRef{Kind: "DataSource", Name: "fedora"}
	}}, modify...)...)
}

func mishaps() map[string]mishap {
	tooSmall := func(dv *v1beta1.DataVolume) {
		dv.Spec.Storage.Resources.Requests[corev1.ResourceStorage] = resource.MustParse("4Gi")
	}
	return map[string]mishap{
		"no DataSource": {
			objects: append([]runtime.Object{refVolume()}, sourceClaim(gen.Namespace, "src")...),
			want:    "DataSourceNotFound: DataSource golden-images/fedora does not exist",
			mend: func(w *world) {
				w.create(dataSource("fedora", corev1.ConditionTrue, toClaim(gen.Namespace, "src")))
			},
		},
		"a DataSource that is not ready": {
			objects: append([]runtime.Object{refVolume(), dataSource("fedora", corev1.ConditionFalse, toClaim(gen.Namespace, "src"))}, sourceClaim(gen.Namespace, "src")...),
			want:    "DataSourceNotReady: DataSource golden-images/fedora is not ready: ImportInProgress: Import DataVolume phase ImportInProgress",
			mend: func(w *world) {
				w.setSource(dataSource("fedora", corev1.ConditionTrue, toClaim("", "src")))
			},
		},
		"a DataSource that was not looked at since it was changed": {
			objects: append([]runtime.Object{refVolume(), func() *v1beta1.DataSource {
				source := dataSource("fedora", corev1.ConditionTrue, toClaim(gen.Namespace, "src"))
				source.Generation++
				return source
			}()}, sourceClaim(gen.Namespace, "src")...),
			want: "DataSourceNotReady: DataSource golden-images/fedora was changed",
			mend: func(w *world) {
				w.setSource(dataSource("fedora", corev1.ConditionTrue, toClaim(gen.Namespace, "src")))
			},
		},
		"a pointer to a DataSource that is missing": {
			objects: append([]runtime.Object{refVolume(), dataSource("fedora", corev1.ConditionTrue, toSource("fedora-amd64"))}, sourceClaim(gen.Namespace, "src")...),
			want:    "DataSourceNotFound: DataSource golden-images/fedora-amd64 does not exist",
			mend: func(w *world) {
				w.create(dataSource("fedora-amd64", corev1.ConditionTrue, toClaim(gen.Namespace, "src")))
			},
		},
		"a pointer to a pointer": {
			objects: []runtime.Object{
				refVolume(), dataSource("fedora", corev1.ConditionTrue, toSource("a")), dataSource("a", corev1.ConditionTrue, toSource("b")),
			},
			want: "DataSourceNotReady: DataSource golden-images/a is pointed to and points to another one",
		},
		"a pointer to itself": {
			objects: []runtime.Object{refVolume(), dataSource("fedora", corev1.ConditionTrue, toSource("fedora"))},
			want:    "DataSourceNotReady: DataSource golden-images/fedora points to DataSource golden-images/fedora",
		},
		"a DataSource of a snapshot": {
			objects: []runtime.Object{refVolume(), dataSource("fedora", corev1.ConditionTrue, v1beta1.DataSourceSource{
				Snapshot: &v1beta1.DataVolumeSourceSnapshot{Namespace: gen.Namespace, Name: "s"},
			})},
			want: "SourceNotSupported: DataSource golden-images/fedora points to a VolumeSnapshot",
		},
		"no source claim": {
			objects: []runtime.Object{cloneVolume("csi", gen.Namespace, "src")},
			want:    "CloneWithoutSource: The source pvc src doesn't exist",
			mend:    func(w *world) { w.create(sourceClaim(gen.Namespace, "src")...) },
		},
		"a source claim that is being imported": {
			objects: []runtime.Object{cloneVolume("csi", gen.Namespace, "src"), claimNamed("src", func(claim *corev1.PersistentVolumeClaim) {
				claim.Annotations = map[string]string{v1beta1.AnnPopulationMethod: v1beta1.MethodDirect}
				claim.Status.Phase = corev1.ClaimPending
			})},
			want: "CloneSourceNotReady: The source pvc golden-images/src is not complete: it is Pending",
			mend: func(w *world) {
				w.deleteClaim(gen.Namespace, "src")
				w.create(sourceClaim(gen.Namespace, "src")...)
			},
		},
		"a source larger than the volume": {
			objects: append([]runtime.Object{cloneVolume("csi", gen.Namespace, "src", tooSmall)}, sourceClaim(gen.Namespace, "src")...),
			want:    "VolumeTooSmall: The volume of 4Gi is smaller than the disk of the source pvc golden-images/src, which has 5Gi",
		},
		"a source that nothing is done for": {
			objects: []runtime.Object{importVolume("csi", func(dv *v1beta1.DataVolume) {
				dv.Spec.Source = &v1beta1.DataVolumeSource{Blank: &v1beta1.DataVolumeBlankImage{}}
			})},
			want: "SourceNotSupported: The DataVolume's source is not supported yet",
		},
		"its own claim as source": {
			objects: []runtime.Object{cloneVolume("csi", gen.Namespace, "fedora")},
			want:    "SourceNotSupported: PVC golden-images/fedora is the DataVolume's own claim",
		},
		"an unknown storage class": {
			objects:   []runtime.Object{importVolume("fast")},
			want:      "StorageClassNotFound: StorageClass fast does not exist: create it, or use one of: csi, csi-late, plain, plain-late",
			wantBound: "StorageClassNotFound",
			mend:      func(w *world) { w.create(class("fast", "csi.example", false)) },
		},
		"no default storage class": {
			objects: []runtime.Object{importVolume("", func(dv *v1beta1.DataVolume) { dv.Spec.Storage.StorageClassName = nil })},
			want:    "NoDefaultStorageClass: The cluster has no default StorageClass", wantBound: "NoDefaultStorageClass",
			mend: func(w *world) {
				standard := class("standard", "csi.example", false)
				standard.Annotations = map[string]string{annDefaultClass: "true"}
				w.create(standard)
			},
		},
		"no Secret": {
			objects: []runtime.Object{importVolume("csi", secretRef("login"))},
			want:    "SecretNotFound: Secret golden-images/login does not exist",
			mend:    func(w *world) { w.create(credentials("login")) },
		},
		"no Secret with headers": {
			objects: []runtime.Object{fileVolume("csi", func(dv *v1beta1.DataVolume) { dv.Spec.Source.HTTP.SecretExtraHeaders = []string{"token"} })},
			want:    "SecretNotFound: Secret golden-images/token does not exist",
			mend: func(w *world) {
				w.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: gen.Namespace, Name: "token"}, Data: map[string][]byte{"a": []byte("X-Token: b")}})
			},
		},
		"no certificates of a web server": {
			objects: []runtime.Object{fileVolume("csi", func(dv *v1beta1.DataVolume) { dv.Spec.Source.HTTP.CertConfigMap = "absent" })},
			want:    "ConfigMapNotFound: ConfigMap golden-images/absent does not exist",
		},
		"a node that cannot mount images": {
			objects: []runtime.Object{importVolume("csi", nodePull)},
			config:  func(c *Controller) { c.imageVolumes = false },
			want:    "ImageVolumesNotSupported: pullMethod node needs Kubernetes 1.35 or newer",
			mend:    func(w *world) { w.c.imageVolumes = true },
		},
		"wrong credentials": {
			objects: []runtime.Object{importVolume("csi", tag)},
			config: func(c *Controller) {
				c.resolver = fixedResolver{err: sources.Errorf(sources.Unauthorized, "registry.example refuses the credentials")}
			},
			want: "Unauthorized: registry.example refuses the credentials",
			mend: func(w *world) { w.c.resolver = fixedResolver{digest: testDigest} },
		},
		"a registry that is down": {
			objects: []runtime.Object{importVolume("csi", tag)},
			config: func(c *Controller) {
				c.resolver = fixedResolver{err: sources.Errorf(sources.Unreachable, "no connection")}
			},
			want: "Unreachable: no connection",
			mend: func(w *world) { w.c.resolver = fixedResolver{digest: testDigest} },
		},
		"a resolver that fails in a way of its own": {
			objects: []runtime.Object{importVolume("csi", tag)},
			config:  func(c *Controller) { c.resolver = fixedResolver{err: errors.New("boom")} },
			want:    "PollFailed: boom",
			mend:    func(w *world) { w.c.resolver = fixedResolver{digest: testDigest} },
		},
		"no resolver": {
			objects: []runtime.Object{importVolume("csi", tag)},
			config:  func(c *Controller) { c.resolver = nil },
			want:    "PollFailed: This server cannot ask registries",
		},
		"an archive": {
			objects: []runtime.Object{importVolume("csi", func(dv *v1beta1.DataVolume) {
				dv.Spec.Source.Registry.URL = new("oci-archive:/disk.tar")
			})},
			want: "SourceNotSupported: oci-archive:/disk.tar is a file",
		},
		"a claim of that name": {
			objects: []runtime.Object{importVolume("csi"), claimNamed("fedora", nil)},
			want:    "ErrResourceExists: PVC golden-images/fedora exists and does not belong to this DataVolume",
			mend:    func(w *world) { w.deleteClaim(gen.Namespace, "fedora") },
		},
		"a prime claim of that name": {
			objects: []runtime.Object{importVolume("csi"), claimNamed("prime-"+testUID, nil)},
			want:    "ErrResourceExists: PVC golden-images/prime-" + testUID + " exists",
			mend:    func(w *world) { w.deleteClaim(gen.Namespace, "prime-"+testUID) },
		},
		"a volume that was named, from another namespace": {
			objects: append([]runtime.Object{cloneVolume("csi", "os-images", "src", func(dv *v1beta1.DataVolume) { dv.Spec.Storage.VolumeName = "pv-1" })}, sourceClaim("os-images", "src")...),
			want:    "ErrClaimNotValid: PersistentVolume pv-1 cannot be named for a clone from another namespace",
		},
	}
}

func TestMishapsAreToldAndHeal(t *testing.T) {
	for name, tc := range mishaps() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, append(infrastructure(), tc.objects...)...)
			if tc.config != nil {
				tc.config(w.c)
			}
			dv := w.settle()
			if dv.Status.Phase != v1beta1.Pending {
				t.Errorf("phase is %s, want Pending", dv.Status.Phase)
			}
			w.expect(running, tc.want)
			w.expect(ready, tc.want)
			w.expect(bound, tc.wantBound)
			if events := w.recorded(); len(events) == 0 || !strings.HasPrefix(events[len(events)-1], "Warning "+strings.Replace(tc.want, ":", "", 1)) {
				t.Errorf("events are %q", events)
			}
			if pods := w.allPods(); len(pods) > 0 {
				t.Errorf("there are %d pods", len(pods))
			}
			if tc.mend == nil {
				return
			}
			tc.mend(w)
			w.clock.Step(time.Minute)
			w.until(v1beta1.Succeeded)
		})
	}
}

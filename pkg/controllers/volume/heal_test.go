// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/sources"
	"goldenimage.dev/test/gen"
)

func TestSecretIsLookedForWithPauses(t *testing.T) {
	w := newWorld(t, append(infrastructure(), importVolume("csi", secretRef("login")))...)
	var pauses []time.Duration
	for range 6 {
		again, err := w.c.Sync(t.Context(), w.key)
		w.must(err)
		pauses = append(pauses, again)
		w.clock.Step(again)
	}
	want := []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second, 30 * time.Second, 30 * time.Second}
	if diff := cmp.Diff(want, pauses); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
	again, err := w.c.Sync(t.Context(), w.key)
	w.must(err)
	w.clock.Step(time.Second)
	soon, err := w.c.Sync(t.Context(), w.key)
	w.must(err)
	if soon != again-time.Second {
		t.Errorf("an event within the pause gave %s, want the rest of %s", soon, again)
	}
}

func TestNodePullsByTagWhatTheServerCannotResolve(t *testing.T) {
	w := newWorld(t, append(infrastructure(), importVolume("csi", nodePull, tag))...)
	w.c.resolver = fixedResolver{err: sources.Errorf(sources.Unauthorized, "no credentials here")}
	w.until(v1beta1.ImportInProgress)
	image := volumeNamed(t, &w.allPods()[0], volumeImage).Image
	want := &corev1.ImageVolumeSource{Reference: "registry.example/fedora:latest", PullPolicy: corev1.PullAlways}
	if diff := cmp.Diff(want, image); diff != "" {
		t.Errorf("image volume (-want +got):\n%s", diff)
	}
}

func volumeNamed(t *testing.T, pod *corev1.Pod, name string) corev1.Volume {
	t.Helper()
	for _, volume := range pod.Spec.Volumes {
		if volume.Name == name {
			return volume
		}
	}
	t.Fatalf("the pod has no volume %s", name)
	return corev1.Volume{}
}

func TestNodePullsWithASecretOfItsKindOnly(t *testing.T) {
	docker := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: gen.Namespace, Name: "docker"},
		Type:       corev1.SecretTypeDockerConfigJson, Data: map[string][]byte{corev1.DockerConfigJsonKey: []byte(`{"auths":{}}`)},
	}
	tests := map[string]struct {
		secret string
		want   []corev1.LocalObjectReference
	}{
		"docker config":       {secret: "docker", want: []corev1.LocalObjectReference{{Name: "docker"}}},
		"user and password":   {secret: "login"},
		"one that is missing": {secret: "absent"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, append(infrastructure(), docker, credentials("login"), importVolume("csi", nodePull, secretRef(tc.secret)))...)
			w.until(v1beta1.ImportInProgress)
			if diff := cmp.Diff(tc.want, w.allPods()[0].Spec.ImagePullSecrets); diff != "" {
				t.Errorf("pull secrets (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCloneKeepsTheSourceThatItBeganWith(t *testing.T) {
	objects := append([]runtime.Object{refVolume(), dataSource("fedora", corev1.ConditionTrue, toClaim(gen.Namespace, "src"))}, sourceClaim(gen.Namespace, "src")...)
	w := newWorld(t, append(infrastructure(), objects...)...)
	w.until(v1beta1.CloneInProgress)
	w.setSource(dataSource("fedora", corev1.ConditionTrue, toClaim(gen.Namespace, "newer")))
	w.must(w.kube.CoreV1().Pods(gen.Namespace).Delete(t.Context(), w.allPods()[0].Name, metav1.DeleteOptions{}))
	for len(w.allPods()) == 0 {
		if _, err := w.step(nil); err != nil {
			t.Fatal(err)
		}
	}
	if got := volumeNamed(t, &w.allPods()[0], volumeSource).PersistentVolumeClaim.ClaimName; got != "src" {
		t.Errorf("the second worker reads %s, want src", got)
	}
	dv := w.until(v1beta1.Succeeded)
	want := map[string]string{v1beta1.AnnCloneSource: "golden-images/src", v1beta1.AnnCloneSourceUID: "source-uid"}
	for key, value := range want {
		if dv.Annotations[key] != value {
			t.Errorf("annotation %s is %q, want %q", key, dv.Annotations[key], value)
		}
	}
}

func TestCloneLooksForAnotherSourceWhenItsOwnIsGone(t *testing.T) {
	for name, className := range map[string]string{"direct": "plain-late", "hand-over": "csi-late"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, append(append(infrastructure(), cloneVolume(className, "os-images", "src")), sourceClaim("os-images", "src")...)...)
			w.paused = true
			w.until(v1beta1.CloneScheduled)
			w.deleteClaim("os-images", "src")
			for range 8 {
				if _, err := w.step(nil); err != nil {
					t.Fatal(err)
				}
			}
			w.expect(running, "CloneWithoutSource")
			if claims := w.allClaims(); len(claims) > 1 || len(w.allPods()) > 0 {
				t.Errorf("%d claims and %d pods are left", len(claims), len(w.allPods()))
			}
			w.paused = false
			again := sourceClaim("os-images", "src")
			again[0].(*corev1.PersistentVolumeClaim).UID = "source-uid-2"
			again[1].(*corev1.PersistentVolume).Spec.ClaimRef.UID = "source-uid-2"
			again[1].(*corev1.PersistentVolume).Name = "pv-source-2"
			again[0].(*corev1.PersistentVolumeClaim).Spec.VolumeName = "pv-source-2"
			w.create(again...)
			dv := w.until(v1beta1.Succeeded)
			if got := dv.Annotations[v1beta1.AnnCloneSourceUID]; got != "source-uid-2" {
				t.Errorf("source is %s", got)
			}
		})
	}
}

func TestVolumeWaitsForItsFirstConsumer(t *testing.T) {
	tests := map[string]struct {
		class string
		want  v1beta1.DataVolumePhase
	}{
		"direct":    {class: "plain-late", want: v1beta1.WaitForFirstConsumer},
		"hand-over": {class: "csi-late", want: v1beta1.PendingPopulation},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, append(infrastructure(), importVolume(tc.class, func(dv *v1beta1.DataVolume) { delete(dv.Annotations, v1beta1.AnnImmediateBind) }))...)
			if dv := w.settle(); dv.Status.Phase != tc.want {
				t.Fatalf("phase is %s, want %s", dv.Status.Phase, tc.want)
			}
			if len(w.allPods()) > 0 {
				t.Fatal("there is a worker")
			}
			claim, err := w.kube.CoreV1().PersistentVolumeClaims(gen.Namespace).Get(t.Context(), "fedora", metav1.GetOptions{})
			w.must(err)
			claim.Annotations[annSelectedNode] = testNode
			w.updateClaim(claim)
			w.until(v1beta1.ImportInProgress)
			if affinity := w.encode(w.allPods()[0].Spec.Affinity); !strings.Contains(affinity, `"values":["`+testNode+`"]`) {
				t.Errorf("the worker's affinity is %s", affinity)
			}
			w.until(v1beta1.Succeeded)
		})
	}
}

func TestClaimIsAdopted(t *testing.T) {
	for name, annotation := range map[string]map[string]string{
		"restored for it": {annPopulatedFor: "fedora"},
		"allowed":         {annAllowAdoption: "true"},
	} {
		t.Run(name, func(t *testing.T) {
			existing := claimNamed("fedora", func(claim *corev1.PersistentVolumeClaim) { claim.Annotations = annotation })
			w := newWorld(t, append(infrastructure(), importVolume("csi"), existing)...)
			w.refresh(nil)
			for range 3 {
				_, err := w.c.Sync(t.Context(), w.key)
				w.must(err)
				w.refresh(nil)
			}
			if dv := w.volume(); dv.Status.Phase != v1beta1.Succeeded {
				t.Errorf("phase is %s", dv.Status.Phase)
			}
			claim := w.allClaims()[0]
			if !metav1.IsControlledBy(&claim, w.volume()) || len(w.allPods()) > 0 {
				t.Errorf("owners are %v, pods %d", claim.OwnerReferences, len(w.allPods()))
			}
		})
	}
}

func TestSucceededStaysWhenTheClaimIsGone(t *testing.T) {
	w := newWorld(t, append(infrastructure(), importVolume("csi"))...)
	w.settle()
	w.deleteClaim(gen.Namespace, "fedora")
	dv := w.settle()
	if dv.Status.Phase != v1beta1.Succeeded || len(w.allClaims()) != 0 {
		t.Errorf("phase is %s, claims are %d", dv.Status.Phase, len(w.allClaims()))
	}
	w.expect(bound, "NotFound: PVC fedora not found")
	w.expect(ready, "NotFound: PVC fedora not found")
}

func TestQuotaIsToldAndHeals(t *testing.T) {
	for name, kind := range map[string]string{"of claims": "persistentvolumeclaims", "of pods": "pods"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, append(infrastructure(), importVolume("csi"))...)
			full := true
			w.kube.PrependReactor("create", kind, func(clienttesting.Action) (bool, runtime.Object, error) {
				if !full {
					return false, nil, nil
				}
				return true, nil, apierrors.NewForbidden(corev1.Resource(kind), "x", errors.New("exceeded quota: small"))
			})
			w.settle()
			w.expect(running, "ErrExceededQuota: ")
			full = false
			w.until(v1beta1.Succeeded)
		})
	}
}

func TestVolumeOfADataVolumeThatIsGoneGetsItsPolicyBack(t *testing.T) {
	pv := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: "pv", Annotations: map[string]string{
			annVolume: "golden-images/fedora", annVolumeUID: "another", annReclaimPolicy: "Delete",
		}},
		Spec: corev1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimRetain,
			ClaimRef:                      &corev1.ObjectReference{Namespace: gen.Namespace, Name: "fedora", UID: "gone"},
		},
	}
	w := newWorld(t, append(infrastructure(), pv)...)
	_, err := w.c.Sync(t.Context(), w.key)
	w.must(err)
	got := w.allVolumes()[0]
	if len(got.Annotations) > 0 || got.Spec.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimDelete {
		t.Errorf("policy is %s, annotations are %v", got.Spec.PersistentVolumeReclaimPolicy, got.Annotations)
	}
}

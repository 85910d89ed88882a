// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"goldenimage.dev/pkg/apis/cdi/requester"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/test/gen"
)

// A user makes the claim of a clone beforehand, as if it was to be filled directly. The worker of
// a clone from another namespace runs there: it must not write the claim of that name there.
func TestWorkerNextToTheSourceWritesNoNamesake(t *testing.T) {
	for name, class := range map[string]string{"a class of a CSI driver": "csi", "a class of another provisioner": "plain"} {
		t.Run(name, func(t *testing.T) {
			clone := cloneVolume(class, images, "src")
			forged := &corev1.PersistentVolumeClaim{
				ObjectMeta: metav1.ObjectMeta{
					Namespace: gen.Namespace, Name: clone.Name, UID: "forged",
					Annotations:     map[string]string{v1beta1.AnnPopulationMethod: v1beta1.MethodDirect},
					OwnerReferences: []metav1.OwnerReference{ownerReference(clone)},
				},
				Spec: corev1.PersistentVolumeClaimSpec{StorageClassName: &class},
			}
			w := newWorld(t, append(append(infrastructure(), sourceClaim(images, "src")...), clone, forged)...)
			w.paused = true
			const rounds = 6
			for range rounds {
				if _, err := w.step(nil); err != nil {
					t.Log(err)
				}
			}
			pods, err := w.kube.CoreV1().Pods(images).List(w.ctx, metav1.ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for _, pod := range pods.Items {
				for _, mounted := range pod.Spec.Volumes {
					if claim := mounted.PersistentVolumeClaim; claim != nil && claim.ClaimName == clone.Name {
						t.Errorf("pod %s/%s mounts the claim %s, which is another's", pod.Namespace, pod.Name, claim.ClaimName)
					}
				}
			}
		})
	}
}

// Whoever makes a DataVolume for somebody else, as KubeVirt's controller does, may clone from
// everywhere. What a DataSource of that somebody's own namespace is pointed to later must not
// be read by that permission.
func TestPermissionOfADeputyIsNotLent(t *testing.T) {
	const deputyName = "system:serviceaccount:kubevirt:kubevirt-controller"
	refusal := "User system:serviceaccount:" + gen.Namespace + ":default has insufficient permissions"
	for name, test := range map[string]struct {
		who string
		// refused tells whether it must be.
		refused bool
	}{
		"a ServiceAccount of another namespace":   {deputyName, true},
		"a ServiceAccount of the same namespace":  {"system:serviceaccount:" + gen.Namespace + ":robot", false},
		"a person, who knows what they asked for": {"alice", false},
	} {
		t.Run(name, func(t *testing.T) {
			clone := refVolume(func(dv *v1beta1.DataVolume) {
				note, err := requester.Encode(requester.CloneRequester{Username: test.who})
				if err != nil {
					t.Fatal(err)
				}
				metav1.SetMetaDataAnnotation(&dv.ObjectMeta, v1beta1.AnnCloneRequester, note)
			})
			w := newWorld(t, append(append(infrastructure(), sourceClaim(images, "src")...), clone, dataSource("fedora", corev1.ConditionTrue, toClaim(images, "src")))...)
			w.kube.PrependReactor("create", "subjectaccessreviews", func(action clienttesting.Action) (bool, runtime.Object, error) {
				review := action.(clienttesting.CreateAction).GetObject().(*authorizationv1.SubjectAccessReview).DeepCopy()
				review.Status.Allowed = review.Spec.User == test.who
				return true, review, nil
			})
			got := w.settle()
			message := ""
			for _, c := range got.Status.Conditions {
				message += c.Message + "\n"
			}
			if refused := strings.Contains(message, refusal); refused != test.refused || test.refused == (got.Status.Phase == v1beta1.Succeeded) {
				t.Errorf("phase %s:\n%s", got.Status.Phase, message)
			}
		})
	}
}

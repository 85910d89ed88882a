// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package gen

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// Namespace of objects unless InNamespace says another.
const Namespace = "golden-images"

// Epoch returns the time at which all objects were created unless CreatedAt says another: a
// Thursday.
func Epoch() time.Time {
	return time.Date(2026, time.October, 1, 12, 0, 0, 0, time.UTC)
}

// Digest returns sha256: and 64 times a hex digit, such as "a".
func Digest(digit string) string {
	return "sha256:" + strings.Repeat(digit, 64)
}

// A Modifier changes an object. One that does not fit the object's kind panics.
type Modifier func(metav1.Object)

func on[T metav1.Object](change func(T)) Modifier {
	return func(obj metav1.Object) {
		typed, ok := obj.(T)
		if !ok {
			panic(fmt.Sprintf("modifier of %T on %T", typed, obj))
		}
		change(typed)
	}
}

func build[T metav1.Object](obj T, name string, modifiers []Modifier) T {
	obj.SetName(name)
	obj.SetNamespace(Namespace)
	obj.SetUID(types.UID(name + "-uid"))
	obj.SetGeneration(1)
	obj.SetCreationTimestamp(metav1.NewTime(Epoch()))
	for _, modify := range modifiers {
		modify(obj)
	}
	return obj
}

// InNamespace moves an object to another namespace.
func InNamespace(namespace string) Modifier {
	return func(obj metav1.Object) { obj.SetNamespace(namespace) }
}

// WithUID gives an object another UID than that made from its name.
func WithUID(uid string) Modifier {
	return func(obj metav1.Object) { obj.SetUID(types.UID(uid)) }
}

// CreatedAt sets an object's creation time.
func CreatedAt(when time.Time) Modifier {
	return func(obj metav1.Object) { obj.SetCreationTimestamp(metav1.NewTime(when)) }
}

// BeingDeleted gives an object a deletion time and a finalizer that keeps it.
func BeingDeleted() Modifier {
	return func(obj metav1.Object) {
		when := metav1.NewTime(Epoch())
		obj.SetDeletionTimestamp(&when)
		obj.SetFinalizers([]string{"test/finalizer"})
	}
}

// WithLabel sets a label.
func WithLabel(key, value string) Modifier {
	return func(obj metav1.Object) {
		labels := map[string]string{key: value}
		for k, v := range obj.GetLabels() {
			if k != key {
				labels[k] = v
			}
		}
		obj.SetLabels(labels)
	}
}

// WithAnnotation sets an annotation.
func WithAnnotation(key, value string) Modifier {
	return func(obj metav1.Object) {
		annotations := map[string]string{key: value}
		for k, v := range obj.GetAnnotations() {
			if k != key {
				annotations[k] = v
			}
		}
		obj.SetAnnotations(annotations)
	}
}

// OfCron labels an object as made by a DataImportCron.
func OfCron(name string) Modifier {
	return WithLabel(v1beta1.LabelDataImportCron, name)
}

// OwnedBy makes a DataVolume the controlling owner of an object.
func OwnedBy(volume *v1beta1.DataVolume) Modifier {
	return func(obj metav1.Object) {
		obj.SetOwnerReferences([]metav1.OwnerReference{
			*metav1.NewControllerRef(volume, v1beta1.SchemeGroupVersion.WithKind("DataVolume")),
		})
	}
}

// LastUsed says when an import was last current.
func LastUsed(when time.Time) Modifier {
	return WithAnnotation(v1beta1.AnnLastUseTime, when.UTC().Format(time.RFC3339Nano))
}

// Claim returns a pending PersistentVolumeClaim.
func Claim(name string, modifiers ...Modifier) *corev1.PersistentVolumeClaim {
	claim := &corev1.PersistentVolumeClaim{Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimPending}}
	return build(claim, name, modifiers)
}

// Bound makes a claim bound.
func Bound() Modifier {
	return on(func(claim *corev1.PersistentVolumeClaim) { claim.Status.Phase = corev1.ClaimBound })
}

// Populated makes a claim bound and its content complete.
func Populated() Modifier {
	return on(func(claim *corev1.PersistentVolumeClaim) {
		Bound()(claim)
		WithAnnotation(v1beta1.AnnPopulationMethod, v1beta1.MethodDirect)(claim)
		WithAnnotation(v1beta1.AnnPopulated, "true")(claim)
	})
}

// Secret returns a Secret with user name and password as registries' credentials have them.
func Secret(name, user, password string, modifiers ...Modifier) *corev1.Secret {
	secret := &corev1.Secret{
		Type: corev1.SecretTypeOpaque,
		Data: map[string][]byte{"accessKeyId": []byte(user), "secretKey": []byte(password)},
	}
	return build(secret, name, modifiers)
}

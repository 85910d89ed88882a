// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/test/gen"
)

func (w *world) create(objects ...runtime.Object) {
	w.t.Helper()
	for _, object := range objects {
		var err error
		switch typed := object.(type) {
		case *v1beta1.DataSource:
			_, err = w.cdi.CdiV1beta1().DataSources(typed.Namespace).Create(w.ctx, typed, metav1.CreateOptions{})
		case *corev1.PersistentVolumeClaim:
			_, err = w.kube.CoreV1().PersistentVolumeClaims(typed.Namespace).Create(w.ctx, typed, metav1.CreateOptions{})
		case *corev1.PersistentVolume:
			_, err = w.kube.CoreV1().PersistentVolumes().Create(w.ctx, typed, metav1.CreateOptions{})
		case *storagev1.StorageClass:
			_, err = w.kube.StorageV1().StorageClasses().Create(w.ctx, typed, metav1.CreateOptions{})
		case *corev1.Secret:
			_, err = w.kube.CoreV1().Secrets(typed.Namespace).Create(w.ctx, typed, metav1.CreateOptions{})
		}
		w.must(err)
	}
}

func (w *world) setSource(source *v1beta1.DataSource) {
	w.t.Helper()
	_, err := w.cdi.CdiV1beta1().DataSources(source.Namespace).Update(w.ctx, source, metav1.UpdateOptions{})
	w.must(err)
}

func (w *world) deleteClaim(namespace, name string) {
	w.t.Helper()
	w.must(w.kube.CoreV1().PersistentVolumeClaims(namespace).Delete(w.ctx, name, metav1.DeleteOptions{}))
}

func claimNamed(name string, modify func(*corev1.PersistentVolumeClaim)) *corev1.PersistentVolumeClaim {
	claim := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: gen.Namespace, Name: name, UID: types.UID(name + "-claim")},
		Status:     corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimBound},
	}
	if modify != nil {
		modify(claim)
	}
	return claim
}

func secretRef(name string) func(*v1beta1.DataVolume) {
	return func(dv *v1beta1.DataVolume) { dv.Spec.Source.Registry.SecretRef = &name }
}

func nodePull(dv *v1beta1.DataVolume) {
	dv.Spec.Source.Registry.PullMethod = ptr.To(v1beta1.RegistryPullNode)
}

func tag(dv *v1beta1.DataVolume) {
	dv.Spec.Source.Registry.URL = new("docker://registry.example/fedora:latest")
}

func credentials(name string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: gen.Namespace, Name: name},
		Data:       map[string][]byte{"accessKeyId": []byte("user"), "secretKey": []byte("word")},
	}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"context"
	"encoding/json"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/requester"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	importerv1 "goldenimage.dev/pkg/apis/importer/v1"
	"goldenimage.dev/pkg/sources"
	"goldenimage.dev/test/gen"
)

// class returns a storage class; a wait one binds at first use.
func class(name, provisioner string, wait bool) *storagev1.StorageClass {
	mode := storagev1.VolumeBindingImmediate
	if wait {
		mode = storagev1.VolumeBindingWaitForFirstConsumer
	}
	return &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Provisioner: provisioner, VolumeBindingMode: &mode}
}

func driver(name string) *storagev1.CSIDriver {
	return &storagev1.CSIDriver{ObjectMeta: metav1.ObjectMeta{Name: name}}
}

// infrastructure has one class of each kind.
func infrastructure() []runtime.Object {
	return []runtime.Object{
		class("csi", "csi.example", false), class("csi-late", "csi.example", true), driver("csi.example"),
		class("plain", "plain.example", false), class("plain-late", "plain.example", true),
	}
}

func importVolume(className string, modify ...func(*v1beta1.DataVolume)) *v1beta1.DataVolume {
	dv := &v1beta1.DataVolume{
		ObjectMeta: metav1.ObjectMeta{
			Name: "fedora", Namespace: gen.Namespace, UID: testUID, Generation: 1, ResourceVersion: "1",
			Labels:      map[string]string{v1beta1.LabelDataImportCron: "fedora-cron", "team": "images"},
			Annotations: map[string]string{v1beta1.AnnImmediateBind: "true", v1beta1.AnnLastUseTime: "2026-10-01T12:00:00Z"},
		},
		Spec: v1beta1.DataVolumeSpec{
			Source: &v1beta1.DataVolumeSource{Registry: &v1beta1.DataVolumeSourceRegistry{URL: new("docker://registry.example/fedora@" + testDigest)}},
			Storage: &v1beta1.StorageSpec{
				StorageClassName: &className,
				Resources:        corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("5Gi")}},
			},
		},
	}
	for _, change := range modify {
		change(dv)
	}
	return dv
}

// cloneVolume copies a claim, which whoever asked was allowed to if it is in another namespace.
func cloneVolume(className, namespace, name string, modify ...func(*v1beta1.DataVolume)) *v1beta1.DataVolume {
	return importVolume(className, append([]func(*v1beta1.DataVolume){func(dv *v1beta1.DataVolume) {
		dv.Spec.Source = &v1beta1.DataVolumeSource{PVC: &v1beta1.DataVolumeSourcePVC{Namespace: namespace, Name: name}}
		if namespace != dv.Namespace {
			askedFor(requester.Source{Kind: requester.Claim, Namespace: namespace, Name: name})(dv)
		}
	}}, modify...)...)
}

// askedFor notes that alice asked for a DataVolume, and what she was allowed then.
func askedFor(allowed ...requester.Source) func(*v1beta1.DataVolume) {
	return func(dv *v1beta1.DataVolume) {
		note, err := requester.Encode(requester.CloneRequester{
			Username: "alice", UID: "1", Groups: []string{"team"}, Extra: map[string][]string{"scopes": {"full"}}, Allowed: allowed,
		})
		if err != nil {
			panic(err)
		}
		metav1.SetMetaDataAnnotation(&dv.ObjectMeta, v1beta1.AnnCloneRequester, note)
	}
}

// sourceClaim is a complete claim with its volume.
func sourceClaim(namespace, name string) []runtime.Object {
	return []runtime.Object{
		&corev1.PersistentVolumeClaim{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: namespace, Name: name, UID: "source-uid", CreationTimestamp: metav1.NewTime(gen.Epoch()),
				Annotations: map[string]string{v1beta1.AnnPopulated: "true", v1beta1.AnnVirtualSize: "5368709120"},
				Labels:      map[string]string{"instancetype.kubevirt.io/default-preference": "fedora", v1beta1.LabelDataImportCron: "other"},
			},
			Spec: corev1.PersistentVolumeClaimSpec{
				VolumeName: "pv-source", VolumeMode: ptr.To(corev1.PersistentVolumeFilesystem),
				Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("5690831668")}},
			},
			Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimBound},
		},
		&corev1.PersistentVolume{
			ObjectMeta: metav1.ObjectMeta{Name: "pv-source"},
			Spec: corev1.PersistentVolumeSpec{
				PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimDelete,
				ClaimRef:                      &corev1.ObjectReference{Namespace: namespace, Name: name, UID: "source-uid"},
			},
		},
	}
}

type fixedResolver struct {
	digest string
	err    error
}

func (r fixedResolver) Resolve(context.Context, sources.Query) (sources.Revision, error) {
	return sources.Revision{Digest: r.digest}, r.err
}

type fixedProgress struct{ fraction float64 }

func (p fixedProgress) Read(context.Context, string, string) (importerv1.Progress, bool, error) {
	return importerv1.Progress{Fraction: p.fraction}, true, nil
}

func (w *world) encode(v any) string {
	w.t.Helper()
	text, err := json.Marshal(v)
	w.must(err)
	return string(text)
}

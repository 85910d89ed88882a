// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"goldenimage.dev/pkg/apis/cdi"
)

func TestExternalPopulation(t *testing.T) {
	const (
		none   = "External population is not supported: leave it out"
		beside = "External population is incompatible with Source and SourceRef: " + none
		source = "spec.storage.dataSource"
		ref    = "spec.storage.dataSourceRef"
	)
	noSource := required("spec.source", originWords+supportedSources)
	runVolumeCases(t, fedoraImport, map[string]volumeCase{
		"instead of a source": {func(v *cdi.DataVolume) {
			v.Spec.Source = nil
			v.Spec.Storage.DataSource = &corev1.TypedLocalObjectReference{APIGroup: new("example.org"), Kind: "Populator", Name: "a"}
		}, []fault{noSource, forbidden(source, none)}},
		"of a claim instead of a source": {func(v *cdi.DataVolume) {
			v.Spec.Source = nil
			v.Spec.Storage.DataSourceRef = &corev1.TypedObjectReference{Kind: "PersistentVolumeClaim", Name: "a", Namespace: new("")}
		}, []fault{noSource, forbidden(ref, none)}},
		"beside a source": {func(v *cdi.DataVolume) {
			asPVC(&v.Spec).DataSourceRef = &corev1.TypedObjectReference{APIGroup: new("example.org"), Kind: "Populator", Name: "a"}
		}, []fault{forbidden("spec.pvc.dataSourceRef", beside)}},
		"of nothing, in both fields": {func(v *cdi.DataVolume) {
			v.Spec.Storage.DataSource, v.Spec.Storage.DataSourceRef = &corev1.TypedLocalObjectReference{}, &corev1.TypedObjectReference{}
		}, []fault{
			forbidden(source, beside), required(source+".name", "DataSource name"), required(source+".kind", "DataSource kind"),
			required(source+".apiGroup", "DataSource apiGroup when kind is not 'PersistentVolumeClaim'"),
			forbidden(ref, beside), required(ref+".name", "DataSourceRef name"), required(ref+".kind", "DataSourceRef kind"),
			required(ref+".apiGroup", "DataSourceRef apiGroup when kind is not 'PersistentVolumeClaim'"),
		}},
		"the same in both fields": {func(v *cdi.DataVolume) {
			v.Spec.Storage.DataSource = &corev1.TypedLocalObjectReference{APIGroup: new("example.org"), Kind: "Populator", Name: "a"}
			v.Spec.Storage.DataSourceRef = &corev1.TypedObjectReference{APIGroup: new("example.org"), Kind: "Populator", Name: "a"}
		}, []fault{forbidden(source, beside), forbidden(ref, beside)}},
		"of two things": {func(v *cdi.DataVolume) {
			v.Spec.Storage.DataSource = &corev1.TypedLocalObjectReference{Kind: "PersistentVolumeClaim", Name: "a"}
			v.Spec.Storage.DataSourceRef = &corev1.TypedObjectReference{Kind: "PersistentVolumeClaim", Name: "b"}
		}, []fault{forbidden(source, beside), forbidden(ref, beside), invalid(ref, "DataSourceRef and DataSource must match: give one of them")}},
		"from another namespace": {func(v *cdi.DataVolume) {
			v.Spec.Storage.DataSourceRef = &corev1.TypedObjectReference{Kind: "PersistentVolumeClaim", Name: "a", Namespace: new("b")}
		}, []fault{forbidden(ref, beside), invalid(ref+".namespace", "DataSourceRef namespace not supported")}},
	})
}

// Clients look for these sentences in what the server answers, which begins with the kind of
// fault.
func TestExternalPopulationInTheWordsOfCDI(t *testing.T) {
	volume := fedoraImport()
	volume.Spec.Storage.DataSource = &corev1.TypedLocalObjectReference{}
	volume.Spec.Storage.DataSourceRef = &corev1.TypedObjectReference{Namespace: new("a")}
	got := map[string]bool{}
	for _, err := range ValidateDataVolume(volume) {
		got[err.ErrorBody()] = true
	}
	for _, want := range []string{
		"Required value: DataSource name", "Required value: DataSource kind", "Required value: DataSource apiGroup when kind is not 'PersistentVolumeClaim'",
		"Required value: DataSourceRef name", "Required value: DataSourceRef kind", "Required value: DataSourceRef apiGroup when kind is not 'PersistentVolumeClaim'",
		"Invalid value: DataSourceRef namespace not supported",
	} {
		if !got[want] {
			t.Errorf("no error says %q", want)
		}
	}
}

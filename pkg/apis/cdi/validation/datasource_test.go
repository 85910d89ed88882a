// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"goldenimage.dev/pkg/apis/cdi"
)

func dataSource(source cdi.DataSourceSource) *cdi.DataSource {
	return &cdi.DataSource{
		ObjectMeta: metav1.ObjectMeta{Namespace: "golden-images", Name: "fedora"},
		Spec:       cdi.DataSourceSpec{Source: source},
	}
}

func pointTo(namespace, name string) cdi.DataSourceSource {
	return cdi.DataSourceSource{DataSource: &cdi.DataSourceRefSourceDataSource{Namespace: namespace, Name: name}}
}

func sourcePVCOf(namespace, name string) cdi.DataSourceSource {
	return cdi.DataSourceSource{PVC: &cdi.DataVolumeSourcePVC{Namespace: namespace, Name: name}}
}

func TestValidateDataSource(t *testing.T) {
	snapshot := func(namespace, name string) cdi.DataSourceSource {
		return cdi.DataSourceSource{Snapshot: &cdi.DataVolumeSourceSnapshot{Namespace: namespace, Name: name}}
	}
	for name, test := range map[string]struct {
		source cdi.DataSourceSource
		want   []fault
	}{
		"an empty source is valid":                {cdi.DataSourceSource{}, nil},
		"a claim is valid":                        {sourcePVCOf("golden-images", "fedora-0123456789ab"), nil},
		"a claim elsewhere is valid":              {sourcePVCOf("elsewhere", "fedora"), nil},
		"a snapshot is valid":                     {snapshot("golden-images", "fedora"), nil},
		"a pointer is valid":                      {pointTo("golden-images", "fedora-amd64"), nil},
		"a claim without name and namespace":      {sourcePVCOf("", ""), []fault{required("spec.source.pvc.namespace", "source PVC is not valid: give a namespace"), required("spec.source.pvc.name", "source PVC is not valid: give a name")}},
		"a snapshot whose name is none":           {snapshot("A", "b/c"), []fault{invalid("spec.source.snapshot.namespace", "source snapshot is not valid: "+badLabel), invalid("spec.source.snapshot.name", "source snapshot is not valid: "+badName)}},
		"a pointer without name and namespace":    {pointTo("", ""), []fault{required("spec.source.dataSource.namespace", "source DataSource is not valid: give a namespace"), required("spec.source.dataSource.name", "source DataSource is not valid: give a name")}},
		"a pointer to itself":                     {pointTo("golden-images", "fedora"), []fault{invalid("spec.source.dataSource.name", "a DataSource cannot point to itself: give another one")}},
		"a pointer to another namespace":          {pointTo("elsewhere", "fedora"), []fault{invalid("spec.source.dataSource.namespace", "a DataSource can only point to one in its own namespace: give golden-images")}},
		"a claim and a snapshot, both of no name": {cdi.DataSourceSource{PVC: &cdi.DataVolumeSourcePVC{Namespace: "a"}, Snapshot: &cdi.DataVolumeSourceSnapshot{Namespace: "a"}}, []fault{required("spec.source.pvc.name", "source PVC is not valid: give a name"), required("spec.source.snapshot.name", "source snapshot is not valid: give a name"), invalid("spec.source", "Multiple DataSource sources: give one of pvc, snapshot and dataSource")}},
	} {
		t.Run(name, func(t *testing.T) {
			compare(t, test.want, ValidateDataSource(dataSource(test.source)))
		})
	}
	t.Run("a name and a source are wrong, and both are told", func(t *testing.T) {
		source := dataSource(sourcePVCOf("a", ""))
		source.Name = strings.Repeat("a", 254)
		compare(t, []fault{
			invalid("metadata.name", "Name cannot be longer than 253 characters"),
			required("spec.source.pvc.name", "source PVC is not valid: give a name"),
		}, ValidateDataSource(source))
	})
}

func TestValidateDataSourceUpdate(t *testing.T) {
	for name, test := range map[string]struct {
		old, updated cdi.DataSourceSource
		want         []fault
	}{
		"nothing changes":                 {sourcePVCOf("a", "b"), sourcePVCOf("a", "b"), nil},
		"it points to the next import":    {sourcePVCOf("a", "b"), sourcePVCOf("a", "c"), nil},
		"it is emptied":                   {sourcePVCOf("a", "b"), cdi.DataSourceSource{}, nil},
		"it was stored invalid and stays": {sourcePVCOf("", ""), sourcePVCOf("", ""), nil},
		"it becomes invalid":              {sourcePVCOf("a", "b"), sourcePVCOf("a", ""), []fault{required("spec.source.pvc.name", "source PVC is not valid: give a name")}},
		"it comes to point to itself":     {sourcePVCOf("a", "b"), pointTo("golden-images", "fedora"), []fault{invalid("spec.source.dataSource.name", "a DataSource cannot point to itself: give another one")}},
	} {
		t.Run(name, func(t *testing.T) {
			compare(t, test.want, ValidateDataSourceUpdate(dataSource(test.updated), dataSource(test.old)))
		})
	}
}

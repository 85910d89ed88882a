// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package v1beta1

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"k8s.io/apimachinery/pkg/runtime"
)

func newScheme(t *testing.T) *runtime.Scheme {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	return scheme
}

func TestDefaultsOfDataImportCron(t *testing.T) {
	template := DataVolume{Spec: DataVolumeSpec{Source: &DataVolumeSource{Registry: &DataVolumeSourceRegistry{}}, Storage: &StorageSpec{}}}
	for name, test := range map[string]struct{ spec, want DataImportCronSpec }{
		"what is left out is filled in": {
			DataImportCronSpec{},
			DataImportCronSpec{
				GarbageCollect:  new(DataImportCronGarbageCollectOutdated),
				ImportsToKeep:   new(int32(3)),
				RetentionPolicy: new(DataImportCronRetainAll),
			},
		},
		"what is given is kept": {
			DataImportCronSpec{
				GarbageCollect:  new(DataImportCronGarbageCollectNever),
				ImportsToKeep:   new(int32(0)),
				RetentionPolicy: new(DataImportCronRetainNone),
			},
			DataImportCronSpec{
				GarbageCollect:  new(DataImportCronGarbageCollectNever),
				ImportsToKeep:   new(int32(0)),
				RetentionPolicy: new(DataImportCronRetainNone),
			},
		},
		"what is invalid is kept for validation to tell": {
			DataImportCronSpec{GarbageCollect: new(DataImportCronGarbageCollect("")), ImportsToKeep: new(int32(-1))},
			DataImportCronSpec{GarbageCollect: new(DataImportCronGarbageCollect("")), ImportsToKeep: new(int32(-1)), RetentionPolicy: new(DataImportCronRetainAll)},
		},
		"nothing else is touched": {
			DataImportCronSpec{Template: template, ManagedDataSource: "fedora"},
			DataImportCronSpec{
				Template: template, ManagedDataSource: "fedora",
				GarbageCollect:  new(DataImportCronGarbageCollectOutdated),
				ImportsToKeep:   new(int32(3)),
				RetentionPolicy: new(DataImportCronRetainAll),
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			cron := &DataImportCron{Spec: *test.spec.DeepCopy()}
			newScheme(t).Default(cron)
			if diff := cmp.Diff(&DataImportCron{Spec: test.want}, cron); diff != "" {
				t.Errorf("defaulted (-want +got):\n%s", diff)
			}
			list := &DataImportCronList{Items: []DataImportCron{{Spec: *test.spec.DeepCopy()}}}
			newScheme(t).Default(list)
			if diff := cmp.Diff([]DataImportCron{{Spec: test.want}}, list.Items); diff != "" {
				t.Errorf("defaulted list (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOtherKindsHaveNoDefaults(t *testing.T) {
	for name, object := range map[string]runtime.Object{
		"a DataSource": &DataSource{},
		"a DataVolume": &DataVolume{Spec: DataVolumeSpec{SourceRef: &DataVolumeSourceRef{}, Storage: &StorageSpec{}}},
		"a trigger":    &DataImportCronTrigger{},
	} {
		t.Run(name, func(t *testing.T) {
			defaulted := object.DeepCopyObject()
			newScheme(t).Default(defaulted)
			if diff := cmp.Diff(object, defaulted); diff != "" {
				t.Errorf("defaulted (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFieldLabels(t *testing.T) {
	for name, test := range map[string]struct {
		kind, label string
		// supported tells whether one can select by the label.
		supported bool
	}{
		"a name":                           {"DataVolume", "metadata.name", true},
		"a namespace":                      {"DataSource", "metadata.namespace", true},
		"the DataSource of a cron":         {"DataImportCron", FieldManagedDataSource, true},
		"the claim of a DataSource":        {"DataSource", FieldSourcePVCName, true},
		"the phase of a DataVolume":        {"DataVolume", FieldPhase, true},
		"the phase of a DataSource":        {"DataSource", FieldPhase, false},
		"what nobody thought of":           {"DataVolume", "spec.pvc", false},
		"the DataSource of something else": {"DataVolume", FieldManagedDataSource, false},
	} {
		t.Run(name, func(t *testing.T) {
			label, value, err := newScheme(t).ConvertFieldLabel(SchemeGroupVersion.WithKind(test.kind), test.label, "fedora")
			if (err == nil) != test.supported {
				t.Fatalf("error %v", err)
			}
			if err == nil && (label != test.label || value != "fedora") {
				t.Errorf("converted to %s=%s", label, value)
			}
		})
	}
}

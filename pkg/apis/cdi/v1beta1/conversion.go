// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package v1beta1

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
)

// Field labels that lists and watches can select by, besides metadata.name and
// metadata.namespace.
const (
	// FieldManagedDataSource selects DataImportCrons.
	FieldManagedDataSource = "spec.managedDataSource"
	// FieldPhase selects DataVolumes, CDI objects and ObjectTransfers.
	FieldPhase = "status.phase"
	// FieldSourcePVCName selects DataSources and DataVolumes.
	FieldSourcePVCName = "spec.source.pvc.name"
)

// selectable is the table of the field labels of each kind, besides the metadata's.
func selectable() map[string][]string {
	return map[string][]string{
		"DataImportCron":     {FieldManagedDataSource},
		"DataSource":         {FieldSourcePVCName},
		"DataVolume":         {FieldPhase, FieldSourcePVCName},
		"CDI":                {FieldPhase},
		"ObjectTransfer":     {FieldPhase},
		"VolumeImportSource": nil, "VolumeCloneSource": nil, "VolumeUploadSource": nil,
		"StorageProfile": nil, "CDIConfig": nil,
	}
}

// clusterScoped kinds have no namespace to select by.
func clusterScoped() []string {
	return []string{"StorageProfile", "CDIConfig", "CDI", "ObjectTransfer"}
}

func addFieldLabels(scheme *runtime.Scheme) error {
	for kind, labels := range selectable() {
		supported := []string{"metadata.name"}
		if !slices.Contains(clusterScoped(), kind) {
			supported = append(supported, "metadata.namespace")
		}
		supported = append(supported, labels...)
		convert := func(label, value string) (string, string, error) {
			if !slices.Contains(supported, label) {
				return "", "", fmt.Errorf("field label %q is not supported: use one of %s", label, strings.Join(supported, ", "))
			}
			return label, value, nil
		}
		if err := scheme.AddFieldLabelConversionFunc(SchemeGroupVersion.WithKind(kind), convert); err != nil {
			return err
		}
	}
	return nil
}

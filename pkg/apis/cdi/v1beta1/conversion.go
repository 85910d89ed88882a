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
	// FieldPhase selects DataVolumes.
	FieldPhase = "status.phase"
	// FieldSourcePVCName selects DataSources.
	FieldSourcePVCName = "spec.source.pvc.name"
)

func addFieldLabels(scheme *runtime.Scheme) error {
	for kind, label := range map[string]string{
		"DataImportCron": FieldManagedDataSource,
		"DataSource":     FieldSourcePVCName,
		"DataVolume":     FieldPhase,
	} {
		supported := []string{"metadata.name", "metadata.namespace", label}
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

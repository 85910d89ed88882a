// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package v1beta1

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
)

// DefaultImportsToKeep is how many imports of a DataImportCron are kept unless it says.
const DefaultImportsToKeep = 3

func addDefaultingFuncs(scheme *runtime.Scheme) error {
	return RegisterDefaults(scheme)
}

// SetDefaults_DataImportCronSpec fills in what a DataImportCron leaves out.
func SetDefaults_DataImportCronSpec(spec *DataImportCronSpec) { //nolint:revive // the generator wants this name
	if spec.GarbageCollect == nil {
		spec.GarbageCollect = ptr.To(DataImportCronGarbageCollectOutdated)
	}
	if spec.ImportsToKeep == nil {
		spec.ImportsToKeep = ptr.To[int32](DefaultImportsToKeep)
	}
	if spec.RetentionPolicy == nil {
		spec.RetentionPolicy = ptr.To(DataImportCronRetainAll)
	}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package cdi

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupName is the name of the API group.
const GroupName = "cdi.kubevirt.io"

// SchemeGroupVersion is the group with the version that stands for internal types.
var SchemeGroupVersion = schema.GroupVersion{Group: GroupName, Version: runtime.APIVersionInternal}

var (
	// SchemeBuilder collects what AddToScheme does.
	SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)
	// AddToScheme registers the types with a scheme.
	AddToScheme = SchemeBuilder.AddToScheme
)

// Kind returns the group-qualified form of a kind's name.
func Kind(kind string) schema.GroupKind {
	return SchemeGroupVersion.WithKind(kind).GroupKind()
}

// Resource returns the group-qualified form of a resource's name.
func Resource(resource string) schema.GroupResource {
	return SchemeGroupVersion.WithResource(resource).GroupResource()
}

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(SchemeGroupVersion,
		&DataImportCron{}, &DataImportCronList{}, &DataImportCronTrigger{},
		&DataSource{}, &DataSourceList{},
		&DataVolume{}, &DataVolumeList{},
		&StorageProfile{}, &StorageProfileList{},
		&CDIConfig{}, &CDIConfigList{},
		&CDI{}, &CDIList{},
		&VolumeImportSource{}, &VolumeImportSourceList{},
		&VolumeCloneSource{}, &VolumeCloneSourceList{},
		&VolumeUploadSource{}, &VolumeUploadSourceList{},
		&ObjectTransfer{}, &ObjectTransferList{},
	)
	return nil
}

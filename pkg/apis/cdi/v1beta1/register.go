// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package v1beta1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupName is the name of the API group.
const GroupName = "cdi.kubevirt.io"

// SchemeGroupVersion is the group and version of the types in this package.
var SchemeGroupVersion = schema.GroupVersion{Group: GroupName, Version: "v1beta1"}

var (
	// SchemeBuilder collects what AddToScheme does.
	SchemeBuilder      = runtime.NewSchemeBuilder(addKnownTypes, addDefaultingFuncs, addFieldLabels)
	localSchemeBuilder = &SchemeBuilder
	// AddToScheme registers the types with a scheme.
	AddToScheme = SchemeBuilder.AddToScheme
)

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
	metav1.AddToGroupVersion(scheme, SchemeGroupVersion)
	return nil
}

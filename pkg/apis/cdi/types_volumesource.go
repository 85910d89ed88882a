// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package cdi

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// VolumeImportSource is what a PersistentVolumeClaim names in its dataSourceRef to be filled
// from a source.
type VolumeImportSource struct {
	metav1.TypeMeta
	// Standard object metadata.
	metav1.ObjectMeta

	// Spec says where the content comes from.
	Spec VolumeImportSourceSpec
	// Status has no fields.
	Status VolumeImportSourceStatus
}

// VolumeImportSourceSpec says where the content comes from.
type VolumeImportSourceSpec struct {
	// Source of the content.
	Source *ImportSourceType
	// Preallocation allocates the storage of the volume in advance.
	Preallocation *bool
	// ContentType is "kubevirt" (a disk, the default) or "archive".
	ContentType DataVolumeContentType
	// TargetClaim is the claim that a multi-stage import fills.
	TargetClaim *string
	// Checkpoints are the stages of a multi-stage import.
	Checkpoints []DataVolumeCheckpoint
	// FinalCheckpoint tells that the last checkpoint ends a multi-stage import.
	FinalCheckpoint *bool
}

// ImportSourceType is a source of content. Exactly one member is given.
type ImportSourceType struct {
	// HTTP reads a file from a web server.
	HTTP *DataVolumeSourceHTTP
	// S3 reads an object from an S3 bucket.
	S3 *DataVolumeSourceS3
	// Registry reads a container disk from an image registry.
	Registry *DataVolumeSourceRegistry
	// GCS reads an object from a Google Cloud Storage bucket.
	GCS *DataVolumeSourceGCS
	// Blank makes an empty disk.
	Blank *DataVolumeBlankImage
	// Imageio reads a disk from an oVirt engine.
	Imageio *DataVolumeSourceImageIO
	// VDDK reads a disk from VMware.
	VDDK *DataVolumeSourceVDDK
}

// VolumeImportSourceStatus has no fields.
type VolumeImportSourceStatus struct{}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// VolumeImportSourceList is a list of VolumeImportSources.
type VolumeImportSourceList struct {
	metav1.TypeMeta
	// Standard list metadata.
	metav1.ListMeta

	// Items of the list.
	Items []VolumeImportSource
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// VolumeCloneSource is what a PersistentVolumeClaim names in its dataSourceRef to be filled
// with a copy of another volume.
type VolumeCloneSource struct {
	metav1.TypeMeta
	// Standard object metadata.
	metav1.ObjectMeta

	// Spec says what is copied.
	Spec VolumeCloneSourceSpec
}

// VolumeCloneSourceSpec says what is copied.
type VolumeCloneSourceSpec struct {
	// Source is a PersistentVolumeClaim or VolumeSnapshot in the same namespace.
	Source corev1.TypedLocalObjectReference
	// Preallocation allocates the storage of the volume in advance.
	Preallocation *bool
	// PriorityClassName of the pods that copy.
	PriorityClassName *string
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// VolumeCloneSourceList is a list of VolumeCloneSources.
type VolumeCloneSourceList struct {
	metav1.TypeMeta
	// Standard list metadata.
	metav1.ListMeta

	// Items of the list.
	Items []VolumeCloneSource
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// VolumeUploadSource is what a PersistentVolumeClaim names in its dataSourceRef to be filled
// with what a client uploads.
type VolumeUploadSource struct {
	metav1.TypeMeta
	// Standard object metadata.
	metav1.ObjectMeta

	// Spec says what is uploaded.
	Spec VolumeUploadSourceSpec
	// Status has no fields.
	Status VolumeUploadSourceStatus
}

// VolumeUploadSourceSpec says what is uploaded.
type VolumeUploadSourceSpec struct {
	// ContentType is "kubevirt" (a disk, the default) or "archive".
	ContentType DataVolumeContentType
	// Preallocation allocates the storage of the volume in advance.
	Preallocation *bool
}

// VolumeUploadSourceStatus has no fields.
type VolumeUploadSourceStatus struct{}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// VolumeUploadSourceList is a list of VolumeUploadSources.
type VolumeUploadSourceList struct {
	metav1.TypeMeta
	// Standard list metadata.
	metav1.ListMeta

	// Items of the list.
	Items []VolumeUploadSource
}

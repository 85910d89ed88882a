// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package v1beta1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +genclient
// +genclient:noStatus
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// VolumeImportSource is what a PersistentVolumeClaim names in its dataSourceRef to be filled
// from a source.
type VolumeImportSource struct {
	metav1.TypeMeta `json:",inline"`
	// Standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec says where the content comes from.
	Spec VolumeImportSourceSpec `json:"spec"`
	// Status has no fields.
	// +optional
	Status VolumeImportSourceStatus `json:"status,omitempty,omitzero"`
}

// VolumeImportSourceSpec says where the content comes from.
type VolumeImportSourceSpec struct {
	// Source of the content.
	// +optional
	Source *ImportSourceType `json:"source,omitempty"`
	// Preallocation allocates the storage of the volume in advance.
	// +optional
	Preallocation *bool `json:"preallocation,omitempty"`
	// ContentType is "kubevirt" (a disk, the default) or "archive".
	// +optional
	ContentType DataVolumeContentType `json:"contentType,omitempty"`
	// TargetClaim is the claim that a multi-stage import fills.
	// +optional
	TargetClaim *string `json:"targetClaim,omitempty"`
	// Checkpoints are the stages of a multi-stage import.
	// +optional
	// +listType=atomic
	Checkpoints []DataVolumeCheckpoint `json:"checkpoints,omitempty"`
	// FinalCheckpoint tells that the last checkpoint ends a multi-stage import.
	// +optional
	FinalCheckpoint *bool `json:"finalCheckpoint,omitempty"`
}

// ImportSourceType is a source of content. Exactly one member is given.
type ImportSourceType struct {
	// HTTP reads a file from a web server.
	// +optional
	HTTP *DataVolumeSourceHTTP `json:"http,omitempty"`
	// S3 reads an object from an S3 bucket.
	// +optional
	S3 *DataVolumeSourceS3 `json:"s3,omitempty"`
	// Registry reads a container disk from an image registry.
	// +optional
	Registry *DataVolumeSourceRegistry `json:"registry,omitempty"`
	// GCS reads an object from a Google Cloud Storage bucket.
	// +optional
	GCS *DataVolumeSourceGCS `json:"gcs,omitempty"`
	// Blank makes an empty disk.
	// +optional
	Blank *DataVolumeBlankImage `json:"blank,omitempty"`
	// Imageio reads a disk from an oVirt engine.
	// +optional
	Imageio *DataVolumeSourceImageIO `json:"imageio,omitempty"`
	// VDDK reads a disk from VMware.
	// +optional
	VDDK *DataVolumeSourceVDDK `json:"vddk,omitempty"`
}

// VolumeImportSourceStatus has no fields.
type VolumeImportSourceStatus struct{}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// VolumeImportSourceList is a list of VolumeImportSources.
type VolumeImportSourceList struct {
	metav1.TypeMeta `json:",inline"`
	// Standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata"`

	// Items of the list.
	Items []VolumeImportSource `json:"items"`
}

// +genclient
// +genclient:noStatus
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// VolumeCloneSource is what a PersistentVolumeClaim names in its dataSourceRef to be filled
// with a copy of another volume.
type VolumeCloneSource struct {
	metav1.TypeMeta `json:",inline"`
	// Standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec says what is copied.
	Spec VolumeCloneSourceSpec `json:"spec"`
}

// VolumeCloneSourceSpec says what is copied.
type VolumeCloneSourceSpec struct {
	// Source is a PersistentVolumeClaim or VolumeSnapshot in the same namespace.
	Source corev1.TypedLocalObjectReference `json:"source"`
	// Preallocation allocates the storage of the volume in advance.
	// +optional
	Preallocation *bool `json:"preallocation,omitempty"`
	// PriorityClassName of the pods that copy.
	// +optional
	PriorityClassName *string `json:"priorityClassName,omitempty"`
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// VolumeCloneSourceList is a list of VolumeCloneSources.
type VolumeCloneSourceList struct {
	metav1.TypeMeta `json:",inline"`
	// Standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata"`

	// Items of the list.
	Items []VolumeCloneSource `json:"items"`
}

// +genclient
// +genclient:noStatus
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// VolumeUploadSource is what a PersistentVolumeClaim names in its dataSourceRef to be filled
// with what a client uploads.
type VolumeUploadSource struct {
	metav1.TypeMeta `json:",inline"`
	// Standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec says what is uploaded.
	Spec VolumeUploadSourceSpec `json:"spec"`
	// Status has no fields.
	// +optional
	Status VolumeUploadSourceStatus `json:"status,omitempty,omitzero"`
}

// VolumeUploadSourceSpec says what is uploaded.
type VolumeUploadSourceSpec struct {
	// ContentType is "kubevirt" (a disk, the default) or "archive".
	// +optional
	ContentType DataVolumeContentType `json:"contentType,omitempty"`
	// Preallocation allocates the storage of the volume in advance.
	// +optional
	Preallocation *bool `json:"preallocation,omitempty"`
}

// VolumeUploadSourceStatus has no fields.
type VolumeUploadSourceStatus struct{}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// VolumeUploadSourceList is a list of VolumeUploadSources.
type VolumeUploadSourceList struct {
	metav1.TypeMeta `json:",inline"`
	// Standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata"`

	// Items of the list.
	Items []VolumeUploadSource `json:"items"`
}

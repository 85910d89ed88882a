// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package v1beta1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +genclient
// +genclient:nonNamespaced
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// StorageProfile says what volumes of a StorageClass are good for. The server makes one for
// each StorageClass, of the same name; what an administrator sets in the spec wins over what
// was found out.
type StorageProfile struct {
	metav1.TypeMeta `json:",inline"`
	// Standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what an administrator knows better.
	Spec StorageProfileSpec `json:"spec"`
	// Status is what counts: the spec, completed with what was found out.
	// +optional
	Status StorageProfileStatus `json:"status,omitempty,omitzero"`
}

// StorageProfileSpec is what an administrator knows better. What is left out is found out.
type StorageProfileSpec struct {
	// CloneStrategy is how a volume is cloned: "copy", "snapshot" or "csi-clone".
	// +optional
	CloneStrategy *CDICloneStrategy `json:"cloneStrategy,omitempty"`
	// ClaimPropertySets are the combinations of access modes and volume mode that claims of
	// the class can have, the best first; at most 8.
	// +optional
	// +listType=atomic
	ClaimPropertySets []ClaimPropertySet `json:"claimPropertySets,omitempty"`
	// DataImportCronSourceFormat is what imports are kept as: "pvc" or "snapshot".
	// +optional
	DataImportCronSourceFormat *DataImportCronSourceFormat `json:"dataImportCronSourceFormat,omitempty"`
	// SnapshotClass is the VolumeSnapshotClass for snapshots of the class's volumes; left out,
	// one of the same driver is chosen.
	// +optional
	SnapshotClass *string `json:"snapshotClass,omitempty"`
}

// StorageProfileStatus is what counts for a StorageClass.
type StorageProfileStatus struct {
	// StorageClass that the profile is for.
	// +optional
	StorageClass *string `json:"storageClass,omitempty"`
	// Provisioner of the class.
	// +optional
	Provisioner *string `json:"provisioner,omitempty"`
	// CloneStrategy is how a volume is cloned.
	// +optional
	CloneStrategy *CDICloneStrategy `json:"cloneStrategy,omitempty"`
	// ClaimPropertySets are the combinations of access modes and volume mode that claims of
	// the class can have, the best first.
	// +optional
	// +listType=atomic
	ClaimPropertySets []ClaimPropertySet `json:"claimPropertySets,omitempty"`
	// DataImportCronSourceFormat is what imports are kept as.
	// +optional
	DataImportCronSourceFormat *DataImportCronSourceFormat `json:"dataImportCronSourceFormat,omitempty"`
	// SnapshotClass is the VolumeSnapshotClass for snapshots of the class's volumes.
	// +optional
	SnapshotClass *string `json:"snapshotClass,omitempty"`
	// Conditions: Recognized.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +patchStrategy=merge
	// +patchMergeKey=type
	Conditions []StorageProfileCondition `json:"conditions,omitempty" patchStrategy:"merge" patchMergeKey:"type"`
}

// ClaimPropertySet is a combination that claims of a class can have.
type ClaimPropertySet struct {
	// AccessModes of the claim; at most 4.
	// +listType=atomic
	AccessModes []corev1.PersistentVolumeAccessMode `json:"accessModes"`
	// VolumeMode of the claim: "Filesystem" or "Block".
	VolumeMode *corev1.PersistentVolumeMode `json:"volumeMode"`
}

// StorageProfileCondition is one aspect of a StorageProfile.
type StorageProfileCondition struct {
	// Type of the condition: Recognized.
	Type           StorageProfileConditionType `json:"type"`
	ConditionState `json:",inline"`
}

// StorageProfileConditionType is an aspect of a StorageProfile.
type StorageProfileConditionType string

// StorageProfileRecognized tells whether the provisioner is one whose abilities are known.
const StorageProfileRecognized StorageProfileConditionType = "Recognized"

// CDICloneStrategy is a way to clone a volume.
// +enum
type CDICloneStrategy string

// Clone strategies.
const (
	// CloneStrategyHostAssisted copies the bytes in a pod.
	CloneStrategyHostAssisted CDICloneStrategy = "copy"
	// CloneStrategySnapshot restores a snapshot of the source.
	CloneStrategySnapshot CDICloneStrategy = "snapshot"
	// CloneStrategyCsiClone lets the storage clone the volume.
	CloneStrategyCsiClone CDICloneStrategy = "csi-clone"
)

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// StorageProfileList is a list of StorageProfiles.
type StorageProfileList struct {
	metav1.TypeMeta `json:",inline"`
	// Standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata"`

	// Items of the list.
	Items []StorageProfile `json:"items"`
}

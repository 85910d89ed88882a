// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package cdi

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// StorageProfile says what volumes of a StorageClass are good for. The server makes one for
// each StorageClass, of the same name; what an administrator sets in the spec wins over what
// was found out.
type StorageProfile struct {
	metav1.TypeMeta
	// Standard object metadata.
	metav1.ObjectMeta

	// Spec is what an administrator knows better.
	Spec StorageProfileSpec
	// Status is what counts: the spec, completed with what was found out.
	Status StorageProfileStatus
}

// StorageProfileSpec is what an administrator knows better. What is left out is found out.
type StorageProfileSpec struct {
	// CloneStrategy is how a volume is cloned: "copy", "snapshot" or "csi-clone".
	CloneStrategy *CDICloneStrategy
	// ClaimPropertySets are the combinations of access modes and volume mode that claims of
	// the class can have, the best first; at most 8.
	ClaimPropertySets []ClaimPropertySet
	// DataImportCronSourceFormat is what imports are kept as: "pvc" or "snapshot".
	DataImportCronSourceFormat *DataImportCronSourceFormat
	// SnapshotClass is the VolumeSnapshotClass for snapshots of the class's volumes; left out,
	// one of the same driver is chosen.
	SnapshotClass *string
}

// StorageProfileStatus is what counts for a StorageClass.
type StorageProfileStatus struct {
	// StorageClass that the profile is for.
	StorageClass *string
	// Provisioner of the class.
	Provisioner *string
	// CloneStrategy is how a volume is cloned.
	CloneStrategy *CDICloneStrategy
	// ClaimPropertySets are the combinations of access modes and volume mode that claims of
	// the class can have, the best first.
	ClaimPropertySets []ClaimPropertySet
	// DataImportCronSourceFormat is what imports are kept as.
	DataImportCronSourceFormat *DataImportCronSourceFormat
	// SnapshotClass is the VolumeSnapshotClass for snapshots of the class's volumes.
	SnapshotClass *string
	// Conditions: Recognized.
	Conditions []StorageProfileCondition
}

// ClaimPropertySet is a combination that claims of a class can have.
type ClaimPropertySet struct {
	// AccessModes of the claim; at most 4.
	AccessModes []corev1.PersistentVolumeAccessMode
	// VolumeMode of the claim: "Filesystem" or "Block".
	VolumeMode *corev1.PersistentVolumeMode
}

// StorageProfileCondition is one aspect of a StorageProfile.
type StorageProfileCondition struct {
	// Type of the condition: Recognized.
	Type StorageProfileConditionType
	ConditionState
}

// StorageProfileConditionType is an aspect of a StorageProfile.
type StorageProfileConditionType string

// StorageProfileRecognized tells whether the provisioner is one whose abilities are known.
const StorageProfileRecognized StorageProfileConditionType = "Recognized"

// CDICloneStrategy is a way to clone a volume.
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
	metav1.TypeMeta
	// Standard list metadata.
	metav1.ListMeta

	// Items of the list.
	Items []StorageProfile
}

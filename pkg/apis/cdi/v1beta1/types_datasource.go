// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package v1beta1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +genclient
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// DataSource is a name for the current golden image: it points to the claim or snapshot that
// DataVolumes with a sourceRef are cloned from.
type DataSource struct {
	metav1.TypeMeta `json:",inline"`
	// Standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec says where the image is.
	Spec DataSourceSpec `json:"spec"`
	// Status says whether the image can be used.
	// +optional
	Status DataSourceStatus `json:"status,omitempty,omitzero"`
}

// DataSourceSpec says where an image is.
type DataSourceSpec struct {
	// Source of the image.
	Source DataSourceSource `json:"source"`
}

// DataSourceSource points to an image.
type DataSourceSource struct {
	// PVC that holds the image.
	// +optional
	PVC *DataVolumeSourcePVC `json:"pvc,omitempty"`
	// Snapshot that holds the image.
	// +optional
	Snapshot *DataVolumeSourceSnapshot `json:"snapshot,omitempty"`
	// DataSource in the same namespace that points to the image.
	// +optional
	DataSource *DataSourceRefSourceDataSource `json:"dataSource,omitempty"`
}

// DataSourceRefSourceDataSource names another DataSource.
type DataSourceRefSourceDataSource struct {
	// Namespace of the DataSource, which must be the pointing one's.
	Namespace string `json:"namespace"`
	// Name of the DataSource.
	Name string `json:"name"`
}

// DataSourceStatus says whether an image can be used.
type DataSourceStatus struct {
	// Source after following a pointer; empty while the image cannot be used.
	// +optional
	Source DataSourceSource `json:"source,omitempty"`
	// Conditions: Ready.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +patchStrategy=merge
	// +patchMergeKey=type
	Conditions []DataSourceCondition `json:"conditions,omitempty" patchStrategy:"merge" patchMergeKey:"type"`
}

// DataSourceCondition is one aspect of a DataSource.
type DataSourceCondition struct {
	// Type of the condition: Ready.
	Type           DataSourceConditionType `json:"type"`
	ConditionState `json:",inline"`
}

// DataSourceConditionType is an aspect of a DataSource.
type DataSourceConditionType string

// DataSourceReady tells whether the image can be cloned.
const DataSourceReady DataSourceConditionType = "Ready"

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// DataSourceList is a list of DataSources.
type DataSourceList struct {
	metav1.TypeMeta `json:",inline"`
	// Standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata"`

	// Items of the list.
	Items []DataSource `json:"items"`
}

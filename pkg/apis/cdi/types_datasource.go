// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package cdi

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// DataSource is a name for the current golden image: it points to the claim or snapshot that
// DataVolumes with a sourceRef are cloned from.
type DataSource struct {
	metav1.TypeMeta
	// Standard object metadata.
	metav1.ObjectMeta

	// Spec says where the image is.
	Spec DataSourceSpec
	// Status says whether the image can be used.
	Status DataSourceStatus
}

// DataSourceSpec says where an image is.
type DataSourceSpec struct {
	// Source of the image.
	Source DataSourceSource
}

// DataSourceSource points to an image.
type DataSourceSource struct {
	// PVC that holds the image.
	PVC *DataVolumeSourcePVC
	// Snapshot that holds the image.
	Snapshot *DataVolumeSourceSnapshot
	// DataSource in the same namespace that points to the image.
	DataSource *DataSourceRefSourceDataSource
}

// DataSourceRefSourceDataSource names another DataSource.
type DataSourceRefSourceDataSource struct {
	// Namespace of the DataSource, which must be the pointing one's.
	Namespace string
	// Name of the DataSource.
	Name string
}

// DataSourceStatus says whether an image can be used.
type DataSourceStatus struct {
	// Source after following a pointer; empty while the image cannot be used.
	Source DataSourceSource
	// Conditions: Ready.
	Conditions []DataSourceCondition
}

// DataSourceCondition is one aspect of a DataSource.
type DataSourceCondition struct {
	// Type of the condition: Ready.
	Type DataSourceConditionType
	ConditionState
}

// DataSourceConditionType is an aspect of a DataSource.
type DataSourceConditionType string

// DataSourceReady tells whether the image can be cloned.
const DataSourceReady DataSourceConditionType = "Ready"

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// DataSourceList is a list of DataSources.
type DataSourceList struct {
	metav1.TypeMeta
	// Standard list metadata.
	metav1.ListMeta

	// Items of the list.
	Items []DataSource
}

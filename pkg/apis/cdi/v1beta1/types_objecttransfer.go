// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package v1beta1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +genclient
// +genclient:nonNamespaced
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// ObjectTransfer asks for a claim or DataVolume to be moved to another namespace. It is kept
// for clients that list it; this server does not act on it.
type ObjectTransfer struct {
	metav1.TypeMeta `json:",inline"`
	// Standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec says what is moved.
	Spec ObjectTransferSpec `json:"spec"`
	// Status says how far the move is.
	// +optional
	Status ObjectTransferStatus `json:"status,omitempty,omitzero"`
}

// ObjectTransferSpec says what is moved.
type ObjectTransferSpec struct {
	// Source is what is moved.
	Source TransferSource `json:"source"`
	// Target is where it is moved to.
	Target TransferTarget `json:"target"`
	// ParentName is the ObjectTransfer that this one is a part of.
	// +optional
	ParentName *string `json:"parentName,omitempty"`
}

// TransferSource is what is moved.
type TransferSource struct {
	// APIVersion of the object.
	// +optional
	APIVersion string `json:"apiVersion,omitempty"`
	// Kind of the object: DataVolume or PersistentVolumeClaim.
	Kind string `json:"kind"`
	// Namespace of the object.
	Namespace string `json:"namespace"`
	// Name of the object.
	Name string `json:"name"`
	// RequiredAnnotations that the object must have.
	// +optional
	RequiredAnnotations map[string]string `json:"requiredAnnotations,omitempty"`
}

// TransferTarget is where an object is moved to.
type TransferTarget struct {
	// Namespace, if it differs.
	// +optional
	Namespace *string `json:"namespace,omitempty"`
	// Name, if it differs.
	// +optional
	Name *string `json:"name,omitempty"`
}

// ObjectTransferStatus says how far a move is.
type ObjectTransferStatus struct {
	// Data that is needed on the way.
	// +optional
	Data map[string]string `json:"data,omitempty"`
	// Phase of the move.
	// +optional
	Phase ObjectTransferPhase `json:"phase,omitempty"`
	// Conditions: Complete.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +patchStrategy=merge
	// +patchMergeKey=type
	Conditions []ObjectTransferCondition `json:"conditions,omitempty" patchStrategy:"merge" patchMergeKey:"type"`
}

// ObjectTransferPhase is a stage of a move.
type ObjectTransferPhase string

// Phases of a move.
const (
	// ObjectTransferEmpty: nothing was done yet.
	ObjectTransferEmpty ObjectTransferPhase = ""
	// ObjectTransferPending: it waits for something.
	ObjectTransferPending ObjectTransferPhase = "Pending"
	// ObjectTransferRunning: it is under way.
	ObjectTransferRunning ObjectTransferPhase = "Running"
	// ObjectTransferComplete: it is done.
	ObjectTransferComplete ObjectTransferPhase = "Complete"
	// ObjectTransferError: it failed.
	ObjectTransferError ObjectTransferPhase = "Error"
)

// ObjectTransferCondition is one aspect of a move.
type ObjectTransferCondition struct {
	// Type of the condition: Complete.
	Type           ObjectTransferConditionType `json:"type"`
	ConditionState `json:",inline"`
}

// ObjectTransferConditionType is an aspect of a move.
type ObjectTransferConditionType string

// ObjectTransferConditionComplete tells whether a move is done.
const ObjectTransferConditionComplete ObjectTransferConditionType = "Complete"

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// ObjectTransferList is a list of ObjectTransfers.
type ObjectTransferList struct {
	metav1.TypeMeta `json:",inline"`
	// Standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata"`

	// Items of the list.
	Items []ObjectTransfer `json:"items"`
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package cdi

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// ObjectTransfer asks for a claim or DataVolume to be moved to another namespace. It is kept
// for clients that list it; this server does not act on it.
type ObjectTransfer struct {
	metav1.TypeMeta
	// Standard object metadata.
	metav1.ObjectMeta

	// Spec says what is moved.
	Spec ObjectTransferSpec
	// Status says how far the move is.
	Status ObjectTransferStatus
}

// ObjectTransferSpec says what is moved.
type ObjectTransferSpec struct {
	// Source is what is moved.
	Source TransferSource
	// Target is where it is moved to.
	Target TransferTarget
	// ParentName is the ObjectTransfer that this one is a part of.
	ParentName *string
}

// TransferSource is what is moved.
type TransferSource struct {
	// APIVersion of the object.
	APIVersion string
	// Kind of the object: DataVolume or PersistentVolumeClaim.
	Kind string
	// Namespace of the object.
	Namespace string
	// Name of the object.
	Name string
	// RequiredAnnotations that the object must have.
	RequiredAnnotations map[string]string
}

// TransferTarget is where an object is moved to.
type TransferTarget struct {
	// Namespace, if it differs.
	Namespace *string
	// Name, if it differs.
	Name *string
}

// ObjectTransferStatus says how far a move is.
type ObjectTransferStatus struct {
	// Data that is needed on the way.
	Data map[string]string
	// Phase of the move.
	Phase ObjectTransferPhase
	// Conditions: Complete.
	Conditions []ObjectTransferCondition
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
	Type ObjectTransferConditionType
	ConditionState
}

// ObjectTransferConditionType is an aspect of a move.
type ObjectTransferConditionType string

// ObjectTransferConditionComplete tells whether a move is done.
const ObjectTransferConditionComplete ObjectTransferConditionType = "Complete"

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// ObjectTransferList is a list of ObjectTransfers.
type ObjectTransferList struct {
	metav1.TypeMeta
	// Standard list metadata.
	metav1.ListMeta

	// Items of the list.
	Items []ObjectTransfer
}

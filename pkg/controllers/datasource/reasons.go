// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package datasource

// Reasons of the condition Ready. Besides there are phases of DataVolumes.
const (
	// ReasonReady: the image can be cloned.
	ReasonReady = "Ready"
	// ReasonNoSource: the DataSource points nowhere.
	ReasonNoSource = "NoSource"
	// ReasonNotFound: what it points to does not exist.
	ReasonNotFound = "NotFound"
	// ReasonClaimPending: the claim has no volume.
	ReasonClaimPending = "ClaimPending"
	// ReasonClaimLost: the claim's volume is gone.
	ReasonClaimLost = "ClaimLost"
	// ReasonClaimDeleted: the claim is being deleted.
	ReasonClaimDeleted = "ClaimDeleted"
	// ReasonNotPopulated: nobody completed what the claim was to hold.
	ReasonNotPopulated = "NotPopulated"
	// ReasonSnapshotNotSupported: this server cannot use snapshots.
	ReasonSnapshotNotSupported = "SnapshotNotSupported"
	// ReasonMaxDepth: the DataSource points to one that points to another.
	ReasonMaxDepth = "MaxReferenceDepthReached"
	// ReasonSelfReference: the DataSource points to itself.
	ReasonSelfReference = "SelfReference"
	// ReasonCrossNamespace: the DataSource points to one in another namespace.
	ReasonCrossNamespace = "CrossNamespaceReference"
)

// Messages that clients of CDI know.
const (
	messageReady          = "DataSource is ready to be consumed"
	messageNoSource       = "No source PVC set"
	messageNoClaim        = "PVC not found"
	messagePhase          = "Import DataVolume phase "
	messageMaxDepth       = "DataSource reference chain exceeds maximum depth of 1"
	messageSelfReference  = "DataSource cannot self-reference"
	messageCrossNamespace = "DataSource cannot reference a DataSource in another namespace"
)

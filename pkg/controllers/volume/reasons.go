// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

// Reasons of conditions. Those with a space in them are how CDI spells them.
const (
	reasonBound     = "Bound"
	reasonPending   = "Pending"
	reasonNotFound  = "NotFound"
	reasonClaimLost = "ClaimLost"

	reasonPodRunning      = "Pod is running"
	reasonCompleted       = "Completed"
	reasonTransferRunning = "TransferRunning"
)

// Reasons of what keeps a volume from being filled. Each is also that of a warning event; those
// of package access and of the worker's Result come besides.
const (
	reasonSourceNotSupported = "SourceNotSupported"
	reasonDataSourceNotFound = "DataSourceNotFound"
	reasonDataSourceNotReady = "DataSourceNotReady"
	// The source claim of a clone does not exist.
	reasonCloneWithoutSource = "CloneWithoutSource"
	// The source claim of a clone is not complete yet.
	reasonCloneSourceNotReady = "CloneSourceNotReady"
	// The source claim of a clone is not the one that was found to be imported.
	reasonCloneSourceChanged = "CloneSourceChanged"
	// Who asked for a clone may not have what it copies.
	reasonNotAuthorized        = "NotAuthorized"
	reasonVolumeTooSmall       = "VolumeTooSmall"
	reasonStorageClassNotFound = "StorageClassNotFound"
	reasonNoDefaultClass       = "NoDefaultStorageClass"
	reasonClaimNotValid        = "ErrClaimNotValid"
	reasonResourceExists       = "ErrResourceExists"
	reasonExceededQuota        = "ErrExceededQuota"
	reasonClaimTerminating     = "ClaimTerminating"
	reasonVolumeTaken          = "VolumeTaken"
	reasonWorkerRejected       = "WorkerRejected"
	reasonImageVolumes         = "ImageVolumesNotSupported"

	reasonUnauthorized = "Unauthorized"
	reasonImageMissing = "SourceNotFound"
	reasonUnreachable  = "Unreachable"
	reasonCertificate  = "CertificateNotTrusted"
	reasonRateLimited  = "RateLimited"
	reasonPollFailed   = "PollFailed"

	reasonImagePullFailed = "ImagePullFailed"
	reasonUnschedulable   = "Unschedulable"
	reasonWorkerFailed    = "WorkerFailed"
	reasonWorkerLost      = "WorkerLost"
	reasonOOMKilled       = "OOMKilled"
	reasonNoResult        = "NoResult"
)

// Reasons of normal events.
const (
	eventImportScheduled  = "ImportScheduled"
	eventImportInProgress = "ImportInProgress"
	eventImportSucceeded  = "ImportSucceeded"
	eventCloneScheduled   = "CloneScheduled"
	eventCloneInProgress  = "CloneInProgress"
	eventCloneSucceeded   = "CloneSucceeded"
	eventRebindInProgress = "RebindInProgress"
	eventPopulationMethod = "PopulationMethod"
	eventClaimAdopted     = "ClaimAdopted"
)

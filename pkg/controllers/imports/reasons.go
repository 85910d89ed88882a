// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import "goldenimage.dev/pkg/apis/cdi/v1beta1"

// AnnImportAttempts on a DataImportCron is name/n: its import into the DataVolume of that name
// failed n times and was made anew.
const AnnImportAttempts = v1beta1.GroupName + "/storage.import.attempts"

// Reasons of the condition Progressing. Besides there are those of the DataVolume's condition
// Running if an import is stuck, and phases of DataVolumes.
const (
	// ReasonImportProgressing: the content is being transferred.
	ReasonImportProgressing = "ImportProgressing"
	// ReasonImportScheduled: the transfer has not begun.
	ReasonImportScheduled = "ImportScheduled"
	// ReasonNoImport: nothing is being imported.
	ReasonNoImport = "NoImport"
	// ReasonImportFailed: an import failed without saying why. It is also the reason of
	// events about stuck imports.
	ReasonImportFailed = "ImportFailed"
	// ReasonBadDigest: the annotation sourceDesiredDigest is malformed.
	ReasonBadDigest = "BadDigest"
	// ReasonSourceInvalid: the template's URL cannot be read.
	ReasonSourceInvalid = "SourceInvalid"
	// ReasonNameTaken: the import's name is that of another DataImportCron's import.
	ReasonNameTaken = "NameTaken"
	// ReasonClaimExists: a claim of the import's name is neither complete nor being filled.
	ReasonClaimExists = "ClaimExists"
	// ReasonNotAuthorized: the cron's ServiceAccount may not clone the claim that is its source.
	ReasonNotAuthorized = "NotAuthorized"
	// ReasonDataVolumeRefused: the API does not accept the template as a DataVolume.
	ReasonDataVolumeRefused = "DataVolumeRefused"
)

// Reasons of events that are of no condition.
const (
	// ReasonImportStarted: a DataVolume was made.
	ReasonImportStarted = "ImportStarted"
	// ReasonImportSucceeded: it is complete.
	ReasonImportSucceeded = "ImportSucceeded"
	// ReasonImportAdopted: there was a complete claim already.
	ReasonImportAdopted = "ImportAdopted"
)

// Messages that clients of CDI know.
const (
	messageProgressing = "Import is progressing"
	messageScheduled   = "Import is scheduled"
	messageNoImport    = "No current import"
	messagePhase       = "Import DataVolume phase "
	// messageNotAuthorized is followed by what the DataVolume says.
	messageNotAuthorized = "Not authorized to create DataVolume"
)

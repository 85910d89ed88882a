// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package cdi

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// DataImportCron keeps a golden image current: it polls a source on a schedule, imports each
// new content into a volume, points a DataSource to it and deletes old ones.
type DataImportCron struct {
	metav1.TypeMeta
	// Standard object metadata.
	metav1.ObjectMeta

	// Spec says what to import, when, and what to keep.
	Spec DataImportCronSpec
	// Status says what was found, imported and published.
	Status DataImportCronStatus
}

// DataImportCronSpec is what a user asks of a DataImportCron.
type DataImportCronSpec struct {
	// Template of the DataVolumes that are made for new content. It cannot be changed.
	Template DataVolume
	// Schedule of the polls: five cron fields, or a form such as "@daily" or "@every 6h". It
	// may start with "CRON_TZ=Area/City ". Empty means no polls but those asked for by trigger.
	Schedule string
	// GarbageCollect is "Outdated" (the default: imports beyond importsToKeep are deleted) or
	// "Never".
	GarbageCollect *DataImportCronGarbageCollect
	// ImportsToKeep is how many imports are kept, the published one among them; 3 by default.
	// With 0 only the published one is kept.
	ImportsToKeep *int32
	// ManagedDataSource is the name of the DataSource that points to the latest import. It
	// cannot be changed.
	ManagedDataSource string
	// RetentionPolicy is "All" (the default: imports and DataSource outlive the
	// DataImportCron) or "None".
	RetentionPolicy *DataImportCronRetentionPolicy
	// ServiceAccountName in whose name a PVC source in another namespace is cloned; left out,
	// "default".
	ServiceAccountName *string
	// Suspend stops scheduled polls and those after a failure. A poll that is asked for by
	// trigger is made all the same, and what is under way goes on.
	Suspend *bool
}

// DataImportCronGarbageCollect tells what becomes of outdated imports.
type DataImportCronGarbageCollect string

// Ways to treat outdated imports.
const (
	// DataImportCronGarbageCollectNever keeps them.
	DataImportCronGarbageCollectNever DataImportCronGarbageCollect = "Never"
	// DataImportCronGarbageCollectOutdated deletes those beyond importsToKeep.
	DataImportCronGarbageCollectOutdated DataImportCronGarbageCollect = "Outdated"
)

// DataImportCronRetentionPolicy tells what outlives a DataImportCron.
type DataImportCronRetentionPolicy string

// Retention policies.
const (
	// DataImportCronRetainNone deletes imports and DataSource with the DataImportCron.
	DataImportCronRetainNone DataImportCronRetentionPolicy = "None"
	// DataImportCronRetainAll keeps them.
	DataImportCronRetainAll DataImportCronRetentionPolicy = "All"
)

// DataImportCronSourceFormat is what an import is kept as.
type DataImportCronSourceFormat string

// Formats of imports.
const (
	// DataImportCronSourceFormatSnapshot keeps a VolumeSnapshot.
	DataImportCronSourceFormatSnapshot DataImportCronSourceFormat = "snapshot"
	// DataImportCronSourceFormatPvc keeps a PersistentVolumeClaim.
	DataImportCronSourceFormatPvc DataImportCronSourceFormat = "pvc"
)

// DataImportCronStatus says what a DataImportCron found, imported and published.
type DataImportCronStatus struct {
	// CurrentImports is the import in progress or done last.
	CurrentImports []ImportStatus
	// LastImportedPVC is what the DataSource points to (a claim, or a snapshot of that name).
	LastImportedPVC *DataVolumeSourcePVC
	// LastExecutionTimestamp is when the source was polled last.
	LastExecutionTimestamp *metav1.Time
	// LastImportTimestamp is when an import was published last.
	LastImportTimestamp *metav1.Time
	// SourceFormat is what imports are kept as.
	SourceFormat *DataImportCronSourceFormat
	// NextPoll is when the source is polled next; absent if no poll is planned.
	NextPoll *metav1.Time
	// LastPoll is how the latest poll went.
	LastPoll *PollStatus
	// Source is what the source was found to hold by the latest poll that succeeded.
	Source *SourceRevision
	// TriggerRequest is the latest poll that was asked for.
	TriggerRequest *TriggerRequest
	// LastTrigger is the latest asked-for poll that was made.
	LastTrigger *TriggerOutcome
	// RecentTriggers are the latest requests for a poll that had an ID of their own, oldest
	// first, at most 20: one of them that is sent again gets its answer from here.
	RecentTriggers []TriggerRecord
	// Conditions are SourceReachable, Progressing and UpToDate.
	Conditions []DataImportCronCondition
}

// ImportStatus is an import and what it imports.
type ImportStatus struct {
	// DataVolumeName of the import.
	DataVolumeName string
	// Digest of the content.
	Digest string
}

// PollOutcome is how a poll ended.
type PollOutcome string

// Outcomes of a poll.
const (
	// PollUnchanged: the source holds what it held before.
	PollUnchanged PollOutcome = "Unchanged"
	// PollUpdated: the source holds new content.
	PollUpdated PollOutcome = "Updated"
	// PollFailed: the source could not be asked.
	PollFailed PollOutcome = "Failed"
)

// PollStatus is how a poll went.
type PollStatus struct {
	// Time of the poll.
	Time metav1.Time
	// Outcome of the poll.
	Outcome PollOutcome
	// Digest that the source holds; absent if the poll failed.
	Digest string
	// Duration of the poll.
	Duration *metav1.Duration
	// Failures is the number of polls that failed in a row.
	Failures int32
}

// SourceRevision is what a source was found to hold.
type SourceRevision struct {
	// Digest by which the source names what it holds: of an image in an index, the index's.
	Digest string
	// ContentDigest names what volumes are made of: of an image in an index, the one for the
	// platform. Absent if it is the same as Digest.
	ContentDigest string
	// ImportDigest names the import of that content. It is an earlier Digest if the source has
	// been given a new one since for the same content, which is not imported again; absent if
	// it is the same as Digest.
	ImportDigest string
	// Platform of the content as os/architecture[/variant]; absent if the source has only one.
	Platform string
	// Location from which exactly this content is read, such as an image's reference with its
	// digest.
	Location string
}

// TriggerRequest is a poll that somebody asked for.
type TriggerRequest struct {
	// RequestID names the request.
	RequestID string
	// RequestedAt is when it was asked for first.
	RequestedAt metav1.Time
	// RequestedBy is the user who asked.
	RequestedBy string
	// Reason that the user gave.
	Reason string
	// Force imports the content again even if it is the same.
	Force bool
	// Coalesced counts the later requests that this one stands for.
	Coalesced int32
}

// TriggerRecord is a request for a poll as it was answered.
type TriggerRecord struct {
	// ID that the request had.
	ID string
	// RequestID of the request whose poll answers it: its own, or that of an earlier one that
	// still waited.
	RequestID string
	// RequestedAt is when that poll was asked for first.
	RequestedAt metav1.Time
	// RequestedBy is the user who asked for it first.
	RequestedBy string
	// Force tells that the request asked to import the content again even if it is the same.
	Force bool
}

// TriggerOutcome is what became of a poll that somebody asked for.
type TriggerOutcome struct {
	// RequestID of the request.
	RequestID string
	// RequestedAt is when it was asked for first.
	RequestedAt metav1.Time
	// HandledAt is when the poll was made.
	HandledAt metav1.Time
	// Outcome of the poll. If it failed and the request had force, the next poll that
	// succeeds replaces it.
	Outcome PollOutcome
	// Digest that the source holds; absent if the poll failed.
	Digest string
	// Coalesced counts the later requests that the poll answers too.
	Coalesced int32
}

// DataImportCronCondition is one aspect of a DataImportCron.
type DataImportCronCondition struct {
	// Type of the condition: SourceReachable, Progressing or UpToDate.
	Type DataImportCronConditionType
	ConditionState
}

// DataImportCronConditionType is an aspect of a DataImportCron.
type DataImportCronConditionType string

// Conditions of a DataImportCron.
const (
	// DataImportCronSourceReachable: the latest poll of the source succeeded.
	DataImportCronSourceReachable DataImportCronConditionType = "SourceReachable"
	// DataImportCronProgressing: an import is under way.
	DataImportCronProgressing DataImportCronConditionType = "Progressing"
	// DataImportCronUpToDate: the DataSource points to what the source holds.
	DataImportCronUpToDate DataImportCronConditionType = "UpToDate"
)

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// DataImportCronList is a list of DataImportCrons.
type DataImportCronList struct {
	metav1.TypeMeta
	// Standard list metadata.
	metav1.ListMeta

	// Items of the list.
	Items []DataImportCron
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// DataImportCronTrigger asks a DataImportCron to poll its source now. It is sent to the
// subresource trigger and not stored.
type DataImportCronTrigger struct {
	metav1.TypeMeta
	// Standard object metadata.
	metav1.ObjectMeta

	// Spec says what is asked for.
	Spec DataImportCronTriggerSpec
	// Status is the answer.
	Status DataImportCronTriggerStatus
}

// DataImportCronTriggerSpec says what is asked for.
type DataImportCronTriggerSpec struct {
	// RequestID names the request; one is chosen if it is left out. The same ID sent again
	// gets the same answer and no further poll.
	RequestID string
	// Force imports the content again even if it is the same.
	Force bool
	// Reason for the request, for people who look later.
	Reason string
}

// DataImportCronTriggerStatus is the answer to a trigger.
type DataImportCronTriggerStatus struct {
	// RequestID of the request whose poll is made: status.lastTrigger.requestID of the
	// DataImportCron becomes this.
	RequestID string
	// RequestedAt is when the poll was asked for first.
	RequestedAt *metav1.Time
	// RequestedBy is the user who asked first.
	RequestedBy string
	// Coalesced tells that an earlier request that still waited stands for this one.
	Coalesced bool
}

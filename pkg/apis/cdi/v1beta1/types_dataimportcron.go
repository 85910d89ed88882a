// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package v1beta1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +genclient
// +genclient:method=Trigger,verb=create,subresource=trigger,input=goldenimage.dev/pkg/apis/cdi/v1beta1.DataImportCronTrigger,result=goldenimage.dev/pkg/apis/cdi/v1beta1.DataImportCronTrigger
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// DataImportCron keeps a golden image current: it polls a source on a schedule, imports each
// new content into a volume, points a DataSource to it and deletes old ones.
type DataImportCron struct {
	metav1.TypeMeta `json:",inline"`
	// Standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec says what to import, when, and what to keep.
	Spec DataImportCronSpec `json:"spec"`
	// Status says what was found, imported and published.
	// +optional
	Status DataImportCronStatus `json:"status,omitempty,omitzero"`
}

// DataImportCronSpec is what a user asks of a DataImportCron.
type DataImportCronSpec struct {
	// Template of the DataVolumes that are made for new content. It cannot be changed.
	Template DataVolume `json:"template"`
	// Schedule of the polls: five cron fields, or a form such as "@daily" or "@every 6h". It
	// may start with "CRON_TZ=Area/City ". Empty means no polls but those asked for by trigger.
	Schedule string `json:"schedule"`
	// GarbageCollect is "Outdated" (the default: imports beyond importsToKeep are deleted) or
	// "Never".
	// +optional
	GarbageCollect *DataImportCronGarbageCollect `json:"garbageCollect,omitempty"`
	// ImportsToKeep is how many imports are kept, the published one among them; 3 by default.
	// With 0 only the published one is kept.
	// +optional
	ImportsToKeep *int32 `json:"importsToKeep,omitempty"`
	// ManagedDataSource is the name of the DataSource that points to the latest import. It
	// cannot be changed.
	ManagedDataSource string `json:"managedDataSource"`
	// RetentionPolicy is "All" (the default: imports and DataSource outlive the
	// DataImportCron) or "None".
	// +optional
	RetentionPolicy *DataImportCronRetentionPolicy `json:"retentionPolicy,omitempty"`
	// ServiceAccountName in whose name a PVC source in another namespace is cloned; left out,
	// "default".
	// +optional
	ServiceAccountName *string `json:"serviceAccountName,omitempty"`
	// Suspend stops scheduled polls and those after a failure. A poll that is asked for by
	// trigger is made all the same, and what is under way goes on.
	// +optional
	Suspend *bool `json:"suspend,omitempty"`
}

// DataImportCronGarbageCollect tells what becomes of outdated imports.
// +enum
type DataImportCronGarbageCollect string

// Ways to treat outdated imports.
const (
	// DataImportCronGarbageCollectNever keeps them.
	DataImportCronGarbageCollectNever DataImportCronGarbageCollect = "Never"
	// DataImportCronGarbageCollectOutdated deletes those beyond importsToKeep.
	DataImportCronGarbageCollectOutdated DataImportCronGarbageCollect = "Outdated"
)

// DataImportCronRetentionPolicy tells what outlives a DataImportCron.
// +enum
type DataImportCronRetentionPolicy string

// Retention policies.
const (
	// DataImportCronRetainNone deletes imports and DataSource with the DataImportCron.
	DataImportCronRetainNone DataImportCronRetentionPolicy = "None"
	// DataImportCronRetainAll keeps them.
	DataImportCronRetainAll DataImportCronRetentionPolicy = "All"
)

// DataImportCronSourceFormat is what an import is kept as.
// +enum
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
	// +optional
	// +listType=atomic
	CurrentImports []ImportStatus `json:"currentImports,omitempty"`
	// LastImportedPVC is what the DataSource points to (a claim, or a snapshot of that name).
	// +optional
	LastImportedPVC *DataVolumeSourcePVC `json:"lastImportedPVC,omitempty"`
	// LastExecutionTimestamp is when the source was polled last.
	// +optional
	LastExecutionTimestamp *metav1.Time `json:"lastExecutionTimestamp,omitempty"`
	// LastImportTimestamp is when an import was published last.
	// +optional
	LastImportTimestamp *metav1.Time `json:"lastImportTimestamp,omitempty"`
	// SourceFormat is what imports are kept as.
	// +optional
	SourceFormat *DataImportCronSourceFormat `json:"sourceFormat,omitempty"`
	// NextPoll is when the source is polled next; absent if no poll is planned.
	// +optional
	NextPoll *metav1.Time `json:"nextPoll,omitempty"`
	// LastPoll is how the latest poll went.
	// +optional
	LastPoll *PollStatus `json:"lastPoll,omitempty"`
	// Source is what the source was found to hold by the latest poll that succeeded.
	// +optional
	Source *SourceRevision `json:"source,omitempty"`
	// TriggerRequest is the latest poll that was asked for.
	// +optional
	TriggerRequest *TriggerRequest `json:"triggerRequest,omitempty"`
	// LastTrigger is the latest asked-for poll that was made.
	// +optional
	LastTrigger *TriggerOutcome `json:"lastTrigger,omitempty"`
	// RecentTriggers are the latest requests for a poll that had an ID of their own, oldest
	// first, at most 20: one of them that is sent again gets its answer from here.
	// +optional
	// +listType=map
	// +listMapKey=id
	// +patchStrategy=merge
	// +patchMergeKey=id
	RecentTriggers []TriggerRecord `json:"recentTriggers,omitempty" patchStrategy:"merge" patchMergeKey:"id"`
	// Conditions are SourceReachable, Progressing and UpToDate.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +patchStrategy=merge
	// +patchMergeKey=type
	Conditions []DataImportCronCondition `json:"conditions,omitempty" patchStrategy:"merge" patchMergeKey:"type"`
}

// ImportStatus is an import and what it imports.
type ImportStatus struct {
	// DataVolumeName of the import.
	DataVolumeName string `json:"DataVolumeName"`
	// Digest of the content.
	Digest string `json:"Digest"`
}

// PollOutcome is how a poll ended.
// +enum
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
	Time metav1.Time `json:"time"`
	// Outcome of the poll.
	Outcome PollOutcome `json:"outcome"`
	// Digest that the source holds; absent if the poll failed.
	// +optional
	Digest string `json:"digest,omitempty"`
	// Duration of the poll.
	// +optional
	Duration *metav1.Duration `json:"duration,omitempty"`
	// Failures is the number of polls that failed in a row.
	// +optional
	Failures int32 `json:"failures,omitempty"`
}

// SourceRevision is what a source was found to hold.
type SourceRevision struct {
	// Digest by which the source names what it holds: of an image in an index, the index's.
	Digest string `json:"digest"`
	// ContentDigest names what volumes are made of: of an image in an index, the one for the
	// platform. Absent if it is the same as Digest.
	// +optional
	ContentDigest string `json:"contentDigest,omitempty"`
	// ImportDigest names the import of that content. It is an earlier Digest if the source has
	// been given a new one since for the same content, which is not imported again; absent if
	// it is the same as Digest.
	// +optional
	ImportDigest string `json:"importDigest,omitempty"`
	// Platform of the content as os/architecture[/variant]; absent if the source has only one.
	// +optional
	Platform string `json:"platform,omitempty"`
	// Location from which exactly this content is read, such as an image's reference with its
	// digest.
	// +optional
	Location string `json:"location,omitempty"`
}

// TriggerRequest is a poll that somebody asked for.
type TriggerRequest struct {
	// RequestID names the request.
	RequestID string `json:"requestID"`
	// RequestedAt is when it was asked for first.
	RequestedAt metav1.Time `json:"requestedAt"`
	// RequestedBy is the user who asked.
	// +optional
	RequestedBy string `json:"requestedBy,omitempty"`
	// Reason that the user gave.
	// +optional
	Reason string `json:"reason,omitempty"`
	// Force imports the content again even if it is the same.
	// +optional
	Force bool `json:"force,omitempty"`
	// Coalesced counts the later requests that this one stands for.
	// +optional
	Coalesced int32 `json:"coalesced,omitempty"`
}

// TriggerRecord is a request for a poll as it was answered.
type TriggerRecord struct {
	// ID that the request had.
	ID string `json:"id"`
	// RequestID of the request whose poll answers it: its own, or that of an earlier one that
	// still waited.
	RequestID string `json:"requestID"`
	// RequestedAt is when that poll was asked for first.
	RequestedAt metav1.Time `json:"requestedAt"`
	// RequestedBy is the user who asked for it first.
	// +optional
	RequestedBy string `json:"requestedBy,omitempty"`
	// Force tells that the request asked to import the content again even if it is the same.
	// +optional
	Force bool `json:"force,omitempty"`
}

// TriggerOutcome is what became of a poll that somebody asked for.
type TriggerOutcome struct {
	// RequestID of the request.
	RequestID string `json:"requestID"`
	// RequestedAt is when it was asked for first.
	RequestedAt metav1.Time `json:"requestedAt"`
	// HandledAt is when the poll was made.
	HandledAt metav1.Time `json:"handledAt"`
	// Outcome of the poll. If it failed and the request had force, the next poll that
	// succeeds replaces it.
	Outcome PollOutcome `json:"outcome"`
	// Digest that the source holds; absent if the poll failed.
	// +optional
	Digest string `json:"digest,omitempty"`
	// Coalesced counts the later requests that the poll answers too.
	// +optional
	Coalesced int32 `json:"coalesced,omitempty"`
}

// DataImportCronCondition is one aspect of a DataImportCron.
type DataImportCronCondition struct {
	// Type of the condition: SourceReachable, Progressing or UpToDate.
	Type           DataImportCronConditionType `json:"type"`
	ConditionState `json:",inline"`
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
	metav1.TypeMeta `json:",inline"`
	// Standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata"`

	// Items of the list.
	Items []DataImportCron `json:"items"`
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// DataImportCronTrigger asks a DataImportCron to poll its source now. It is sent to the
// subresource trigger and not stored.
type DataImportCronTrigger struct {
	metav1.TypeMeta `json:",inline"`
	// Standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec says what is asked for.
	// +optional
	Spec DataImportCronTriggerSpec `json:"spec,omitempty,omitzero"`
	// Status is the answer.
	// +optional
	Status DataImportCronTriggerStatus `json:"status,omitempty,omitzero"`
}

// DataImportCronTriggerSpec says what is asked for.
type DataImportCronTriggerSpec struct {
	// RequestID names the request; one is chosen if it is left out. The same ID sent again
	// gets the same answer and no further poll.
	// +optional
	RequestID string `json:"requestID,omitempty"`
	// Force imports the content again even if it is the same.
	// +optional
	Force bool `json:"force,omitempty"`
	// Reason for the request, for people who look later.
	// +optional
	Reason string `json:"reason,omitempty"`
}

// DataImportCronTriggerStatus is the answer to a trigger.
type DataImportCronTriggerStatus struct {
	// RequestID of the request whose poll is made: status.lastTrigger.requestID of the
	// DataImportCron becomes this.
	// +optional
	RequestID string `json:"requestID,omitempty"`
	// RequestedAt is when the poll was asked for first.
	// +optional
	RequestedAt *metav1.Time `json:"requestedAt,omitempty"`
	// RequestedBy is the user who asked first.
	// +optional
	RequestedBy string `json:"requestedBy,omitempty"`
	// Coalesced tells that an earlier request that still waited stands for this one.
	// +optional
	Coalesced bool `json:"coalesced,omitempty"`
}

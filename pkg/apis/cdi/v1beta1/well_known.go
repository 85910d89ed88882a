// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package v1beta1

// Labels.
const (
	// LabelDataImportCron on a DataVolume, claim or DataSource names the DataImportCron that
	// made it.
	LabelDataImportCron = GroupName + "/dataImportCron"
	// LabelDataImportCronCleanup, with the value "true", marks what is deleted with its
	// DataImportCron.
	LabelDataImportCronCleanup = LabelDataImportCron + ".cleanup"
	// LabelApp is set on what the server makes to LabelAppValue.
	LabelApp = "app.kubernetes.io/managed-by"
	// LabelAppValue is the value of LabelApp.
	LabelAppValue = "golden-image-apiserver"
	// LabelDataVolumeUID on worker pods and prime claims is the UID of the DataVolume they serve.
	LabelDataVolumeUID = GroupName + "/dataVolumeUID"
)

// Annotations of a DataImportCron. Clients may write the first two.
const (
	// AnnSourceDesiredDigest is the digest of the content that shall be imported.
	AnnSourceDesiredDigest = GroupName + "/storage.import.sourceDesiredDigest"
	// AnnNextCronTime is when the source is polled next, in RFC 3339; a time in the past polls
	// at once.
	AnnNextCronTime = GroupName + "/storage.import.nextCronTime"
	// AnnLastCronTime is when the source was polled last, in RFC 3339.
	AnnLastCronTime = GroupName + "/storage.import.lastCronTime"
	// AnnStorageClass is the storage class of the imports.
	AnnStorageClass = GroupName + "/storage.import.storageClass"
	// AnnImageStreamDockerRef is the reference of the image that an ImageStream's tag names.
	AnnImageStreamDockerRef = GroupName + "/storage.import.imageStreamDockerRef"
)

// StateAnnotations of a DataImportCron are state as its status is: what a poll found. The
// server writes both at once.
func StateAnnotations() []string {
	return []string{AnnSourceDesiredDigest, AnnNextCronTime, AnnLastCronTime, AnnImageStreamDockerRef, AnnForcedBy}
}

// Annotations of DataVolumes and claims.
const (
	// AnnLastUseTime is when an import was last current, in RFC 3339 with nanoseconds, UTC.
	AnnLastUseTime = GroupName + "/storage.import.lastUseTime"
	// AnnImmediateBind, if present, fills a volume at once though its storage class waits for
	// a first consumer.
	AnnImmediateBind = GroupName + "/storage.bind.immediate.requested"
	// AnnPopulationMethod on a claim says how it is filled: MethodDirect or MethodHandOver.
	AnnPopulationMethod = GroupName + "/storage.population.method"
	// AnnCloneSource on a clone's DataVolume pins the namespace/name of the claim it copies.
	AnnCloneSource = GroupName + "/storage.clone.source"
	// AnnCloneSourceUID on a clone's DataVolume is the UID of the claim it copies.
	AnnCloneSourceUID = GroupName + "/storage.clone.sourceUID"
	// AnnCloneRequester on a DataVolume says who asked for it and what they were allowed to
	// clone then, as a CloneRequester in JSON. Only the server writes it.
	AnnCloneRequester = GroupName + "/storage.clone.requester"
	// AnnPopulated on a claim, with the value "true", says that its content is complete.
	AnnPopulated = GroupName + "/storage.populated"
	// AnnVirtualSize on a claim is the size of its disk in bytes.
	AnnVirtualSize = GroupName + "/storage.virtualSize"
	// AnnSourceDigest on an import's DataVolume and claim is the digest of its content.
	AnnSourceDigest = GroupName + "/storage.import.sourceDigest"
	// AnnForcedBy on an import's DataVolume names the trigger request that asked for it.
	AnnForcedBy = GroupName + "/storage.import.forcedBy"
	// AnnRequest on a worker's pod is the Request document that it is mounted.
	AnnRequest = GroupName + "/request"
	// AnnProxy on a worker's pod is the Proxy document that it is mounted.
	AnnProxy = GroupName + "/proxy"
)

// Population methods.
const (
	// MethodDirect: the worker writes into the claim itself.
	MethodDirect = "direct"
	// MethodHandOver: another claim is filled, and its volume handed to the claim.
	MethodHandOver = "hand-over"
)

// ReasonImportFailed of the condition UpToDate: what the source holds cannot be imported.
const ReasonImportFailed = "ImportFailed"

// ReasonRateLimited of the condition SourceReachable: the source asks to be left alone until
// status.nextPoll.
const ReasonRateLimited = "RateLimited"

// FinalizerDataVolume lets the server remove what a clone left in another namespace.
const FinalizerDataVolume = GroupName + "/dataVolumeFinalizer"

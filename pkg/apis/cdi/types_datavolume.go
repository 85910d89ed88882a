// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package cdi

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// DataVolume asks for a volume with the content of a source: a PersistentVolumeClaim of the
// same name is made and filled.
type DataVolume struct {
	metav1.TypeMeta
	// Standard object metadata.
	metav1.ObjectMeta

	// Spec says what the volume is and where its content comes from. It cannot be changed.
	Spec DataVolumeSpec
	// Status says how far the volume is.
	Status DataVolumeStatus
}

// DataVolumeSpec is what a user asks of a DataVolume.
type DataVolumeSpec struct {
	// Source of the volume's content. Exactly one of source and sourceRef is given.
	Source *DataVolumeSource
	// SourceRef names an object that knows the source, such as a DataSource.
	SourceRef *DataVolumeSourceRef
	// PVC is the claim as it shall be made. Exactly one of pvc and storage is given.
	PVC *corev1.PersistentVolumeClaimSpec
	// Storage is the claim with what may be left out: access modes, volume mode and, for a
	// clone, the size are then chosen by the storage class and the source.
	Storage *StorageSpec
	// PriorityClassName of the pods that fill the volume.
	PriorityClassName string
	// ServiceAccountName of the pods that fill the volume.
	ServiceAccountName string
	// ContentType of the source: "kubevirt" (a disk, the default) or "archive".
	ContentType DataVolumeContentType
	// Checkpoints are the stages of a multi-stage import.
	Checkpoints []DataVolumeCheckpoint
	// FinalCheckpoint tells that the last of the checkpoints is the last stage.
	FinalCheckpoint bool
	// Preallocation asks for the volume's blocks to be allocated in full.
	Preallocation *bool
}

// StorageSpec is a claim of which everything may be left out.
type StorageSpec struct {
	// AccessModes of the claim; left out, the storage class's are taken.
	AccessModes []corev1.PersistentVolumeAccessMode
	// Selector of volumes to bind.
	Selector *metav1.LabelSelector
	// Resources that the volume must have. For a disk on a Filesystem volume the request is
	// the size of the disk.
	Resources corev1.VolumeResourceRequirements
	// VolumeName of the PersistentVolume to bind.
	VolumeName string
	// StorageClassName of the claim; left out, the default for virtual machines or the
	// cluster's default is taken.
	StorageClassName *string
	// VolumeMode of the claim, Filesystem or Block; left out, the storage class's is taken.
	VolumeMode *corev1.PersistentVolumeMode
	// DataSource of an externally populated volume.
	DataSource *corev1.TypedLocalObjectReference
	// DataSourceRef of an externally populated volume.
	DataSourceRef *corev1.TypedObjectReference
}

// DataVolumeCheckpoint is a stage of a multi-stage import.
type DataVolumeCheckpoint struct {
	// Previous snapshot, "" for the first stage.
	Previous string
	// Current snapshot.
	Current string
}

// DataVolumeContentType is what a source holds.
type DataVolumeContentType string

// Content types.
const (
	// DataVolumeKubeVirt is the disk of a virtual machine.
	DataVolumeKubeVirt DataVolumeContentType = "kubevirt"
	// DataVolumeArchive is a tar archive of files.
	DataVolumeArchive DataVolumeContentType = "archive"
)

// DataVolumeSource is where the content of a volume comes from. Exactly one member is given.
type DataVolumeSource struct {
	// HTTP reads a file from a web server.
	HTTP *DataVolumeSourceHTTP
	// S3 reads an object from an S3 bucket.
	S3 *DataVolumeSourceS3
	// GCS reads an object from a Google Cloud Storage bucket.
	GCS *DataVolumeSourceGCS
	// Registry reads a container disk from an image registry.
	Registry *DataVolumeSourceRegistry
	// PVC copies another claim's volume.
	PVC *DataVolumeSourcePVC
	// Upload waits for a client to send the content.
	Upload *DataVolumeSourceUpload
	// Blank makes an empty disk.
	Blank *DataVolumeBlankImage
	// Imageio reads a disk from an oVirt engine.
	Imageio *DataVolumeSourceImageIO
	// VDDK reads a disk from VMware.
	VDDK *DataVolumeSourceVDDK
	// Snapshot restores a VolumeSnapshot.
	Snapshot *DataVolumeSourceSnapshot
}

// DataVolumeSourcePVC names a claim.
type DataVolumeSourcePVC struct {
	// Namespace of the claim.
	Namespace string
	// Name of the claim.
	Name string
}

// DataVolumeSourceSnapshot names a VolumeSnapshot.
type DataVolumeSourceSnapshot struct {
	// Namespace of the snapshot.
	Namespace string
	// Name of the snapshot.
	Name string
}

// DataVolumeBlankImage asks for an empty disk.
type DataVolumeBlankImage struct{}

// DataVolumeSourceUpload asks for content that a client sends.
type DataVolumeSourceUpload struct{}

// DataVolumeSourceS3 is an object in an S3 bucket.
type DataVolumeSourceS3 struct {
	// URL of the object.
	URL string
	// SecretRef names a Secret with the keys accessKeyId and secretKey.
	SecretRef string
	// CertConfigMap names a ConfigMap of certificate authorities to trust.
	CertConfigMap string
}

// DataVolumeSourceGCS is an object in a Google Cloud Storage bucket.
type DataVolumeSourceGCS struct {
	// URL of the object.
	URL string
	// SecretRef names a Secret with the key creds-gcp.json.
	SecretRef string
}

// DataVolumeSourceRegistry is a container disk in an image registry. Exactly one of url and
// imageStream is given.
type DataVolumeSourceRegistry struct {
	// URL of the image: docker://host[:port]/repository[:tag|@digest].
	URL *string
	// ImageStream is the name[:tag] of an OpenShift ImageStream in the same namespace. It
	// needs pullMethod "node".
	ImageStream *string
	// PullMethod tells who pulls the image: "pod" (the importing pod, the default) or "node"
	// (the node's container runtime, with its credentials and mirrors).
	PullMethod *RegistryPullMethod
	// SecretRef names a Secret with the keys accessKeyId and secretKey, or one of type
	// kubernetes.io/dockerconfigjson, in the same namespace.
	SecretRef *string
	// CertConfigMap names a ConfigMap of certificate authorities to trust (PEM, in keys that
	// end in .crt or .pem), in the same namespace.
	CertConfigMap *string
	// Platform chooses among the images of an index.
	Platform *PlatformOptions
}

// PlatformOptions choose an image of an index.
type PlatformOptions struct {
	// Architecture of the image, such as amd64, arm64 or s390x.
	Architecture string
}

// Schemes of a registry URL.
const (
	// RegistrySchemeDocker is the scheme of an image in a registry.
	RegistrySchemeDocker = "docker"
	// RegistrySchemeOci is the scheme of an image in an archive file.
	RegistrySchemeOci = "oci-archive"
)

// RegistryPullMethod tells who pulls an image.
type RegistryPullMethod string

// Pull methods.
const (
	// RegistryPullPod pulls within the importing pod.
	RegistryPullPod RegistryPullMethod = "pod"
	// RegistryPullNode pulls by the node's container runtime.
	RegistryPullNode RegistryPullMethod = "node"
)

// DataVolumeSourceHTTP is a file on a web server.
type DataVolumeSourceHTTP struct {
	// URL of the file.
	URL string
	// SecretRef names a Secret with the keys accessKeyId (user) and secretKey (password).
	SecretRef string
	// CertConfigMap names a ConfigMap of certificate authorities to trust.
	CertConfigMap string
	// ExtraHeaders are sent with each request, as "Name: value".
	ExtraHeaders []string
	// SecretExtraHeaders name Secrets whose values are sent as headers.
	SecretExtraHeaders []string
	// Checksum of the file, as algorithm:hex.
	Checksum string
	// InsecureSkipVerify leaves the server's certificate unchecked.
	InsecureSkipVerify *bool
}

// DataVolumeSourceImageIO is a disk of an oVirt engine.
type DataVolumeSourceImageIO struct {
	// URL of the engine.
	URL string
	// DiskID of the disk.
	DiskID string
	// SecretRef names a Secret with the keys accessKeyId and secretKey.
	SecretRef string
	// CertConfigMap names a ConfigMap of certificate authorities to trust.
	CertConfigMap string
	// InsecureSkipVerify leaves the engine's certificate unchecked.
	InsecureSkipVerify *bool
}

// DataVolumeSourceVDDK is a disk of a VMware virtual machine.
type DataVolumeSourceVDDK struct {
	// URL of the vCenter or ESXi host.
	URL string
	// UUID of the virtual machine.
	UUID string
	// BackingFile of the disk.
	BackingFile string
	// Thumbprint of the host's certificate.
	Thumbprint string
	// SecretRef names a Secret with the keys accessKeyId and secretKey.
	SecretRef string
	// CertConfigMap names a ConfigMap of certificate authorities to trust.
	CertConfigMap string
	// InitImageURL of the image that holds the VDDK library.
	InitImageURL string
	// ExtraArgs names a ConfigMap with further arguments.
	ExtraArgs string
}

// DataVolumeSourceRef names an object that knows the source of a volume.
type DataVolumeSourceRef struct {
	// Kind of the object; only DataSource is supported.
	Kind string
	// Namespace of the object; left out, the DataVolume's.
	Namespace *string
	// Name of the object.
	Name string
}

// DataVolumeDataSource is the kind of a sourceRef.
const DataVolumeDataSource = "DataSource"

// DataVolumeCloneSourceSubresource is the subresource of datavolumes whose create permission
// in a namespace allows to clone its volumes.
const DataVolumeCloneSourceSubresource = "source"

// DataVolumeStatus says how far a DataVolume is.
type DataVolumeStatus struct {
	// ClaimName of the volume's PersistentVolumeClaim.
	ClaimName string
	// Phase of the volume. It is Succeeded when the content is complete.
	Phase DataVolumePhase
	// Progress of the transfer as a percentage such as "12.34%", or "N/A".
	Progress DataVolumeProgress
	// RestartCount is how often the transfer was begun anew.
	RestartCount int32
	// Conditions are Bound, Running and Ready.
	Conditions []DataVolumeCondition
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// DataVolumeList is a list of DataVolumes.
type DataVolumeList struct {
	metav1.TypeMeta
	// Standard list metadata.
	metav1.ListMeta

	// Items of the list.
	Items []DataVolume
}

// ConditionState is what all conditions of this group consist of besides their type.
type ConditionState struct {
	// Status is True, False or Unknown.
	Status corev1.ConditionStatus
	// LastTransitionTime is when the status changed last.
	LastTransitionTime metav1.Time
	// LastHeartbeatTime is when the status, reason or message changed last.
	LastHeartbeatTime metav1.Time
	// Reason is one word in CamelCase for the status.
	Reason string
	// Message is a sentence for people.
	Message string
	// ObservedGeneration is the metadata.generation that the condition was found for.
	ObservedGeneration int64
}

// DataVolumeCondition is one aspect of a DataVolume.
type DataVolumeCondition struct {
	// Type of the condition: Bound, Running or Ready.
	Type DataVolumeConditionType
	ConditionState
}

// DataVolumeConditionType is an aspect of a DataVolume.
type DataVolumeConditionType string

// Conditions of a DataVolume.
const (
	// DataVolumeReady: the volume can be used.
	DataVolumeReady DataVolumeConditionType = "Ready"
	// DataVolumeBound: the claim is bound to a volume.
	DataVolumeBound DataVolumeConditionType = "Bound"
	// DataVolumeRunning: a pod is filling the volume.
	DataVolumeRunning DataVolumeConditionType = "Running"
)

// DataVolumeProgress is a percentage, or "N/A".
type DataVolumeProgress string

// DataVolumePhase is a stage in the life of a DataVolume.
type DataVolumePhase string

// Phases of a DataVolume.
const (
	// PhaseUnset: nothing was done yet.
	PhaseUnset DataVolumePhase = ""
	// Pending: something is missing that the volume needs.
	Pending DataVolumePhase = "Pending"
	// PVCBound: the claim is bound.
	PVCBound DataVolumePhase = "PVCBound"
	// ImportScheduled: the importing pod has not begun.
	ImportScheduled DataVolumePhase = "ImportScheduled"
	// ImportInProgress: the importing pod is at work.
	ImportInProgress DataVolumePhase = "ImportInProgress"
	// CloneScheduled: the copying pod has not begun.
	CloneScheduled DataVolumePhase = "CloneScheduled"
	// CloneInProgress: the copying pod is at work.
	CloneInProgress DataVolumePhase = "CloneInProgress"
	// SnapshotForSmartCloneInProgress: a snapshot of the source is being made.
	SnapshotForSmartCloneInProgress DataVolumePhase = "SnapshotForSmartCloneInProgress"
	// CloneFromSnapshotSourceInProgress: the volume is being made from a snapshot.
	CloneFromSnapshotSourceInProgress DataVolumePhase = "CloneFromSnapshotSourceInProgress"
	// SmartClonePVCInProgress: the claim of a snapshot clone is being made.
	SmartClonePVCInProgress DataVolumePhase = "SmartClonePVCInProgress"
	// CSICloneInProgress: the storage is cloning the volume.
	CSICloneInProgress DataVolumePhase = "CSICloneInProgress"
	// ExpansionInProgress: the volume is being grown.
	ExpansionInProgress DataVolumePhase = "ExpansionInProgress"
	// NamespaceTransferInProgress: the volume is being handed to the claim's namespace.
	NamespaceTransferInProgress DataVolumePhase = "NamespaceTransferInProgress"
	// UploadScheduled: the receiving pod has not begun.
	UploadScheduled DataVolumePhase = "UploadScheduled"
	// UploadReady: the receiving pod waits for a client.
	UploadReady DataVolumePhase = "UploadReady"
	// WaitForFirstConsumer: the claim is bound when a pod uses it.
	WaitForFirstConsumer DataVolumePhase = "WaitForFirstConsumer"
	// PendingPopulation: the volume is filled when a pod uses it.
	PendingPopulation DataVolumePhase = "PendingPopulation"
	// Succeeded: the volume is complete.
	Succeeded DataVolumePhase = "Succeeded"
	// Failed: the volume cannot be completed.
	Failed DataVolumePhase = "Failed"
	// Unknown: the state could not be found out.
	Unknown DataVolumePhase = "Unknown"
	// Paused: a multi-stage import waits for its next stage.
	Paused DataVolumePhase = "Paused"
	// PrepClaimInProgress: the filled claim is being adapted.
	PrepClaimInProgress DataVolumePhase = "PrepClaimInProgress"
	// RebindInProgress: the filled volume is being bound to its claim.
	RebindInProgress DataVolumePhase = "RebindInProgress"
)

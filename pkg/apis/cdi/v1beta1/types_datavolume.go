// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package v1beta1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +genclient
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// DataVolume asks for a volume with the content of a source: a PersistentVolumeClaim of the
// same name is made and filled.
type DataVolume struct {
	metav1.TypeMeta `json:",inline"`
	// Standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec says what the volume is and where its content comes from. It cannot be changed.
	Spec DataVolumeSpec `json:"spec"`
	// Status says how far the volume is.
	// +optional
	Status DataVolumeStatus `json:"status,omitempty,omitzero"`
}

// DataVolumeSpec is what a user asks of a DataVolume.
type DataVolumeSpec struct {
	// Source of the volume's content. Exactly one of source and sourceRef is given.
	// +optional
	Source *DataVolumeSource `json:"source,omitempty"`
	// SourceRef names an object that knows the source, such as a DataSource.
	// +optional
	SourceRef *DataVolumeSourceRef `json:"sourceRef,omitempty"`
	// PVC is the claim as it shall be made. Exactly one of pvc and storage is given.
	// +optional
	PVC *corev1.PersistentVolumeClaimSpec `json:"pvc,omitempty"`
	// Storage is the claim with what may be left out: access modes, volume mode and, for a
	// clone, the size are then chosen by the storage class and the source.
	// +optional
	Storage *StorageSpec `json:"storage,omitempty"`
	// PriorityClassName of the pods that fill the volume.
	// +optional
	PriorityClassName string `json:"priorityClassName,omitempty"`
	// ServiceAccountName of the pods that fill the volume.
	// +optional
	ServiceAccountName string `json:"serviceAccountName,omitempty"`
	// ContentType of the source: "kubevirt" (a disk, the default) or "archive".
	// +optional
	ContentType DataVolumeContentType `json:"contentType,omitempty"`
	// Checkpoints are the stages of a multi-stage import.
	// +optional
	// +listType=atomic
	Checkpoints []DataVolumeCheckpoint `json:"checkpoints,omitempty"`
	// FinalCheckpoint tells that the last of the checkpoints is the last stage.
	// +optional
	FinalCheckpoint bool `json:"finalCheckpoint,omitempty"`
	// Preallocation asks for the volume's blocks to be allocated in full.
	// +optional
	Preallocation *bool `json:"preallocation,omitempty"`
}

// StorageSpec is a claim of which everything may be left out.
type StorageSpec struct {
	// AccessModes of the claim; left out, the storage class's are taken.
	// +optional
	// +listType=atomic
	AccessModes []corev1.PersistentVolumeAccessMode `json:"accessModes,omitempty"`
	// Selector of volumes to bind.
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
	// Resources that the volume must have. For a disk on a Filesystem volume the request is
	// the size of the disk.
	// +optional
	Resources corev1.VolumeResourceRequirements `json:"resources,omitempty"`
	// VolumeName of the PersistentVolume to bind.
	// +optional
	VolumeName string `json:"volumeName,omitempty"`
	// StorageClassName of the claim; left out, the default for virtual machines or the
	// cluster's default is taken.
	// +optional
	StorageClassName *string `json:"storageClassName,omitempty"`
	// VolumeMode of the claim, Filesystem or Block; left out, the storage class's is taken.
	// +optional
	VolumeMode *corev1.PersistentVolumeMode `json:"volumeMode,omitempty"`
	// DataSource of an externally populated volume.
	// +optional
	DataSource *corev1.TypedLocalObjectReference `json:"dataSource,omitempty"`
	// DataSourceRef of an externally populated volume.
	// +optional
	DataSourceRef *corev1.TypedObjectReference `json:"dataSourceRef,omitempty"`
}

// DataVolumeCheckpoint is a stage of a multi-stage import.
type DataVolumeCheckpoint struct {
	// Previous snapshot, "" for the first stage.
	Previous string `json:"previous"`
	// Current snapshot.
	Current string `json:"current"`
}

// DataVolumeContentType is what a source holds.
// +enum
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
	// +optional
	HTTP *DataVolumeSourceHTTP `json:"http,omitempty"`
	// S3 reads an object from an S3 bucket.
	// +optional
	S3 *DataVolumeSourceS3 `json:"s3,omitempty"`
	// GCS reads an object from a Google Cloud Storage bucket.
	// +optional
	GCS *DataVolumeSourceGCS `json:"gcs,omitempty"`
	// Registry reads a container disk from an image registry.
	// +optional
	Registry *DataVolumeSourceRegistry `json:"registry,omitempty"`
	// PVC copies another claim's volume.
	// +optional
	PVC *DataVolumeSourcePVC `json:"pvc,omitempty"`
	// Upload waits for a client to send the content.
	// +optional
	Upload *DataVolumeSourceUpload `json:"upload,omitempty"`
	// Blank makes an empty disk.
	// +optional
	Blank *DataVolumeBlankImage `json:"blank,omitempty"`
	// Imageio reads a disk from an oVirt engine.
	// +optional
	Imageio *DataVolumeSourceImageIO `json:"imageio,omitempty"`
	// VDDK reads a disk from VMware.
	// +optional
	VDDK *DataVolumeSourceVDDK `json:"vddk,omitempty"`
	// Snapshot restores a VolumeSnapshot.
	// +optional
	Snapshot *DataVolumeSourceSnapshot `json:"snapshot,omitempty"`
}

// DataVolumeSourcePVC names a claim.
type DataVolumeSourcePVC struct {
	// Namespace of the claim.
	Namespace string `json:"namespace"`
	// Name of the claim.
	Name string `json:"name"`
}

// DataVolumeSourceSnapshot names a VolumeSnapshot.
type DataVolumeSourceSnapshot struct {
	// Namespace of the snapshot.
	Namespace string `json:"namespace"`
	// Name of the snapshot.
	Name string `json:"name"`
}

// DataVolumeBlankImage asks for an empty disk.
type DataVolumeBlankImage struct{}

// DataVolumeSourceUpload asks for content that a client sends.
type DataVolumeSourceUpload struct{}

// DataVolumeSourceS3 is an object in an S3 bucket.
type DataVolumeSourceS3 struct {
	// URL of the object.
	URL string `json:"url"`
	// SecretRef names a Secret with the keys accessKeyId and secretKey.
	// +optional
	SecretRef string `json:"secretRef,omitempty"`
	// CertConfigMap names a ConfigMap of certificate authorities to trust.
	// +optional
	CertConfigMap string `json:"certConfigMap,omitempty"`
}

// DataVolumeSourceGCS is an object in a Google Cloud Storage bucket.
type DataVolumeSourceGCS struct {
	// URL of the object.
	URL string `json:"url"`
	// SecretRef names a Secret with the key creds-gcp.json.
	// +optional
	SecretRef string `json:"secretRef,omitempty"`
}

// DataVolumeSourceRegistry is a container disk in an image registry. Exactly one of url and
// imageStream is given.
type DataVolumeSourceRegistry struct {
	// URL of the image: docker://host[:port]/repository[:tag|@digest].
	// +optional
	URL *string `json:"url,omitempty"`
	// ImageStream is the name[:tag] of an OpenShift ImageStream in the same namespace. It
	// needs pullMethod "node".
	// +optional
	ImageStream *string `json:"imageStream,omitempty"`
	// PullMethod tells who pulls the image: "pod" (the importing pod, the default) or "node"
	// (the node's container runtime, with its credentials and mirrors).
	// +optional
	PullMethod *RegistryPullMethod `json:"pullMethod,omitempty"`
	// SecretRef names a Secret with the keys accessKeyId and secretKey, or one of type
	// kubernetes.io/dockerconfigjson, in the same namespace.
	// +optional
	SecretRef *string `json:"secretRef,omitempty"`
	// CertConfigMap names a ConfigMap of certificate authorities to trust (PEM, in keys that
	// end in .crt or .pem), in the same namespace.
	// +optional
	CertConfigMap *string `json:"certConfigMap,omitempty"`
	// Platform chooses among the images of an index.
	// +optional
	Platform *PlatformOptions `json:"platform,omitempty"`
}

// PlatformOptions choose an image of an index.
type PlatformOptions struct {
	// Architecture of the image, such as amd64, arm64 or s390x.
	// +optional
	Architecture string `json:"architecture,omitempty"`
}

// Schemes of a registry URL.
const (
	// RegistrySchemeDocker is the scheme of an image in a registry.
	RegistrySchemeDocker = "docker"
	// RegistrySchemeOci is the scheme of an image in an archive file.
	RegistrySchemeOci = "oci-archive"
)

// RegistryPullMethod tells who pulls an image.
// +enum
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
	URL string `json:"url"`
	// SecretRef names a Secret with the keys accessKeyId (user) and secretKey (password).
	// +optional
	SecretRef string `json:"secretRef,omitempty"`
	// CertConfigMap names a ConfigMap of certificate authorities to trust.
	// +optional
	CertConfigMap string `json:"certConfigMap,omitempty"`
	// ExtraHeaders are sent with each request, as "Name: value".
	// +optional
	// +listType=atomic
	ExtraHeaders []string `json:"extraHeaders,omitempty"`
	// SecretExtraHeaders name Secrets whose values are sent as headers.
	// +optional
	// +listType=atomic
	SecretExtraHeaders []string `json:"secretExtraHeaders,omitempty"`
	// Checksum of the file, as algorithm:hex.
	// +optional
	Checksum string `json:"checksum,omitempty"`
	// InsecureSkipVerify leaves the server's certificate unchecked.
	// +optional
	InsecureSkipVerify *bool `json:"insecureSkipVerify,omitempty"`
}

// DataVolumeSourceImageIO is a disk of an oVirt engine.
type DataVolumeSourceImageIO struct {
	// URL of the engine.
	URL string `json:"url"`
	// DiskID of the disk.
	DiskID string `json:"diskId"`
	// SecretRef names a Secret with the keys accessKeyId and secretKey.
	// +optional
	SecretRef string `json:"secretRef,omitempty"`
	// CertConfigMap names a ConfigMap of certificate authorities to trust.
	// +optional
	CertConfigMap string `json:"certConfigMap,omitempty"`
	// InsecureSkipVerify leaves the engine's certificate unchecked.
	// +optional
	InsecureSkipVerify *bool `json:"insecureSkipVerify,omitempty"`
}

// DataVolumeSourceVDDK is a disk of a VMware virtual machine.
type DataVolumeSourceVDDK struct {
	// URL of the vCenter or ESXi host.
	// +optional
	URL string `json:"url,omitempty"`
	// UUID of the virtual machine.
	// +optional
	UUID string `json:"uuid,omitempty"`
	// BackingFile of the disk.
	// +optional
	BackingFile string `json:"backingFile,omitempty"`
	// Thumbprint of the host's certificate.
	// +optional
	Thumbprint string `json:"thumbprint,omitempty"`
	// SecretRef names a Secret with the keys accessKeyId and secretKey.
	// +optional
	SecretRef string `json:"secretRef,omitempty"`
	// CertConfigMap names a ConfigMap of certificate authorities to trust.
	// +optional
	CertConfigMap string `json:"certConfigMap,omitempty"`
	// InitImageURL of the image that holds the VDDK library.
	// +optional
	InitImageURL string `json:"initImageURL,omitempty"`
	// ExtraArgs names a ConfigMap with further arguments.
	// +optional
	ExtraArgs string `json:"extraArgs,omitempty"`
}

// DataVolumeSourceRef names an object that knows the source of a volume.
type DataVolumeSourceRef struct {
	// Kind of the object; only DataSource is supported.
	Kind string `json:"kind"`
	// Namespace of the object; left out, the DataVolume's.
	// +optional
	Namespace *string `json:"namespace,omitempty"`
	// Name of the object.
	Name string `json:"name"`
}

// DataVolumeDataSource is the kind of a sourceRef.
const DataVolumeDataSource = "DataSource"

// DataVolumeCloneSourceSubresource is the subresource of datavolumes whose create permission
// in a namespace allows to clone its volumes.
const DataVolumeCloneSourceSubresource = "source"

// DataVolumeStatus says how far a DataVolume is.
type DataVolumeStatus struct {
	// ClaimName of the volume's PersistentVolumeClaim.
	// +optional
	ClaimName string `json:"claimName,omitempty"`
	// Phase of the volume. It is Succeeded when the content is complete.
	// +optional
	Phase DataVolumePhase `json:"phase,omitempty"`
	// Progress of the transfer as a percentage such as "12.34%", or "N/A".
	// +optional
	Progress DataVolumeProgress `json:"progress,omitempty"`
	// RestartCount is how often the transfer was begun anew.
	// +optional
	RestartCount int32 `json:"restartCount,omitempty"`
	// Conditions are Bound, Running and Ready.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +patchStrategy=merge
	// +patchMergeKey=type
	Conditions []DataVolumeCondition `json:"conditions,omitempty" patchStrategy:"merge" patchMergeKey:"type"`
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// DataVolumeList is a list of DataVolumes.
type DataVolumeList struct {
	metav1.TypeMeta `json:",inline"`
	// Standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata"`

	// Items of the list.
	Items []DataVolume `json:"items"`
}

// ConditionState is what all conditions of this group consist of besides their type.
type ConditionState struct {
	// Status is True, False or Unknown.
	Status corev1.ConditionStatus `json:"status"`
	// LastTransitionTime is when the status changed last.
	// +optional
	LastTransitionTime metav1.Time `json:"lastTransitionTime,omitempty"`
	// LastHeartbeatTime is when the status, reason or message changed last.
	// +optional
	LastHeartbeatTime metav1.Time `json:"lastHeartbeatTime,omitempty"`
	// Reason is one word in CamelCase for the status.
	// +optional
	Reason string `json:"reason,omitempty"`
	// Message is a sentence for people.
	// +optional
	Message string `json:"message,omitempty"`
	// ObservedGeneration is the metadata.generation that the condition was found for.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
}

// DataVolumeCondition is one aspect of a DataVolume.
type DataVolumeCondition struct {
	// Type of the condition: Bound, Running or Ready.
	Type           DataVolumeConditionType `json:"type"`
	ConditionState `json:",inline"`
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

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package v1beta1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +genclient
// +genclient:nonNamespaced
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// CDIConfig is the configuration that clients read. There is one, of the name "config"; its
// spec follows spec.config of the CDI object.
type CDIConfig struct {
	metav1.TypeMeta `json:",inline"`
	// Standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what an administrator set.
	Spec CDIConfigSpec `json:"spec"`
	// Status is what counts: the spec, completed with defaults.
	// +optional
	Status CDIConfigStatus `json:"status,omitempty,omitzero"`
}

// CDIConfigName is the name of the one CDIConfig.
const CDIConfigName = "config"

// CDIConfigSpec is what an administrator set.
type CDIConfigSpec struct {
	// UploadProxyURLOverride is the URL that clients upload to.
	// +optional
	UploadProxyURLOverride *string `json:"uploadProxyURLOverride,omitempty"`
	// ImportProxy is the proxy by which sources are reached.
	// +optional
	ImportProxy *ImportProxy `json:"importProxy,omitempty"`
	// ScratchSpaceStorageClass is the class of scratch volumes. This server needs none.
	// +optional
	ScratchSpaceStorageClass *string `json:"scratchSpaceStorageClass,omitempty"`
	// PodResourceRequirements of the pods that fill volumes.
	// +optional
	PodResourceRequirements *corev1.ResourceRequirements `json:"podResourceRequirements,omitempty"`
	// FeatureGates that are on.
	// +optional
	// +listType=atomic
	FeatureGates []string `json:"featureGates,omitempty"`
	// FilesystemOverhead is the share of a Filesystem volume that its file system needs.
	// +optional
	FilesystemOverhead *FilesystemOverhead `json:"filesystemOverhead,omitempty"`
	// Preallocation allocates the storage of volumes in advance.
	// +optional
	Preallocation *bool `json:"preallocation,omitempty"`
	// InsecureRegistries are hosts (host[:port]) that may be spoken to by plain HTTP or with
	// certificates that do not verify.
	// +optional
	// +listType=atomic
	InsecureRegistries []string `json:"insecureRegistries,omitempty"`
	// DataVolumeTTLSeconds is not used any more.
	// +optional
	DataVolumeTTLSeconds *int32 `json:"dataVolumeTTLSeconds,omitempty"`
	// TLSSecurityProfile of what is served.
	// +optional
	TLSSecurityProfile *TLSSecurityProfile `json:"tlsSecurityProfile,omitempty"`
	// ImagePullSecrets to pull the images of pods with.
	// +optional
	// +listType=atomic
	ImagePullSecrets []corev1.LocalObjectReference `json:"imagePullSecrets,omitempty"`
	// LogVerbosity of what is logged.
	// +optional
	LogVerbosity *int32 `json:"logVerbosity,omitempty"`
	// WebhookPvcRendering tells whether claims with the label applyStorageProfile are completed
	// at admission: "Enabled" or "Disabled".
	// +optional
	WebhookPvcRendering *WebhookPvcRendering `json:"webhookPvcRendering,omitempty"`
}

// WebhookPvcRendering tells whether claims are completed at admission.
// +enum
type WebhookPvcRendering string

// Values of WebhookPvcRendering.
const (
	// WebhookPvcRenderingEnabled completes claims.
	WebhookPvcRenderingEnabled WebhookPvcRendering = "Enabled"
	// WebhookPvcRenderingDisabled leaves them alone.
	WebhookPvcRenderingDisabled WebhookPvcRendering = "Disabled"
)

// CDIConfigStatus is what counts.
type CDIConfigStatus struct {
	// UploadProxyURL that clients upload to.
	// +optional
	UploadProxyURL *string `json:"uploadProxyURL,omitempty"`
	// UploadProxyCA is the certificate authority of that URL.
	// +optional
	UploadProxyCA *string `json:"uploadProxyCA,omitempty"`
	// ImportProxy is the proxy by which sources are reached.
	// +optional
	ImportProxy *ImportProxy `json:"importProxy,omitempty"`
	// ScratchSpaceStorageClass is the class of scratch volumes.
	// +optional
	ScratchSpaceStorageClass string `json:"scratchSpaceStorageClass,omitempty"`
	// DefaultPodResourceRequirements of the pods that fill volumes.
	// +optional
	DefaultPodResourceRequirements *corev1.ResourceRequirements `json:"defaultPodResourceRequirements,omitempty"`
	// FilesystemOverhead is the share of a Filesystem volume that its file system needs, for
	// each StorageClass.
	// +optional
	FilesystemOverhead *FilesystemOverhead `json:"filesystemOverhead,omitempty"`
	// Preallocation allocates the storage of volumes in advance.
	// +optional
	Preallocation bool `json:"preallocation,omitempty"`
	// ImagePullSecrets to pull the images of pods with.
	// +optional
	// +listType=atomic
	ImagePullSecrets []corev1.LocalObjectReference `json:"imagePullSecrets,omitempty"`
}

// Percent is a share between 0 and 1 with at most three digits after the point, such as "0.06".
type Percent string

// FilesystemOverhead is the share of a Filesystem volume that its file system needs.
type FilesystemOverhead struct {
	// Global share, where a StorageClass has none of its own.
	// +optional
	Global Percent `json:"global,omitempty"`
	// StorageClass is the share by the name of the class.
	// +optional
	StorageClass map[string]Percent `json:"storageClass,omitempty"`
}

// ImportProxy is a proxy by which sources are reached.
type ImportProxy struct {
	// HTTPProxy is the URL of the proxy for plain HTTP.
	// +optional
	HTTPProxy *string `json:"HTTPProxy,omitempty"`
	// HTTPSProxy is the URL of the proxy for HTTPS.
	// +optional
	HTTPSProxy *string `json:"HTTPSProxy,omitempty"`
	// NoProxy is a comma-separated list of hosts and networks that are reached directly.
	// +optional
	NoProxy *string `json:"noProxy,omitempty"`
	// TrustedCAProxy is the name of a ConfigMap in the server's namespace with the
	// certificate authority of the proxy, in the key ca.pem.
	// +optional
	TrustedCAProxy *string `json:"trustedCAProxy,omitempty"`
}

// TLSSecurityProfile names how secure the TLS is that is served. The member of the type's name
// may be given; only custom has content.
type TLSSecurityProfile struct {
	// Type is Old, Intermediate, Modern or Custom.
	Type TLSProfileType `json:"type"`
	// Old is for clients of long ago.
	// +optional
	Old *OldTLSProfile `json:"old,omitempty"`
	// Intermediate is for most clients.
	// +optional
	Intermediate *IntermediateTLSProfile `json:"intermediate,omitempty"`
	// Modern is for clients that know TLS 1.3.
	// +optional
	Modern *ModernTLSProfile `json:"modern,omitempty"`
	// Custom is what it says.
	// +optional
	Custom *CustomTLSProfile `json:"custom,omitempty"`
}

// OldTLSProfile is for clients of long ago.
type OldTLSProfile struct{}

// IntermediateTLSProfile is for most clients.
type IntermediateTLSProfile struct{}

// ModernTLSProfile is for clients that know TLS 1.3.
type ModernTLSProfile struct{}

// CustomTLSProfile is what it says.
type CustomTLSProfile struct {
	TLSProfileSpec `json:",inline"`
}

// TLSProfileSpec is what a TLS profile consists of.
type TLSProfileSpec struct {
	// Ciphers by the names of OpenSSL.
	// +listType=atomic
	Ciphers []string `json:"ciphers"`
	// MinTLSVersion is VersionTLS10, VersionTLS11, VersionTLS12 or VersionTLS13.
	MinTLSVersion TLSProtocolVersion `json:"minTLSVersion"`
}

// TLSProfileType is the name of a TLS profile.
// +enum
type TLSProfileType string

// TLS profiles.
const (
	// TLSProfileOldType is for clients of long ago.
	TLSProfileOldType TLSProfileType = "Old"
	// TLSProfileIntermediateType is for most clients.
	TLSProfileIntermediateType TLSProfileType = "Intermediate"
	// TLSProfileModernType is for clients that know TLS 1.3.
	TLSProfileModernType TLSProfileType = "Modern"
	// TLSProfileCustomType is what its member custom says.
	TLSProfileCustomType TLSProfileType = "Custom"
)

// TLSProtocolVersion is a version of TLS.
// +enum
type TLSProtocolVersion string

// Versions of TLS.
const (
	// VersionTLS10 is TLS 1.0.
	VersionTLS10 TLSProtocolVersion = "VersionTLS10"
	// VersionTLS11 is TLS 1.1.
	VersionTLS11 TLSProtocolVersion = "VersionTLS11"
	// VersionTLS12 is TLS 1.2.
	VersionTLS12 TLSProtocolVersion = "VersionTLS12"
	// VersionTLS13 is TLS 1.3.
	VersionTLS13 TLSProtocolVersion = "VersionTLS13"
)

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// CDIConfigList is a list of CDIConfigs.
type CDIConfigList struct {
	metav1.TypeMeta `json:",inline"`
	// Standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata"`

	// Items of the list.
	Items []CDIConfig `json:"items"`
}

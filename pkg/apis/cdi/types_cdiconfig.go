// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package cdi

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// CDIConfig is the configuration that clients read. There is one, of the name "config"; its
// spec follows spec.config of the CDI object.
type CDIConfig struct {
	metav1.TypeMeta
	// Standard object metadata.
	metav1.ObjectMeta

	// Spec is what an administrator set.
	Spec CDIConfigSpec
	// Status is what counts: the spec, completed with defaults.
	Status CDIConfigStatus
}

// CDIConfigName is the name of the one CDIConfig.
const CDIConfigName = "config"

// CDIConfigSpec is what an administrator set.
type CDIConfigSpec struct {
	// UploadProxyURLOverride is the URL that clients upload to.
	UploadProxyURLOverride *string
	// ImportProxy is the proxy by which sources are reached.
	ImportProxy *ImportProxy
	// ScratchSpaceStorageClass is the class of scratch volumes. This server needs none.
	ScratchSpaceStorageClass *string
	// PodResourceRequirements of the pods that fill volumes.
	PodResourceRequirements *corev1.ResourceRequirements
	// FeatureGates that are on.
	FeatureGates []string
	// FilesystemOverhead is the share of a Filesystem volume that its file system needs.
	FilesystemOverhead *FilesystemOverhead
	// Preallocation allocates the storage of volumes in advance.
	Preallocation *bool
	// InsecureRegistries are hosts (host[:port]) that may be spoken to by plain HTTP or with
	// certificates that do not verify.
	InsecureRegistries []string
	// DataVolumeTTLSeconds is not used any more.
	DataVolumeTTLSeconds *int32
	// TLSSecurityProfile of what is served.
	TLSSecurityProfile *TLSSecurityProfile
	// ImagePullSecrets to pull the images of pods with.
	ImagePullSecrets []corev1.LocalObjectReference
	// LogVerbosity of what is logged.
	LogVerbosity *int32
	// WebhookPvcRendering tells whether claims with the label applyStorageProfile are completed
	// at admission: "Enabled" or "Disabled".
	WebhookPvcRendering *WebhookPvcRendering
}

// WebhookPvcRendering tells whether claims are completed at admission.
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
	UploadProxyURL *string
	// UploadProxyCA is the certificate authority of that URL.
	UploadProxyCA *string
	// ImportProxy is the proxy by which sources are reached.
	ImportProxy *ImportProxy
	// ScratchSpaceStorageClass is the class of scratch volumes.
	ScratchSpaceStorageClass string
	// DefaultPodResourceRequirements of the pods that fill volumes.
	DefaultPodResourceRequirements *corev1.ResourceRequirements
	// FilesystemOverhead is the share of a Filesystem volume that its file system needs, for
	// each StorageClass.
	FilesystemOverhead *FilesystemOverhead
	// Preallocation allocates the storage of volumes in advance.
	Preallocation bool
	// ImagePullSecrets to pull the images of pods with.
	ImagePullSecrets []corev1.LocalObjectReference
}

// Percent is a share between 0 and 1 with at most three digits after the point, such as "0.06".
type Percent string

// FilesystemOverhead is the share of a Filesystem volume that its file system needs.
type FilesystemOverhead struct {
	// Global share, where a StorageClass has none of its own.
	Global Percent
	// StorageClass is the share by the name of the class.
	StorageClass map[string]Percent
}

// ImportProxy is a proxy by which sources are reached.
type ImportProxy struct {
	// HTTPProxy is the URL of the proxy for plain HTTP.
	HTTPProxy *string
	// HTTPSProxy is the URL of the proxy for HTTPS.
	HTTPSProxy *string
	// NoProxy is a comma-separated list of hosts and networks that are reached directly.
	NoProxy *string
	// TrustedCAProxy is the name of a ConfigMap in the server's namespace with the
	// certificate authority of the proxy, in the key ca.pem.
	TrustedCAProxy *string
}

// TLSSecurityProfile names how secure the TLS is that is served. The member of the type's name
// may be given; only custom has content.
type TLSSecurityProfile struct {
	// Type is Old, Intermediate, Modern or Custom.
	Type TLSProfileType
	// Old is for clients of long ago.
	Old *OldTLSProfile
	// Intermediate is for most clients.
	Intermediate *IntermediateTLSProfile
	// Modern is for clients that know TLS 1.3.
	Modern *ModernTLSProfile
	// Custom is what it says.
	Custom *CustomTLSProfile
}

// OldTLSProfile is for clients of long ago.
type OldTLSProfile struct{}

// IntermediateTLSProfile is for most clients.
type IntermediateTLSProfile struct{}

// ModernTLSProfile is for clients that know TLS 1.3.
type ModernTLSProfile struct{}

// CustomTLSProfile is what it says.
type CustomTLSProfile struct {
	TLSProfileSpec
}

// TLSProfileSpec is what a TLS profile consists of.
type TLSProfileSpec struct {
	// Ciphers by the names of OpenSSL.
	Ciphers []string
	// MinTLSVersion is VersionTLS10, VersionTLS11, VersionTLS12 or VersionTLS13.
	MinTLSVersion TLSProtocolVersion
}

// TLSProfileType is the name of a TLS profile.
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
	metav1.TypeMeta
	// Standard list metadata.
	metav1.ListMeta

	// Items of the list.
	Items []CDIConfig
}

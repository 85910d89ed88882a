// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package cdi

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// CDI stands for the installation. There is one; its spec.config becomes the spec of the
// CDIConfig, and its status says that the installation is there.
type CDI struct {
	metav1.TypeMeta
	// Standard object metadata.
	metav1.ObjectMeta

	// Spec is what an administrator set.
	Spec CDISpec
	// Status of the installation.
	Status CDIStatus
}

// CDIName is the name of the CDI object that the server makes where there is none.
const CDIName = "cdi"

// CDISpec is what an administrator set. Only config is acted on: the server is installed and
// configured by its manifests.
type CDISpec struct {
	// ImagePullPolicy of the installation's pods.
	ImagePullPolicy corev1.PullPolicy
	// UninstallStrategy tells whether the installation may be removed while volumes are there.
	UninstallStrategy *CDIUninstallStrategy
	// Infra tells where the installation's pods run.
	Infra ComponentConfig
	// Workloads tells where the pods run that fill volumes.
	Workloads NodePlacement
	// CustomizeComponents changes what the installation consists of.
	CustomizeComponents CustomizeComponents
	// CloneStrategyOverride is how volumes are cloned, whatever their StorageProfile says.
	CloneStrategyOverride *CDICloneStrategy
	// Config becomes the spec of the CDIConfig.
	Config *CDIConfigSpec
	// CertConfig says how long certificates are valid.
	CertConfig *CDICertConfig
	// PriorityClass of the installation's pods.
	PriorityClass *CDIPriorityClass
}

// CDIPriorityClass is the name of a priority class.
type CDIPriorityClass string

// CDIUninstallStrategy tells whether the installation may be removed while volumes are there.
type CDIUninstallStrategy string

// Uninstall strategies.
const (
	// CDIUninstallStrategyRemoveWorkloads allows it.
	CDIUninstallStrategyRemoveWorkloads CDIUninstallStrategy = "RemoveWorkloads"
	// CDIUninstallStrategyBlockUninstallIfWorkloadsExist forbids it.
	CDIUninstallStrategyBlockUninstallIfWorkloadsExist CDIUninstallStrategy = "BlockUninstallIfWorkloadsExist"
)

// ComponentConfig tells where the installation's pods run, and how many.
type ComponentConfig struct {
	NodePlacement
	// DeploymentReplicas is the number of controllers.
	DeploymentReplicas *int32
	// APIServerReplicas is the number of API servers.
	APIServerReplicas *int32
	// UploadProxyReplicas is the number of upload proxies.
	UploadProxyReplicas *int32
}

// NodePlacement tells where pods run.
type NodePlacement struct {
	// NodeSelector of the pods.
	NodeSelector map[string]string
	// Affinity of the pods.
	Affinity *corev1.Affinity
	// Tolerations of the pods.
	Tolerations []corev1.Toleration
}

// CustomizeComponents changes what the installation consists of.
type CustomizeComponents struct {
	// Patches of the installation's objects.
	Patches []CustomizeComponentsPatch
	// Flags of the installation's programs.
	Flags *Flags
}

// Flags of the installation's programs, by program.
type Flags struct {
	// API server's flags.
	API map[string]string
	// Controller's flags.
	Controller map[string]string
	// UploadProxy's flags.
	UploadProxy map[string]string
}

// CustomizeComponentsPatch is a patch of one of the installation's objects.
type CustomizeComponentsPatch struct {
	// ResourceName is the name of the object.
	ResourceName string
	// ResourceType is the kind of the object.
	ResourceType string
	// Patch to apply.
	Patch string
	// Type of the patch: json, merge or strategic.
	Type PatchType
}

// PatchType is a type of patch.
type PatchType string

// Types of patches.
const (
	// JSONPatchType is a JSON patch (RFC 6902).
	JSONPatchType PatchType = "json"
	// MergePatchType is a JSON merge patch (RFC 7386).
	MergePatchType PatchType = "merge"
	// StrategicMergePatchType is Kubernetes' strategic merge patch.
	StrategicMergePatchType PatchType = "strategic"
)

// CDICertConfig says how long certificates are valid.
type CDICertConfig struct {
	// CA is about certificate authorities.
	CA *CertConfig
	// Server is about the certificates of servers.
	Server *CertConfig
	// Client is about the certificates of clients.
	Client *CertConfig
}

// CertConfig says how long a certificate is valid.
type CertConfig struct {
	// Duration that a certificate is valid for.
	Duration *metav1.Duration
	// RenewBefore is how long before its end a certificate is renewed.
	RenewBefore *metav1.Duration
}

// CDIPhase is the state of an installation.
type CDIPhase string

// Phases of an installation.
const (
	// CDIPhaseDeployed: it is there.
	CDIPhaseDeployed CDIPhase = "Deployed"
	// CDIPhaseError: something about it is wrong; the conditions say what.
	CDIPhaseError CDIPhase = "Error"
)

// CDIStatus says whether the installation is there.
type CDIStatus struct {
	// Phase is Deployed, or Error.
	Phase CDIPhase
	// Conditions are Available, Progressing and Degraded.
	Conditions []CDICondition
	// OperatorVersion is the version of what installs.
	OperatorVersion string
	// TargetVersion is the version that shall be there.
	TargetVersion string
	// ObservedVersion is the version that is there.
	ObservedVersion string
}

// CDICondition is one aspect of an installation.
type CDICondition struct {
	// Type of the condition: Available, Progressing or Degraded.
	Type CDIConditionType
	ConditionState
}

// CDIConditionType is an aspect of an installation.
type CDIConditionType string

// Conditions of an installation.
const (
	// CDIAvailable: it can be used.
	CDIAvailable CDIConditionType = "Available"
	// CDIProgressing: it is being changed.
	CDIProgressing CDIConditionType = "Progressing"
	// CDIDegraded: something about it is wrong.
	CDIDegraded CDIConditionType = "Degraded"
)

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// CDIList is a list of CDIs.
type CDIList struct {
	metav1.TypeMeta
	// Standard list metadata.
	metav1.ListMeta

	// Items of the list.
	Items []CDI
}

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

// CDI stands for the installation. There is one; its spec.config becomes the spec of the
// CDIConfig, and its status says that the installation is there.
type CDI struct {
	metav1.TypeMeta `json:",inline"`
	// Standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what an administrator set.
	Spec CDISpec `json:"spec"`
	// Status of the installation.
	// +optional
	Status CDIStatus `json:"status,omitempty,omitzero"`
}

// CDIName is the name of the CDI object that the server makes where there is none.
const CDIName = "cdi"

// CDISpec is what an administrator set. Only config is acted on: the server is installed and
// configured by its manifests.
type CDISpec struct {
	// ImagePullPolicy of the installation's pods.
	// +optional
	ImagePullPolicy corev1.PullPolicy `json:"imagePullPolicy,omitempty"`
	// UninstallStrategy tells whether the installation may be removed while volumes are there.
	// +optional
	UninstallStrategy *CDIUninstallStrategy `json:"uninstallStrategy,omitempty"`
	// Infra tells where the installation's pods run.
	// +optional
	Infra ComponentConfig `json:"infra,omitempty,omitzero"`
	// Workloads tells where the pods run that fill volumes.
	// +optional
	Workloads NodePlacement `json:"workload,omitempty,omitzero"`
	// CustomizeComponents changes what the installation consists of.
	// +optional
	CustomizeComponents CustomizeComponents `json:"customizeComponents,omitempty,omitzero"`
	// CloneStrategyOverride is how volumes are cloned, whatever their StorageProfile says.
	// +optional
	CloneStrategyOverride *CDICloneStrategy `json:"cloneStrategyOverride,omitempty"`
	// Config becomes the spec of the CDIConfig.
	// +optional
	Config *CDIConfigSpec `json:"config,omitempty"`
	// CertConfig says how long certificates are valid.
	// +optional
	CertConfig *CDICertConfig `json:"certConfig,omitempty"`
	// PriorityClass of the installation's pods.
	// +optional
	PriorityClass *CDIPriorityClass `json:"priorityClass,omitempty"`
}

// CDIPriorityClass is the name of a priority class.
type CDIPriorityClass string

// CDIUninstallStrategy tells whether the installation may be removed while volumes are there.
// +enum
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
	NodePlacement `json:",inline"`
	// DeploymentReplicas is the number of controllers.
	// +optional
	DeploymentReplicas *int32 `json:"deploymentReplicas,omitempty"`
	// APIServerReplicas is the number of API servers.
	// +optional
	APIServerReplicas *int32 `json:"apiServerReplicas,omitempty"`
	// UploadProxyReplicas is the number of upload proxies.
	// +optional
	UploadProxyReplicas *int32 `json:"uploadProxyReplicas,omitempty"`
}

// NodePlacement tells where pods run.
type NodePlacement struct {
	// NodeSelector of the pods.
	// +optional
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`
	// Affinity of the pods.
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty"`
	// Tolerations of the pods.
	// +optional
	// +listType=atomic
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`
}

// CustomizeComponents changes what the installation consists of.
type CustomizeComponents struct {
	// Patches of the installation's objects.
	// +optional
	// +listType=atomic
	Patches []CustomizeComponentsPatch `json:"patches,omitempty"`
	// Flags of the installation's programs.
	// +optional
	Flags *Flags `json:"flags,omitempty"`
}

// Flags of the installation's programs, by program.
type Flags struct {
	// API server's flags.
	// +optional
	API map[string]string `json:"api,omitempty"`
	// Controller's flags.
	// +optional
	Controller map[string]string `json:"controller,omitempty"`
	// UploadProxy's flags.
	// +optional
	UploadProxy map[string]string `json:"uploadProxy,omitempty"`
}

// CustomizeComponentsPatch is a patch of one of the installation's objects.
type CustomizeComponentsPatch struct {
	// ResourceName is the name of the object.
	ResourceName string `json:"resourceName"`
	// ResourceType is the kind of the object.
	ResourceType string `json:"resourceType"`
	// Patch to apply.
	Patch string `json:"patch"`
	// Type of the patch: json, merge or strategic.
	Type PatchType `json:"type"`
}

// PatchType is a type of patch.
// +enum
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
	// +optional
	CA *CertConfig `json:"ca,omitempty"`
	// Server is about the certificates of servers.
	// +optional
	Server *CertConfig `json:"server,omitempty"`
	// Client is about the certificates of clients.
	// +optional
	Client *CertConfig `json:"client,omitempty"`
}

// CertConfig says how long a certificate is valid.
type CertConfig struct {
	// Duration that a certificate is valid for.
	// +optional
	Duration *metav1.Duration `json:"duration,omitempty"`
	// RenewBefore is how long before its end a certificate is renewed.
	// +optional
	RenewBefore *metav1.Duration `json:"renewBefore,omitempty"`
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
	// +optional
	Phase CDIPhase `json:"phase,omitempty"`
	// Conditions are Available, Progressing and Degraded.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +patchStrategy=merge
	// +patchMergeKey=type
	Conditions []CDICondition `json:"conditions,omitempty" patchStrategy:"merge" patchMergeKey:"type"`
	// OperatorVersion is the version of what installs.
	// +optional
	OperatorVersion string `json:"operatorVersion,omitempty"`
	// TargetVersion is the version that shall be there.
	// +optional
	TargetVersion string `json:"targetVersion,omitempty"`
	// ObservedVersion is the version that is there.
	// +optional
	ObservedVersion string `json:"observedVersion,omitempty"`
}

// CDICondition is one aspect of an installation.
type CDICondition struct {
	// Type of the condition: Available, Progressing or Degraded.
	Type           CDIConditionType `json:"type"`
	ConditionState `json:",inline"`
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
	metav1.TypeMeta `json:",inline"`
	// Standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata"`

	// Items of the list.
	Items []CDI `json:"items"`
}

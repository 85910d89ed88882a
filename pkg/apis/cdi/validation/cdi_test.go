// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"goldenimage.dev/pkg/apis/cdi"
)

func theInstallation() *cdi.CDI {
	return &cdi.CDI{ObjectMeta: metav1.ObjectMeta{Name: "cdi"}}
}

func TestValidateCDI(t *testing.T) {
	lasts := func(duration, before time.Duration) *cdi.CertConfig {
		return &cdi.CertConfig{Duration: &metav1.Duration{Duration: duration}, RenewBefore: &metav1.Duration{Duration: before}}
	}
	const nothing = "must be longer than nothing: give a duration such as 48h"
	for name, test := range map[string]struct {
		spec cdi.CDISpec
		want []fault
	}{
		"nothing is valid": {cdi.CDISpec{}, nil},
		"all that may be given is valid": {cdi.CDISpec{
			ImagePullPolicy: corev1.PullIfNotPresent, UninstallStrategy: new(cdi.CDIUninstallStrategyBlockUninstallIfWorkloadsExist),
			Infra:     cdi.ComponentConfig{NodePlacement: cdi.NodePlacement{NodeSelector: map[string]string{"kubernetes.io/os": "linux"}}, DeploymentReplicas: new(int32(0))},
			Workloads: cdi.NodePlacement{Tolerations: []corev1.Toleration{{Key: "a"}}},
			CustomizeComponents: cdi.CustomizeComponents{Patches: []cdi.CustomizeComponentsPatch{
				{ResourceName: "cdi-deployment", ResourceType: "Deployment", Patch: "[]", Type: cdi.JSONPatchType},
			}},
			CloneStrategyOverride: new(cdi.CloneStrategyHostAssisted), CertConfig: &cdi.CDICertConfig{CA: lasts(48*time.Hour, 24*time.Hour), Server: &cdi.CertConfig{}},
			PriorityClass: new(cdi.CDIPriorityClass("kubevirt-cluster-critical")),
		}, nil},
		"the pull policy is unknown":        {cdi.CDISpec{ImagePullPolicy: "Sometimes"}, []fault{unsupported("spec.imagePullPolicy", "Illegal pull policy: accepted are Always, IfNotPresent, Never")}},
		"the uninstall strategy is unknown": {cdi.CDISpec{UninstallStrategy: new(cdi.CDIUninstallStrategy("Force"))}, []fault{unsupported("spec.uninstallStrategy", "Illegal uninstall strategy: accepted are RemoveWorkloads, BlockUninstallIfWorkloadsExist")}},
		"the clone strategy is unknown":     {cdi.CDISpec{CloneStrategyOverride: new(cdi.CDICloneStrategy(""))}, []fault{unsupported("spec.cloneStrategyOverride", "Illegal clone strategy: accepted are copy, snapshot, csi-clone")}},
		"the priority class is no name":     {cdi.CDISpec{PriorityClass: new(cdi.CDIPriorityClass("a b"))}, []fault{invalid("spec.priorityClass", "priority class is not valid: "+badName)}},
		"there are less than no replicas": {cdi.CDISpec{Infra: cdi.ComponentConfig{DeploymentReplicas: new(int32(-1)), APIServerReplicas: new(int32(-1)), UploadProxyReplicas: new(int32(-1))}}, []fault{
			invalid("spec.infra.deploymentReplicas", "must be 0 or more"), invalid("spec.infra.apiServerReplicas", "must be 0 or more"), invalid("spec.infra.uploadProxyReplicas", "must be 0 or more"),
		}},
		"a patch is empty": {cdi.CDISpec{CustomizeComponents: cdi.CustomizeComponents{Patches: []cdi.CustomizeComponentsPatch{{}}}}, []fault{
			required("spec.customizeComponents.patches[0].resourceName", "the patch is not valid: give all of resourceName, resourceType and patch"),
			required("spec.customizeComponents.patches[0].resourceType", "the patch is not valid: give all of resourceName, resourceType and patch"),
			required("spec.customizeComponents.patches[0].patch", "the patch is not valid: give all of resourceName, resourceType and patch"),
			unsupported("spec.customizeComponents.patches[0].type", "Illegal type of patch: accepted are json, merge, strategic"),
		}},
		"node selectors are malformed": {cdi.CDISpec{
			Infra:     cdi.ComponentConfig{NodePlacement: cdi.NodePlacement{NodeSelector: map[string]string{"a": "b c"}}},
			Workloads: cdi.NodePlacement{NodeSelector: map[string]string{"a b": ""}},
		}, []fault{invalid("spec.infra.nodeSelector", badValue), invalid("spec.workload.nodeSelector", badQualifiedName)}},
		"a certificate lasts no time": {cdi.CDISpec{CertConfig: &cdi.CDICertConfig{CA: lasts(0, time.Hour), Server: lasts(time.Hour, -time.Hour), Client: lasts(time.Hour, time.Hour)}}, []fault{
			invalid("spec.certConfig.ca.duration", nothing),
			invalid("spec.certConfig.server.renewBefore", nothing),
			invalid("spec.certConfig.client.renewBefore", "must be shorter than the duration, 1h0m0s"),
		}},
		"a certificate's renewal alone": {cdi.CDISpec{CertConfig: &cdi.CDICertConfig{CA: &cdi.CertConfig{RenewBefore: &metav1.Duration{Duration: time.Hour}}}}, nil},
		"nodes that cannot be": {cdi.CDISpec{Infra: cdi.ComponentConfig{NodePlacement: cdi.NodePlacement{Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{},
		}}}}}, []fault{required("spec.infra.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms", "must have at least one node selector term")}},
	} {
		t.Run(name, func(t *testing.T) {
			installation := theInstallation()
			installation.Spec = test.spec
			compare(t, test.want, ValidateCDI(installation))
			compare(t, test.want, ValidateCDIUpdate(installation, theInstallation()))
			compare(t, nil, ValidateCDIUpdate(installation, installation))
		})
	}
}

func TestValidateCDIObject(t *testing.T) {
	installation := theInstallation()
	installation.Name, installation.Namespace = "A", "b"
	compare(t, []fault{
		invalid("metadata.name", badName),
		forbidden("metadata.namespace", "not allowed on this type"),
	}, ValidateCDI(installation))
	installation.Name, installation.Namespace = "kubevirt-hyperconverged", ""
	compare(t, nil, ValidateCDI(installation))
}

func TestValidateCDIStatusUpdate(t *testing.T) {
	updated := theInstallation()
	updated.Status = cdi.CDIStatus{Phase: cdi.CDIPhaseDeployed, Conditions: []cdi.CDICondition{
		{Type: cdi.CDIAvailable, ConditionState: cdi.ConditionState{Status: corev1.ConditionTrue}}, {},
	}}
	compare(t, []fault{
		required("status.conditions[1].type", "give the type of the condition"),
		unsupported("status.conditions[1].status", "Illegal status: accepted are True, False, Unknown"),
	}, ValidateCDIStatusUpdate(updated, theInstallation()))
	compare(t, nil, ValidateCDIStatusUpdate(updated, updated))
}

func TestWarningsForCDI(t *testing.T) {
	const manifests = ": it is stored and not acted on: the manifests that the server is installed by count"
	for name, test := range map[string]struct {
		spec cdi.CDISpec
		want []string
	}{
		"nothing":    {cdi.CDISpec{}, nil},
		"its config": {cdi.CDISpec{Config: &cdi.CDIConfigSpec{FeatureGates: []string{"HonorWaitForFirstConsumer"}}}, nil},
		"everything else": {cdi.CDISpec{
			ImagePullPolicy: corev1.PullAlways, UninstallStrategy: new(cdi.CDIUninstallStrategyRemoveWorkloads),
			Infra: cdi.ComponentConfig{APIServerReplicas: new(int32(2))}, Workloads: cdi.NodePlacement{NodeSelector: map[string]string{"a": "b"}},
			CustomizeComponents: cdi.CustomizeComponents{Flags: &cdi.Flags{}}, CloneStrategyOverride: new(cdi.CloneStrategySnapshot),
			CertConfig: &cdi.CDICertConfig{}, PriorityClass: new(cdi.CDIPriorityClass("high")),
		}, []string{
			"spec.imagePullPolicy" + manifests,
			"spec.uninstallStrategy: it is stored and not acted on: nobody but an administrator uninstalls this server",
			"spec.infra" + manifests,
			"spec.workload: it is stored and not acted on: pods that fill volumes run where their storage is",
			"spec.customizeComponents" + manifests,
			"spec.cloneStrategyOverride: it is stored and not acted on: this server copies volumes",
			"spec.certConfig" + manifests,
			"spec.priorityClass" + manifests,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			installation := theInstallation()
			installation.Spec = test.spec
			if diff := cmp.Diff(test.want, WarningsForCDI(installation)); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}

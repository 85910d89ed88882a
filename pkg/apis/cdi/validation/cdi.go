// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"goldenimage.dev/pkg/apis/cdi"
)

// ValidateCDI returns what forbids to create a CDI.
func ValidateCDI(installation *cdi.CDI) field.ErrorList {
	errs := apivalidation.ValidateObjectMeta(&installation.ObjectMeta, false, objectName(validation.DNS1123SubdomainMaxLength), field.NewPath("metadata"))
	return append(errs, validateInstallation(&installation.Spec, &cdi.CDISpec{}, field.NewPath("spec"))...)
}

// ValidateCDIUpdate returns what forbids to replace a CDI's spec.
func ValidateCDIUpdate(updated, old *cdi.CDI) field.ErrorList {
	return validateInstallation(&updated.Spec, &old.Spec, field.NewPath("spec"))
}

// ValidateCDIStatusUpdate returns what forbids to replace a CDI's status.
func ValidateCDIStatusUpdate(updated, old *cdi.CDI) field.ErrorList {
	if !differs(updated.Status, old.Status) {
		return nil
	}
	conditions := conditionsOf(updated.Status.Conditions, func(c cdi.CDICondition) condition {
		return condition{string(c.Type), c.ConditionState}
	})
	return validateConditions(conditions, field.NewPath("status", "conditions"))
}

// WarningsForCDI returns what is legal but odd in a CDI that is valid: of what it says, this
// server acts on config alone.
func WarningsForCDI(installation *cdi.CDI) []string {
	const manifests = "it is stored and not acted on: the manifests that the server is installed by count"
	spec := &installation.Spec
	var warnings []string
	for _, inert := range []struct {
		given     bool
		name, why string
	}{
		{spec.ImagePullPolicy != "", "imagePullPolicy", manifests},
		{spec.UninstallStrategy != nil, "uninstallStrategy", "it is stored and not acted on: nobody but an administrator uninstalls this server"},
		{differs(spec.Infra, cdi.ComponentConfig{}), "infra", manifests},
		{differs(spec.Workloads, cdi.NodePlacement{}), "workload", "it is stored and not acted on: pods that fill volumes run where their storage is"},
		{differs(spec.CustomizeComponents, cdi.CustomizeComponents{}), "customizeComponents", manifests},
		{spec.CloneStrategyOverride != nil, "cloneStrategyOverride", "it is stored and not acted on: this server copies volumes"},
		{spec.CertConfig != nil, "certConfig", manifests},
		{spec.PriorityClass != nil, "priorityClass", manifests},
	} {
		if inert.given {
			warnings = append(warnings, "spec."+inert.name+": "+inert.why)
		}
	}
	if spec.Config != nil {
		warnings = append(warnings, warnConfig(spec.Config, "spec.config")...)
	}
	return warnings
}

// validateInstallation checks a CDI's spec where it differs from old.
func validateInstallation(spec, old *cdi.CDISpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if policy := spec.ImagePullPolicy; policy != old.ImagePullPolicy && policy != "" {
		errs = append(errs, oneOf(&policy, path.Child("imagePullPolicy"), "Illegal pull policy",
			corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever)...)
	}
	if strategy := spec.UninstallStrategy; changed(strategy, old.UninstallStrategy) {
		errs = append(errs, oneOf(strategy, path.Child("uninstallStrategy"), "Illegal uninstall strategy",
			cdi.CDIUninstallStrategyRemoveWorkloads, cdi.CDIUninstallStrategyBlockUninstallIfWorkloadsExist)...)
	}
	if differs(spec.Infra, old.Infra) {
		errs = append(errs, validateComponents(&spec.Infra, path.Child("infra"))...)
	}
	if differs(spec.Workloads, old.Workloads) {
		errs = append(errs, validatePlacement(&spec.Workloads, path.Child("workload"))...)
	}
	if differs(spec.CustomizeComponents, old.CustomizeComponents) {
		errs = append(errs, validatePatches(spec.CustomizeComponents.Patches, path.Child("customizeComponents", "patches"))...)
	}
	if changed(spec.CloneStrategyOverride, old.CloneStrategyOverride) {
		errs = append(errs, validateCloneStrategy(spec.CloneStrategyOverride, path.Child("cloneStrategyOverride"))...)
	}
	if spec.Config != nil {
		before := old.Config
		if before == nil {
			before = &cdi.CDIConfigSpec{}
		}
		errs = append(errs, validateConfig(spec.Config, before, path.Child("config"))...)
	}
	if differs(spec.CertConfig, old.CertConfig) {
		errs = append(errs, validateCertificates(spec.CertConfig, path.Child("certConfig"))...)
	}
	if class := spec.PriorityClass; class != nil && changed(class, old.PriorityClass) {
		errs = append(errs, optionalName(string(*class), path.Child("priorityClass"), badPriorityClass)...)
	}
	return errs
}

func validateComponents(components *cdi.ComponentConfig, path *field.Path) field.ErrorList {
	errs := validatePlacement(&components.NodePlacement, path)
	errs = append(errs, optionalCount(components.DeploymentReplicas, path.Child("deploymentReplicas"))...)
	errs = append(errs, optionalCount(components.APIServerReplicas, path.Child("apiServerReplicas"))...)
	return append(errs, optionalCount(components.UploadProxyReplicas, path.Child("uploadProxyReplicas"))...)
}

func validatePlacement(placement *cdi.NodePlacement, path *field.Path) field.ErrorList {
	errs := metav1validation.ValidateLabels(placement.NodeSelector, path.Child("nodeSelector"))
	if placement.Affinity == nil {
		return errs
	}
	return append(errs, validateNodeAffinity(placement.Affinity.NodeAffinity, path.Child("affinity", "nodeAffinity"))...)
}

func validatePatches(patches []cdi.CustomizeComponentsPatch, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, patch := range patches {
		child := path.Index(i)
		for _, text := range []struct{ name, value string }{
			{"resourceName", patch.ResourceName}, {"resourceType", patch.ResourceType}, {"patch", patch.Patch},
		} {
			if text.value == "" {
				errs = append(errs, field.Required(child.Child(text.name), "the patch is not valid: give all of resourceName, resourceType and patch"))
			}
		}
		errs = append(errs, oneOf(&patch.Type, child.Child("type"), "Illegal type of patch",
			cdi.JSONPatchType, cdi.MergePatchType, cdi.StrategicMergePatchType)...)
	}
	return errs
}

func validateCertificates(config *cdi.CDICertConfig, path *field.Path) field.ErrorList {
	if config == nil {
		return nil
	}
	errs := validateCertificate(config.CA, path.Child("ca"))
	errs = append(errs, validateCertificate(config.Server, path.Child("server"))...)
	return append(errs, validateCertificate(config.Client, path.Child("client"))...)
}

func validateCertificate(config *cdi.CertConfig, path *field.Path) field.ErrorList {
	if config == nil {
		return nil
	}
	var errs field.ErrorList
	positive := func(duration *metav1.Duration, name string) bool {
		if duration == nil || duration.Duration > 0 {
			return duration != nil
		}
		errs = append(errs, field.Invalid(path.Child(name), duration.Duration.String(), "must be longer than nothing: give a duration such as 48h"))
		return false
	}
	valid, renewed := positive(config.Duration, "duration"), positive(config.RenewBefore, "renewBefore")
	if valid && renewed && config.RenewBefore.Duration >= config.Duration.Duration {
		errs = append(errs, field.Invalid(path.Child("renewBefore"), config.RenewBefore.Duration.String(),
			"must be shorter than the duration, "+config.Duration.Duration.String()))
	}
	return errs
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"regexp"

	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"goldenimage.dev/pkg/apis/cdi"
)

const onlyConfig = "there is one CDIConfig, and its name is " + cdi.CDIConfigName

var percentPattern = regexp.MustCompile(`^(0(?:\.\d{1,3})?|1)$`)

// ValidateCDIConfig returns what forbids to create a CDIConfig.
func ValidateCDIConfig(config *cdi.CDIConfig) field.ErrorList {
	meta := field.NewPath("metadata")
	errs := apivalidation.ValidateObjectMeta(&config.ObjectMeta, false, objectName(validation.DNS1123SubdomainMaxLength), meta)
	if config.Name != "" && config.Name != cdi.CDIConfigName {
		errs = append(errs, field.Invalid(meta.Child("name"), shorten(config.Name), onlyConfig))
	}
	return append(errs, validateConfig(&config.Spec, &cdi.CDIConfigSpec{}, field.NewPath("spec"))...)
}

// ValidateCDIConfigUpdate returns what forbids to replace a CDIConfig's spec.
func ValidateCDIConfigUpdate(updated, old *cdi.CDIConfig) field.ErrorList {
	return validateConfig(&updated.Spec, &old.Spec, field.NewPath("spec"))
}

// ValidateCDIConfigStatusUpdate returns what forbids to replace a CDIConfig's status.
func ValidateCDIConfigStatusUpdate(updated, old *cdi.CDIConfig) field.ErrorList {
	path, status := field.NewPath("status"), &updated.Status
	var errs field.ErrorList
	if differs(status.ImportProxy, old.Status.ImportProxy) {
		errs = append(errs, validateProxy(status.ImportProxy, path.Child("importProxy"))...)
	}
	if differs(status.FilesystemOverhead, old.Status.FilesystemOverhead) {
		errs = append(errs, validateOverhead(status.FilesystemOverhead, path.Child("filesystemOverhead"))...)
	}
	if differs(status.DefaultPodResourceRequirements, old.Status.DefaultPodResourceRequirements) {
		errs = append(errs, validateResources(status.DefaultPodResourceRequirements, path.Child("defaultPodResourceRequirements"))...)
	}
	if differs(status.ImagePullSecrets, old.Status.ImagePullSecrets) {
		errs = append(errs, validatePullSecrets(status.ImagePullSecrets, path.Child("imagePullSecrets"))...)
	}
	if status.ScratchSpaceStorageClass != old.Status.ScratchSpaceStorageClass {
		errs = append(errs, optionalName(status.ScratchSpaceStorageClass, path.Child("scratchSpaceStorageClass"), badClassName)...)
	}
	return errs
}

// validateConfig checks a configuration where it differs from old. It is the spec of a
// CDIConfig and a part of that of a CDI.
func validateConfig(spec, old *cdi.CDIConfigSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	check := func(name string, updated, old any, rule func(*field.Path) field.ErrorList) {
		if differs(updated, old) {
			errs = append(errs, rule(path.Child(name))...)
		}
	}
	check("importProxy", spec.ImportProxy, old.ImportProxy, func(p *field.Path) field.ErrorList {
		return validateProxy(spec.ImportProxy, p)
	})
	check("scratchSpaceStorageClass", spec.ScratchSpaceStorageClass, old.ScratchSpaceStorageClass, func(p *field.Path) field.ErrorList {
		return optionalName(deref(spec.ScratchSpaceStorageClass), p, badClassName)
	})
	check("podResourceRequirements", spec.PodResourceRequirements, old.PodResourceRequirements, func(p *field.Path) field.ErrorList {
		return validateResources(spec.PodResourceRequirements, p)
	})
	check("filesystemOverhead", spec.FilesystemOverhead, old.FilesystemOverhead, func(p *field.Path) field.ErrorList {
		return validateOverhead(spec.FilesystemOverhead, p)
	})
	check("insecureRegistries", spec.InsecureRegistries, old.InsecureRegistries, func(p *field.Path) field.ErrorList {
		return validateRegistryHosts(spec.InsecureRegistries, p)
	})
	check("dataVolumeTTLSeconds", spec.DataVolumeTTLSeconds, old.DataVolumeTTLSeconds, func(p *field.Path) field.ErrorList {
		return optionalCount(spec.DataVolumeTTLSeconds, p)
	})
	check("tlsSecurityProfile", spec.TLSSecurityProfile, old.TLSSecurityProfile, func(p *field.Path) field.ErrorList {
		return validateTLSProfile(spec.TLSSecurityProfile, p)
	})
	check("imagePullSecrets", spec.ImagePullSecrets, old.ImagePullSecrets, func(p *field.Path) field.ErrorList {
		return validatePullSecrets(spec.ImagePullSecrets, p)
	})
	check("logVerbosity", spec.LogVerbosity, old.LogVerbosity, func(p *field.Path) field.ErrorList {
		return optionalCount(spec.LogVerbosity, p)
	})
	check("webhookPvcRendering", spec.WebhookPvcRendering, old.WebhookPvcRendering, func(p *field.Path) field.ErrorList {
		return oneOf(spec.WebhookPvcRendering, p, "Illegal value", cdi.WebhookPvcRenderingEnabled, cdi.WebhookPvcRenderingDisabled)
	})
	return errs
}

func deref(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

func optionalCount(count *int32, path *field.Path) field.ErrorList {
	if count == nil {
		return nil
	}
	return notNegative(*count, path)
}

func validateOverhead(overhead *cdi.FilesystemOverhead, path *field.Path) field.ErrorList {
	if overhead == nil {
		return nil
	}
	var errs field.ErrorList
	if overhead.Global != "" {
		errs = append(errs, validatePercent(overhead.Global, path.Child("global"))...)
	}
	for _, class := range sortedKeys(overhead.StorageClass) {
		child := path.Child("storageClass").Key(shorten(class))
		errs = append(errs, requiredName(class, child, badClassName)...)
		errs = append(errs, validatePercent(overhead.StorageClass[class], child)...)
	}
	return errs
}

func validatePercent(share cdi.Percent, path *field.Path) field.ErrorList {
	if percentPattern.MatchString(string(share)) {
		return nil
	}
	return field.ErrorList{field.Invalid(path, shorten(string(share)),
		"must match "+percentPattern.String()+`: accepted is a share from "0" to "1" with at most three digits after the point, such as "0.06"`)}
}

func validatePullSecrets(secrets []corev1.LocalObjectReference, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, secret := range secrets {
		errs = append(errs, requiredName(secret.Name, path.Index(i).Child("name"), badSecret)...)
	}
	return errs
}

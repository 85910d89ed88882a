// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"errors"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"goldenimage.dev/pkg/apis/cdi"
	"goldenimage.dev/pkg/apis/cdi/reference"
)

// JSON names of the members of a source that are supported.
const (
	sourceRegistry = "registry"
	sourcePVC      = "pvc"
)

const acceptedURL = "accepted is docker://host[:port]/repository[:tag|@sha256:<64 hex digits>]"

// sourceKinds returns the JSON names of a source's members that are given.
func sourceKinds(source *cdi.DataVolumeSource) []string {
	if source == nil {
		return nil
	}
	var kinds []string
	for _, member := range []struct {
		name  string
		given bool
	}{
		{"http", source.HTTP != nil},
		{"s3", source.S3 != nil},
		{"gcs", source.GCS != nil},
		{sourceRegistry, source.Registry != nil},
		{sourcePVC, source.PVC != nil},
		{"upload", source.Upload != nil},
		{"blank", source.Blank != nil},
		{"imageio", source.Imageio != nil},
		{"vddk", source.VDDK != nil},
		{"snapshot", source.Snapshot != nil},
	} {
		if member.given {
			kinds = append(kinds, member.name)
		}
	}
	return kinds
}

func singleSource(kinds []string, path *field.Path) field.ErrorList {
	if len(kinds) < 2 {
		return nil
	}
	return field.ErrorList{field.Invalid(path, strings.Join(kinds, ", "), "Multiple Data volume sources: give one of them")}
}

// validateSource checks the source of a DataVolume.
func validateSource(source *cdi.DataVolumeSource, path *field.Path) field.ErrorList {
	kinds := sourceKinds(source)
	if len(kinds) == 0 {
		return field.ErrorList{field.Required(path, "Missing Data volume source: "+volumeSources)}
	}
	errs := singleSource(kinds, path)
	for _, kind := range kinds {
		switch child := path.Child(kind); kind {
		case sourceRegistry:
			errs = append(errs, validateRegistry(source.Registry, child)...)
		case sourcePVC:
			errs = append(errs, requiredNamespace(source.PVC.Namespace, child.Child("namespace"), "source PVC is not valid")...)
			errs = append(errs, requiredName(source.PVC.Name, child.Child("name"), "source PVC is not valid")...)
		default:
			errs = append(errs, field.Forbidden(child, "source "+kind+" is not supported: "+volumeSources))
		}
	}
	return errs
}

// validateRegistry checks a container disk in an image registry.
func validateRegistry(registry *cdi.DataVolumeSourceRegistry, path *field.Path) field.ErrorList {
	errs := validateImage(registry, path)
	errs = append(errs, validatePullMethod(registry.PullMethod, path.Child("pullMethod"))...)
	if registry.SecretRef != nil {
		errs = append(errs, optionalName(*registry.SecretRef, path.Child("secretRef"), "name of the Secret is not valid")...)
	}
	if registry.CertConfigMap != nil {
		errs = append(errs, optionalName(*registry.CertConfigMap, path.Child("certConfigMap"), "name of the ConfigMap is not valid")...)
	}
	if registry.Platform != nil {
		// It becomes a node selector's value.
		architecture := registry.Platform.Architecture
		errs = append(errs, checked(architecture, path.Child("platform", "architecture"),
			"architecture is not valid: give one such as amd64, arm64 or s390x", validation.IsValidLabelValue(architecture))...)
	}
	return errs
}

// validateImage checks which image is meant: by url, since no imageStream can be read.
func validateImage(registry *cdi.DataVolumeSourceRegistry, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if (registry.URL == nil) == (registry.ImageStream == nil) {
		errs = append(errs, field.Invalid(path, field.OmitValueType{}, "Source registry should have either URL or ImageStream: give url"))
	}
	if registry.ImageStream != nil {
		errs = append(errs, validateImageStream(registry, path)...)
	}
	if registry.URL != nil {
		errs = append(errs, validateURL(*registry.URL, path.Child("url"))...)
	}
	return errs
}

func validateImageStream(registry *cdi.DataVolumeSourceRegistry, path *field.Path) field.ErrorList {
	errs := field.ErrorList{field.Forbidden(path.Child("imageStream"), "imageStream is not supported: give url")}
	if *registry.ImageStream == "" {
		errs = append(errs, field.Required(path.Child("imageStream"), "Source registry ImageStream is not valid: give url"))
	}
	if registry.PullMethod == nil || *registry.PullMethod != cdi.RegistryPullNode {
		errs = append(errs, field.Invalid(path.Child("imageStream"), shorten(*registry.ImageStream),
			"Source registry ImageStream is supported only with node pull import method"))
	}
	return errs
}

func validatePullMethod(method *cdi.RegistryPullMethod, path *field.Path) field.ErrorList {
	if method == nil {
		return nil
	}
	switch *method {
	case "", cdi.RegistryPullPod, cdi.RegistryPullNode:
		return nil
	}
	return field.ErrorList{notSupported(path, string(*method), `ImportMethod `+shorten(string(*method))+` is neither pod, node or ""`)}
}

// validateURL checks the URL of an image in a registry. An error never repeats a password.
func validateURL(url string, path *field.Path) field.ErrorList {
	visible, secret := withoutCredentials(url)
	visible = shorten(visible)
	invalid := func(message, cause string) field.ErrorList {
		return field.ErrorList{field.Invalid(path, visible, message+" "+visible+": "+cause)}
	}
	if secret {
		return invalid("Illegal registry source URL", "it holds a user name or password: name a Secret by secretRef instead")
	}
	parsed, err := reference.Parse(url)
	switch {
	case !strings.HasPrefix(url, cdi.RegistrySchemeDocker+":"):
		return invalid("Illegal registry source URL scheme", acceptedURL)
	case err != nil:
		return invalid("Illegal registry source URL", causeOf(err).Error()+": "+acceptedURL)
	case parsed.Transport() != reference.Docker:
		return invalid("Illegal registry source URL scheme", acceptedURL)
	}
	return nil
}

// causeOf drops the outer words of an error, which repeat what ours say.
func causeOf(err error) error {
	if cause := errors.Unwrap(err); cause != nil {
		return cause
	}
	return err
}

// withoutCredentials replaces all that stands before an @ other than a digest's.
func withoutCredentials(url string) (visible string, secret bool) {
	name, digest := url, ""
	if i := strings.LastIndexByte(url, '@'); i >= 0 && strings.HasPrefix(url[i:], "@sha256:") {
		name, digest = url[:i], url[i:]
	}
	if i := strings.LastIndexByte(name, '@'); i >= 0 {
		return "…" + name[i:] + digest, true
	}
	return url, false
}

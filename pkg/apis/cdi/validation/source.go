// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"errors"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"goldenimage.dev/pkg/apis/cdi"
	"goldenimage.dev/pkg/apis/cdi/reference"
)

const acceptedURL = "accepted is docker://host[:port]/repository[:tag|@sha256:<64 hex digits>]"

// What a message begins with if the name of another object is wrong.
const (
	badSourcePVC      = "source PVC is not valid"
	badSourceSnapshot = "source snapshot is not valid"
	badSecret         = "name of the Secret is not valid" //nolint:gosec // it is no secret
	badConfigMap      = "name of the ConfigMap is not valid"
)

func singleSource(kinds []sourceKind, path *field.Path) field.ErrorList {
	if len(kinds) < 2 {
		return nil
	}
	return field.ErrorList{field.Invalid(path, namesOf(kinds), "Multiple Data volume sources: give one of them")}
}

// validateSource checks the source of a DataVolume.
func validateSource(source *cdi.DataVolumeSource, path *field.Path) field.ErrorList {
	kinds := sourceKinds(source)
	if len(kinds) == 0 {
		return field.ErrorList{field.Required(path, "Missing Data volume source: "+volumeSources)}
	}
	errs := singleSource(kinds, path)
	for _, kind := range kinds {
		switch kind.name {
		case sourceRegistry, sourcePVC:
		case sourceHTTP:
			errs = append(errs, validateFile(source.HTTP, path.Child(sourceHTTP))...)
		default:
			errs = append(errs, field.Forbidden(path.Child(kind.name), "source "+kind.name+" is not supported: "+volumeSources))
		}
		// The rest is told all the same: who comes from another server finds all faults at once.
		errs = append(errs, faultsOf([]sourceKind{kind}, path)...)
	}
	return errs
}

// validateRegistry checks a container disk in an image registry.
func validateRegistry(registry *cdi.DataVolumeSourceRegistry, path *field.Path) field.ErrorList {
	errs := validateImage(registry, path)
	errs = append(errs, validatePullMethod(registry.PullMethod, path.Child("pullMethod"))...)
	if registry.SecretRef != nil {
		errs = append(errs, optionalName(*registry.SecretRef, path.Child("secretRef"), badSecret)...)
	}
	if registry.CertConfigMap != nil {
		errs = append(errs, optionalName(*registry.CertConfigMap, path.Child("certConfigMap"), badConfigMap)...)
	}
	if registry.Platform != nil {
		// It becomes a node selector's value.
		architecture := registry.Platform.Architecture
		errs = append(errs, checked(architecture, path.Child("platform", "architecture"),
			"architecture is not valid: give one such as amd64, arm64 or s390x", validation.IsValidLabelValue(architecture))...)
	}
	return errs
}

// validateImage checks which image is meant: by url, or by an imageStream.
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

// inTemplate is what the path of a DataImportCron's source begins with.
const inTemplate = "spec.template."

// validateImageStream checks the name of an imageStream, which a DataImportCron alone may give:
// it imports the image by url that the tag names, and nothing else looks that up. Whether the
// name is one is found out when it is polled, as it is by CDI.
func validateImageStream(registry *cdi.DataVolumeSourceRegistry, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if !strings.HasPrefix(path.String(), inTemplate) {
		errs = append(errs, field.Forbidden(path.Child("imageStream"),
			"imageStream is supported in DataImportCrons alone: give url, or sourceRef to the DataSource of a DataImportCron that follows it"))
	}
	if *registry.ImageStream == "" {
		errs = append(errs, field.Required(path.Child("imageStream"), "Source registry ImageStream is not valid: give name or name:tag"))
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

var digestAtEnd = regexp.MustCompile(`@sha256:[0-9a-f]*$`)

// withoutCredentials replaces all that stands before an @ other than a digest's.
func withoutCredentials(url string) (visible string, secret bool) {
	name, digest := url, digestAtEnd.FindString(url)
	name = strings.TrimSuffix(name, digest)
	if i := strings.LastIndexByte(name, '@'); i >= 0 {
		return "…" + name[i:] + digest, true
	}
	return url, false
}

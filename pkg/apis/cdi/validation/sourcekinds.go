// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"goldenimage.dev/pkg/apis/cdi"
)

// JSON names of the members of a source that others than their rules know.
const (
	sourceRegistry = "registry"
	sourcePVC      = "pvc"
	sourceHTTP     = "http"
)

var checksumPattern = regexp.MustCompile(`^(md5:[0-9a-fA-F]{32}|sha1:[0-9a-fA-F]{40}|sha256:[0-9a-fA-F]{64}|sha512:[0-9a-fA-F]{128})$`)

// A sourceKind is a member of a source.
type sourceKind struct {
	// name is the member's in JSON.
	name  string
	given bool
	// url of a web server or bucket; "" for other kinds.
	url string
	// faults returns what is wrong with the member of a source at a path. It may be nil.
	faults func(source *field.Path) field.ErrorList
}

// sourceKinds returns the members of a source that are given.
func sourceKinds(source *cdi.DataVolumeSource) []sourceKind {
	if source == nil {
		return nil
	}
	return givenKinds([]sourceKind{
		httpKind(source.HTTP), s3Kind(source.S3), gcsKind(source.GCS), registryKind(source.Registry), pvcKind(source.PVC),
		{name: "upload", given: source.Upload != nil}, blankKind(source.Blank),
		imageioKind(source.Imageio), vddkKind(source.VDDK), snapshotKind(source.Snapshot),
	})
}

func givenKinds(kinds []sourceKind) []sourceKind {
	return slices.DeleteFunc(kinds, func(kind sourceKind) bool { return !kind.given })
}

func namesOf(kinds []sourceKind) string {
	names := make([]string, len(kinds))
	for i, kind := range kinds {
		names[i] = kind.name
	}
	return strings.Join(names, ", ")
}

// faultsOf returns what is wrong with the members of a source at a path.
func faultsOf(kinds []sourceKind, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, kind := range kinds {
		if kind.faults != nil {
			errs = append(errs, kind.faults(path)...)
		}
	}
	return errs
}

func httpKind(source *cdi.DataVolumeSourceHTTP) sourceKind {
	kind := sourceKind{name: sourceHTTP}
	if source == nil {
		return kind
	}
	kind.given, kind.url = true, source.URL
	kind.faults = func(path *field.Path) field.ErrorList {
		child := path.Child(kind.name)
		errs := validateSourceURL(source.URL, path, child)
		errs = append(errs, validateChecksum(source.Checksum, child.Child("checksum"))...)
		errs = append(errs, validateAccess(source.SecretRef, source.CertConfigMap, child)...)
		for i, secret := range source.SecretExtraHeaders {
			errs = append(errs, requiredName(secret, child.Child("secretExtraHeaders").Index(i), badSecret)...)
		}
		return errs
	}
	return kind
}

func s3Kind(source *cdi.DataVolumeSourceS3) sourceKind {
	kind := sourceKind{name: "s3"}
	if source == nil {
		return kind
	}
	kind.given, kind.url = true, source.URL
	kind.faults = func(path *field.Path) field.ErrorList {
		child := path.Child(kind.name)
		return append(validateSourceURL(source.URL, path, child), validateAccess(source.SecretRef, source.CertConfigMap, child)...)
	}
	return kind
}

func gcsKind(source *cdi.DataVolumeSourceGCS) sourceKind {
	kind := sourceKind{name: "gcs"}
	if source == nil {
		return kind
	}
	kind.given, kind.url = true, source.URL
	kind.faults = func(path *field.Path) field.ErrorList {
		child := path.Child(kind.name)
		return append(validateSourceURL(source.URL, path, child), validateAccess(source.SecretRef, "", child)...)
	}
	return kind
}

func registryKind(source *cdi.DataVolumeSourceRegistry) sourceKind {
	return sourceKind{name: sourceRegistry, given: source != nil, faults: func(path *field.Path) field.ErrorList {
		return validateRegistry(source, path.Child(sourceRegistry))
	}}
}

func pvcKind(source *cdi.DataVolumeSourcePVC) sourceKind {
	return sourceKind{name: sourcePVC, given: source != nil, faults: func(path *field.Path) field.ErrorList {
		child := path.Child(sourcePVC)
		return append(requiredNamespace(source.Namespace, child.Child("namespace"), badSourcePVC),
			requiredName(source.Name, child.Child("name"), badSourcePVC)...)
	}}
}

func snapshotKind(source *cdi.DataVolumeSourceSnapshot) sourceKind {
	kind := sourceKind{name: "snapshot", given: source != nil}
	kind.faults = func(path *field.Path) field.ErrorList {
		child := path.Child(kind.name)
		return append(requiredNamespace(source.Namespace, child.Child("namespace"), badSourceSnapshot),
			requiredName(source.Name, child.Child("name"), badSourceSnapshot)...)
	}
	return kind
}

// blankKind has no faults of its own: what it may not be combined with is said of the content.
func blankKind(source *cdi.DataVolumeBlankImage) sourceKind {
	return sourceKind{name: "blank", given: source != nil}
}

func imageioKind(source *cdi.DataVolumeSourceImageIO) sourceKind {
	kind := sourceKind{name: "imageio"}
	if source == nil {
		return kind
	}
	kind.given, kind.url = true, source.URL
	kind.faults = func(path *field.Path) field.ErrorList {
		child := path.Child(kind.name)
		required := []member{{"secretRef", source.SecretRef}, {"diskId", source.DiskID}}
		if source.InsecureSkipVerify == nil || !*source.InsecureSkipVerify {
			required = append(required, member{"certConfigMap", source.CertConfigMap})
		}
		errs := requiredMembers(required, child, path.Child("Imageio").String()+" source Imageio is not valid")
		errs = append(errs, validateSourceURL(source.URL, path, child)...)
		return append(errs, validateAccess(source.SecretRef, source.CertConfigMap, child)...)
	}
	return kind
}

func vddkKind(source *cdi.DataVolumeSourceVDDK) sourceKind {
	kind := sourceKind{name: "vddk"}
	if source == nil {
		return kind
	}
	kind.given, kind.url = true, source.URL
	kind.faults = func(path *field.Path) field.ErrorList {
		child := path.Child(kind.name)
		errs := requiredMembers([]member{
			{"secretRef", source.SecretRef}, {"uuid", source.UUID}, {"backingFile", source.BackingFile}, {"thumbprint", source.Thumbprint},
		}, child, path.Child("VDDK").String()+" source VDDK is not valid")
		errs = append(errs, validateSourceURL(source.URL, path, child)...)
		return append(errs, validateAccess(source.SecretRef, source.CertConfigMap, child)...)
	}
	return kind
}

// A member of an object in JSON.
type member struct{ name, value string }

func requiredMembers(members []member, path *field.Path, message string) field.ErrorList {
	var errs field.ErrorList
	for _, m := range members {
		if m.value == "" {
			errs = append(errs, field.Required(path.Child(m.name), message+": give "+m.name))
		}
	}
	return errs
}

// validateAccess checks the names of what a source is read with.
func validateAccess(secret, certificates string, path *field.Path) field.ErrorList {
	return append(optionalName(secret, path.Child("secretRef"), badSecret),
		optionalName(certificates, path.Child("certConfigMap"), badConfigMap)...)
}

// validateSourceURL checks the URL of a member of a source. An error repeats no password.
func validateSourceURL(text string, source, path *field.Path) field.ErrorList {
	const accepted = ": accepted are http, https and gs"
	path = path.Child("url")
	if text == "" {
		return field.ErrorList{field.Required(path, source.String()+" source URL is empty: give one")}
	}
	visible := visibleURL(text)
	parsed, err := url.ParseRequestURI(text)
	switch {
	case err != nil:
		return field.ErrorList{field.Invalid(path, visible, source.String()+" Invalid source URL: "+visible)}
	case parsed.Scheme != schemeHTTP && parsed.Scheme != schemeHTTPS && parsed.Scheme != schemeGS:
		return field.ErrorList{field.Invalid(path, visible, source.String()+" Invalid source URL scheme: "+visible+accepted)}
	case parsed.Hostname() == "":
		return field.ErrorList{field.Invalid(path, visible, source.String()+" Invalid source URL: "+visible+": it names no host")}
	}
	return nil
}

// validateChecksum checks the checksum of a file; an empty one is none.
func validateChecksum(checksum string, path *field.Path) field.ErrorList {
	const accepted = "accepted are md5:, sha1:, sha256: and sha512:, each with as many hex digits as it has"
	if checksum == "" || checksumPattern.MatchString(checksum) {
		return nil
	}
	visible := shorten(checksum)
	return field.ErrorList{field.Invalid(path, visible, "Invalid checksum format: "+visible+": "+accepted)}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"net/url"

	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"goldenimage.dev/pkg/apis/cdi"
)

// populatorNameLength bounds the name of what a claim is filled from.
const populatorNameLength = 63

const immutableImport = "Cannot update VolumeImportSource Spec: field is immutable: create another VolumeImportSource"

// ValidateVolumeImportSource returns what forbids to create a VolumeImportSource.
func ValidateVolumeImportSource(source *cdi.VolumeImportSource) field.ErrorList {
	errs := apivalidation.ValidateObjectMeta(&source.ObjectMeta, true, objectName(populatorNameLength), field.NewPath("metadata"))
	spec, path := &source.Spec, field.NewPath("spec")
	errs = append(errs, validateImportSource(spec.Source, path.Child("source"))...)
	errs = append(errs, validateImportContent(spec, path.Child("contentType"))...)
	return append(errs, validateStages(spec, path)...)
}

// ValidateVolumeImportSourceUpdate returns what forbids to replace a VolumeImportSource's
// spec. Nothing can be changed but the stages of a multi-stage import, which go on one by one.
func ValidateVolumeImportSourceUpdate(updated, old *cdi.VolumeImportSource) field.ErrorList {
	path := field.NewPath("spec")
	parts := []part{
		{"source", updated.Spec.Source, old.Spec.Source},
		{"preallocation", updated.Spec.Preallocation, old.Spec.Preallocation},
		{"contentType", updated.Spec.ContentType, old.Spec.ContentType},
		{"targetClaim", updated.Spec.TargetClaim, old.Spec.TargetClaim},
	}
	if !isMultiStage(&updated.Spec) {
		parts = append(parts,
			part{"checkpoints", updated.Spec.Checkpoints, old.Spec.Checkpoints},
			part{"finalCheckpoint", updated.Spec.FinalCheckpoint, old.Spec.FinalCheckpoint},
		)
	}
	return unchanged(path, immutableImport, parts...)
}

// WarningsForVolumeImportSource returns what is legal but odd in a VolumeImportSource that is
// valid.
func WarningsForVolumeImportSource(source *cdi.VolumeImportSource) []string {
	warnings := []string{"this server stores VolumeImportSources and does not fill claims from them yet: let a DataVolume import the disk from a registry"}
	origin := source.Spec.Source
	if origin == nil {
		return warnings
	}
	if origin.Registry != nil {
		warnings = append(warnings, warnRegistry(origin.Registry, "spec.source.registry")...)
	}
	for _, kind := range givenKinds(importKinds(origin)) {
		if parsed, err := url.Parse(kind.url); err == nil && parsed.User != nil {
			warnings = append(warnings, "spec.source."+kind.name+".url: it holds a user name or password, which all who may read the object see: name a Secret by secretRef instead")
		}
	}
	return warnings
}

func validateImportSource(source *cdi.ImportSourceType, path *field.Path) field.ErrorList {
	const accepted = "give one of http, s3, registry, gcs, blank, imageio and vddk"
	kinds := givenKinds(importKinds(source))
	switch {
	case len(kinds) == 0:
		return field.ErrorList{field.Required(path, "Missing VolumeImport source: "+accepted)}
	case len(kinds) > 1:
		return append(field.ErrorList{field.Invalid(path, namesOf(kinds), "Multiple VolumeImport sources: give one of them")}, faultsOf(kinds, path)...)
	}
	return faultsOf(kinds, path)
}

// importKinds returns the members of a source.
func importKinds(source *cdi.ImportSourceType) []sourceKind {
	if source == nil {
		return nil
	}
	return []sourceKind{
		httpKind(source.HTTP), s3Kind(source.S3), registryKind(source.Registry), gcsKind(source.GCS),
		blankKind(source.Blank), imageioKind(source.Imageio), vddkKind(source.VDDK),
	}
}

func validateImportContent(spec *cdi.VolumeImportSourceSpec, path *field.Path) field.ErrorList {
	source := spec.Source
	if source == nil {
		source = &cdi.ImportSourceType{}
	}
	fault := contentFault(spec.ContentType, source.Registry != nil, source.Blank != nil)
	if fault == "" {
		return nil
	}
	return field.ErrorList{notSupported(path, string(spec.ContentType), fault+": leave it out or give kubevirt")}
}

func validateStages(spec *cdi.VolumeImportSourceSpec, path *field.Path) field.ErrorList {
	child := path.Child("targetClaim")
	if isMultiStage(spec) && deref(spec.TargetClaim) == "" {
		return field.ErrorList{field.Required(child, "Unable to do multi-stage import without specifying a target claim")}
	}
	return optionalName(deref(spec.TargetClaim), child, "name of the claim is not valid")
}

func isMultiStage(spec *cdi.VolumeImportSourceSpec) bool {
	return spec.Source != nil && hasStages(spec.Checkpoints, spec.Source.VDDK, spec.Source.Imageio)
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"goldenimage.dev/pkg/apis/cdi"
)

const (
	badPriorityClass = "priority class is not valid"

	volumeSources   = "supported are registry with url, http, pvc, and sourceRef"
	immutableVolume = "Cannot update DataVolume Spec: field is immutable: create another DataVolume"
)

// ValidateDataVolume returns what forbids to create a DataVolume.
func ValidateDataVolume(volume *cdi.DataVolume) field.ErrorList {
	errs := apivalidation.ValidateObjectMeta(&volume.ObjectMeta, true, objectName(validation.DNS1123SubdomainMaxLength), field.NewPath("metadata"))
	spec, path := &volume.Spec, field.NewPath("spec")
	errs = append(errs, validateOrigin(spec, path)...)
	if spec.Source != nil {
		errs = append(errs, validateSource(spec.Source, path.Child("source"))...)
		errs = append(errs, validateNotItself(volume, path.Child("source", sourcePVC))...)
	}
	if spec.SourceRef != nil {
		errs = append(errs, validateSourceRef(spec.SourceRef, path.Child("sourceRef"))...)
	}
	errs = append(errs, validateContent(spec, path)...)
	errs = append(errs, validateTarget(spec, path)...)
	return append(errs, validatePodSettings(spec, path)...)
}

// ValidateDataVolumeUpdate returns what forbids to replace a DataVolume's spec. Nothing of it
// can be changed but the stages of a multi-stage import, which go on one by one.
func ValidateDataVolumeUpdate(updated, old *cdi.DataVolume) field.ErrorList {
	before := old.Spec
	if source := updated.Spec.Source; source != nil && hasStages(updated.Spec.Checkpoints, source.VDDK, source.Imageio) {
		before.Checkpoints, before.FinalCheckpoint = updated.Spec.Checkpoints, updated.Spec.FinalCheckpoint
	}
	return unchangedSpec(&updated.Spec, &before, field.NewPath("spec"), immutableVolume)
}

// hasStages tells whether an import goes on stage by stage, as those of other platforms can.
func hasStages(checkpoints []cdi.DataVolumeCheckpoint, vddk *cdi.DataVolumeSourceVDDK, imageio *cdi.DataVolumeSourceImageIO) bool {
	return len(checkpoints) > 0 && (vddk != nil || imageio != nil)
}

// unchangedSpec returns an error for each field of a DataVolume's spec that differs.
func unchangedSpec(updated, old *cdi.DataVolumeSpec, path *field.Path, message string) field.ErrorList {
	return unchanged(path, message,
		part{"source", updated.Source, old.Source},
		part{"sourceRef", updated.SourceRef, old.SourceRef},
		part{"pvc", updated.PVC, old.PVC},
		part{"storage", updated.Storage, old.Storage},
		part{"priorityClassName", updated.PriorityClassName, old.PriorityClassName},
		part{"serviceAccountName", updated.ServiceAccountName, old.ServiceAccountName},
		part{"contentType", updated.ContentType, old.ContentType},
		part{"checkpoints", updated.Checkpoints, old.Checkpoints},
		part{"finalCheckpoint", updated.FinalCheckpoint, old.FinalCheckpoint},
		part{"preallocation", updated.Preallocation, old.Preallocation},
	)
}

func validateOrigin(spec *cdi.DataVolumeSpec, path *field.Path) field.ErrorList {
	const message = "Data volume should have either Source or SourceRef, or be externally populated: "
	switch {
	case spec.Source == nil && spec.SourceRef == nil:
		return field.ErrorList{field.Required(path.Child("source"), message+volumeSources)}
	case spec.Source != nil && spec.SourceRef != nil:
		return field.ErrorList{field.Forbidden(path.Child("sourceRef"), message+"leave out source or sourceRef")}
	}
	return nil
}

func validateSourceRef(ref *cdi.DataVolumeSourceRef, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	switch ref.Kind {
	case cdi.DataVolumeDataSource:
	case "":
		errs = append(errs, field.Required(path.Child("kind"), "Missing sourceRef kind: give DataSource"))
	default:
		errs = append(errs, notSupported(path.Child("kind"), ref.Kind,
			"Unsupported sourceRef kind "+shorten(ref.Kind)+", currently only DataSource is supported"))
	}
	if ref.Name == "" {
		errs = append(errs, field.Required(path.Child("name"), "Missing sourceRef name: give the name of a DataSource"))
	} else {
		errs = append(errs, requiredName(ref.Name, path.Child("name"), "sourceRef name is not valid")...)
	}
	// An empty namespace means the DataVolume's, as an absent one does.
	if ref.Namespace != nil && *ref.Namespace != "" {
		errs = append(errs, requiredNamespace(*ref.Namespace, path.Child("namespace"), "sourceRef namespace is not valid")...)
	}
	return errs
}

func validateNotItself(volume *cdi.DataVolume, path *field.Path) field.ErrorList {
	pvc := volume.Spec.Source.PVC
	if pvc == nil || pvc.Name == "" || pvc.Name != volume.Name || pvc.Namespace != volume.Namespace {
		return nil
	}
	return field.ErrorList{field.Invalid(path.Child("name"), shorten(pvc.Name),
		"source PVC is not valid: it is the claim that the DataVolume itself makes: give another claim or name the DataVolume otherwise")}
}

// validateContent checks what kind of content is asked for, and in which stages.
func validateContent(spec *cdi.DataVolumeSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	source := spec.Source
	if source == nil {
		source = &cdi.DataVolumeSource{}
	}
	fault := contentFault(spec.ContentType, source.Registry != nil, source.Blank != nil)
	if fault == "" && spec.ContentType == cdi.DataVolumeArchive {
		fault = "archive is not supported"
	}
	if fault != "" {
		errs = append(errs, notSupported(path.Child("contentType"), string(spec.ContentType), fault+": leave it out or give kubevirt"))
	}
	if len(spec.Checkpoints) > 0 {
		errs = append(errs, field.Forbidden(path.Child("checkpoints"), "multi-stage imports are not supported: leave it out"))
	}
	if spec.FinalCheckpoint {
		errs = append(errs, field.Forbidden(path.Child("finalCheckpoint"), "multi-stage imports are not supported: leave it out"))
	}
	return errs
}

// contentFault returns what is wrong with a content type, "" if nothing is. An image in a
// registry holds a disk, and so does what is blank.
func contentFault(content cdi.DataVolumeContentType, registry, blank bool) string {
	switch {
	case content == "" || content == cdi.DataVolumeKubeVirt:
		return ""
	case content != cdi.DataVolumeArchive:
		return "ContentType not one of: kubevirt, archive"
	case registry:
		return "ContentType must be kubevirt when Source is Registry"
	case blank:
		return "SourceType cannot be blank and the contentType be archive"
	}
	return ""
}

// validatePodSettings checks what is handed on to the pods that fill a volume.
func validatePodSettings(spec *cdi.DataVolumeSpec, path *field.Path) field.ErrorList {
	errs := optionalName(spec.PriorityClassName, path.Child("priorityClassName"), badPriorityClass)
	return append(errs, optionalName(spec.ServiceAccountName, path.Child("serviceAccountName"), "service account is not valid")...)
}

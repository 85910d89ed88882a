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
	immutableClone = "Cannot update VolumeCloneSource Spec: field is immutable: create another VolumeCloneSource"

	kindClaim     = "PersistentVolumeClaim"
	kindSnapshot  = "VolumeSnapshot"
	snapshotGroup = "snapshot.storage.k8s.io"
)

// ValidateVolumeCloneSource returns what forbids to create a VolumeCloneSource.
func ValidateVolumeCloneSource(source *cdi.VolumeCloneSource) field.ErrorList {
	errs := apivalidation.ValidateObjectMeta(&source.ObjectMeta, true, objectName(validation.DNS1123SubdomainMaxLength), field.NewPath("metadata"))
	spec, path := &source.Spec, field.NewPath("spec")
	origin := path.Child("source")
	group := deref(spec.Source.APIGroup)
	switch spec.Source.Kind {
	case kindClaim:
		errs = append(errs, validateGroup(group, "", origin)...)
	case kindSnapshot:
		errs = append(errs, validateGroup(group, snapshotGroup, origin)...)
	case "":
		errs = append(errs, field.Required(origin.Child("kind"), "give PersistentVolumeClaim or VolumeSnapshot"))
	default:
		errs = append(errs, notSupported(origin.Child("kind"), spec.Source.Kind, "accepted are PersistentVolumeClaim, VolumeSnapshot"))
	}
	errs = append(errs, requiredName(spec.Source.Name, origin.Child("name"), "clone source is not valid")...)
	return append(errs, optionalName(deref(spec.PriorityClassName), path.Child("priorityClassName"), badPriorityClass)...)
}

// ValidateVolumeCloneSourceUpdate returns what forbids to replace a VolumeCloneSource's spec,
// of which nothing can be changed.
func ValidateVolumeCloneSourceUpdate(updated, old *cdi.VolumeCloneSource) field.ErrorList {
	return unchanged(field.NewPath("spec"), immutableClone,
		part{"source", updated.Spec.Source, old.Spec.Source},
		part{"preallocation", updated.Spec.Preallocation, old.Spec.Preallocation},
		part{"priorityClassName", updated.Spec.PriorityClassName, old.Spec.PriorityClassName},
	)
}

// WarningsForVolumeCloneSource returns what is legal but odd in a VolumeCloneSource that is
// valid.
func WarningsForVolumeCloneSource(*cdi.VolumeCloneSource) []string {
	return []string{"this server stores VolumeCloneSources and does not fill claims from them yet: create a DataVolume with the source pvc"}
}

func validateGroup(group, want string, path *field.Path) field.ErrorList {
	if group == want {
		return nil
	}
	accepted := "give " + want
	if want == "" {
		accepted = "leave it out"
	}
	return field.ErrorList{notSupported(path.Child("apiGroup"), group, "the kind is of another group: "+accepted)}
}

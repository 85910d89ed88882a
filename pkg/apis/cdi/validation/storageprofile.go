// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"goldenimage.dev/pkg/apis/cdi"
)

// Bounds of a StorageProfile's lists. There are four access modes.
const (
	maxClaimPropertySets = 8
	maxAccessModes       = 4
)

// ValidateStorageProfile returns what forbids to create a StorageProfile. Its name is that of
// a StorageClass.
func ValidateStorageProfile(profile *cdi.StorageProfile) field.ErrorList {
	errs := apivalidation.ValidateObjectMeta(&profile.ObjectMeta, false, objectName(validation.DNS1123SubdomainMaxLength), field.NewPath("metadata"))
	return append(errs, validateProfile(&profile.Spec, &cdi.StorageProfileSpec{}, field.NewPath("spec"))...)
}

// ValidateStorageProfileUpdate returns what forbids to replace a StorageProfile's spec.
func ValidateStorageProfileUpdate(updated, old *cdi.StorageProfile) field.ErrorList {
	return validateProfile(&updated.Spec, &old.Spec, field.NewPath("spec"))
}

// ValidateStorageProfileStatusUpdate returns what forbids to replace a StorageProfile's status.
func ValidateStorageProfileStatusUpdate(updated, old *cdi.StorageProfile) field.ErrorList {
	path := field.NewPath("status")
	if !differs(updated.Status, old.Status) {
		return nil
	}
	errs := validateProfile(profileOf(&updated.Status), profileOf(&old.Status), path)
	if class := updated.Status.StorageClass; class != nil && changed(class, old.Status.StorageClass) {
		errs = append(errs, requiredName(*class, path.Child("storageClass"), badClassName)...)
	}
	conditions := conditionsOf(updated.Status.Conditions, func(c cdi.StorageProfileCondition) condition {
		return condition{string(c.Type), c.ConditionState}
	})
	return append(errs, validateConditions(conditions, path.Child("conditions"))...)
}

// WarningsForStorageProfile returns what is legal but odd in a StorageProfile that is valid.
func WarningsForStorageProfile(profile *cdi.StorageProfile) []string {
	spec := &profile.Spec
	var warnings []string
	if format := spec.DataImportCronSourceFormat; format != nil && *format == cdi.DataImportCronSourceFormatSnapshot {
		warnings = append(warnings, "spec.dataImportCronSourceFormat: this server keeps imports as claims: snapshot is stored and not acted on")
	}
	if strategy := spec.CloneStrategy; strategy != nil && *strategy != cdi.CloneStrategyHostAssisted {
		warnings = append(warnings, "spec.cloneStrategy: this server copies volumes: "+string(*strategy)+" is stored and not acted on")
	}
	if spec.SnapshotClass != nil {
		warnings = append(warnings, "spec.snapshotClass: this server takes no snapshots: it is stored and not acted on")
	}
	for i, set := range spec.ClaimPropertySets {
		if slices.ContainsFunc(spec.ClaimPropertySets[:i], func(earlier cdi.ClaimPropertySet) bool { return !differs(earlier, set) }) {
			warnings = append(warnings, field.NewPath("spec", "claimPropertySets").Index(i).String()+": it says the same as an earlier one, which counts")
		}
	}
	return warnings
}

// profileOf returns the part of a status that a spec has too.
func profileOf(status *cdi.StorageProfileStatus) *cdi.StorageProfileSpec {
	return &cdi.StorageProfileSpec{
		CloneStrategy: status.CloneStrategy, ClaimPropertySets: status.ClaimPropertySets,
		DataImportCronSourceFormat: status.DataImportCronSourceFormat, SnapshotClass: status.SnapshotClass,
	}
}

// validateProfile checks a profile where it differs from old.
func validateProfile(spec, old *cdi.StorageProfileSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if changed(spec.CloneStrategy, old.CloneStrategy) {
		errs = append(errs, validateCloneStrategy(spec.CloneStrategy, path.Child("cloneStrategy"))...)
	}
	if differs(spec.ClaimPropertySets, old.ClaimPropertySets) {
		errs = append(errs, validateClaimPropertySets(spec.ClaimPropertySets, path.Child("claimPropertySets"))...)
	}
	if changed(spec.DataImportCronSourceFormat, old.DataImportCronSourceFormat) {
		errs = append(errs, oneOf(spec.DataImportCronSourceFormat, path.Child("dataImportCronSourceFormat"), "Illegal source format",
			cdi.DataImportCronSourceFormatPvc, cdi.DataImportCronSourceFormatSnapshot)...)
	}
	if class := spec.SnapshotClass; class != nil && changed(class, old.SnapshotClass) {
		errs = append(errs, requiredName(*class, path.Child("snapshotClass"), "name of the VolumeSnapshotClass is not valid")...)
	}
	return errs
}

func validateCloneStrategy(strategy *cdi.CDICloneStrategy, path *field.Path) field.ErrorList {
	return oneOf(strategy, path, "Illegal clone strategy", cdi.CloneStrategyHostAssisted, cdi.CloneStrategySnapshot, cdi.CloneStrategyCsiClone)
}

func validateClaimPropertySets(sets []cdi.ClaimPropertySet, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(sets) > maxClaimPropertySets {
		errs = append(errs, field.TooMany(path, len(sets), maxClaimPropertySets))
	}
	for i, set := range sets {
		child := path.Index(i)
		modes := child.Child("accessModes")
		switch {
		case len(set.AccessModes) == 0:
			errs = append(errs, field.Required(modes, "give 1 to 4 of ReadOnlyMany, ReadWriteMany, ReadWriteOnce and ReadWriteOncePod"))
		case len(set.AccessModes) > maxAccessModes:
			errs = append(errs, field.TooMany(modes, len(set.AccessModes), maxAccessModes))
		}
		errs = append(errs, validateAccessModes(set.AccessModes, modes)...)
		errs = append(errs, duplicates(set.AccessModes, modes)...)
		if set.VolumeMode == nil {
			errs = append(errs, field.Required(child.Child("volumeMode"), "give Filesystem or Block"))
		}
		errs = append(errs, validateVolumeMode(set.VolumeMode, child.Child("volumeMode"))...)
	}
	return errs
}

func duplicates(modes []corev1.PersistentVolumeAccessMode, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, mode := range modes {
		if slices.Contains(modes[:i], mode) {
			errs = append(errs, field.Duplicate(path.Index(i), shorten(string(mode))))
		}
	}
	return errs
}

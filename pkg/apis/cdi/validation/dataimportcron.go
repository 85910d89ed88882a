// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"fmt"
	"slices"
	"strings"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"goldenimage.dev/pkg/apis/cdi"
	"goldenimage.dev/pkg/apis/cdi/schedule"
)

// cronNameLength bounds the name of a DataImportCron, which is the value of a label on all
// that it makes, and that of its DataSource, from which volumes are named: with a digest and,
// for an import that was asked for though it is there, a request, such a name has 83 characters
// at most, far from what an object's may have.
const cronNameLength = 63

const (
	cronSources      = "give registry with url or imageStream, http, or pvc"
	unsettableFields = "Unsettable fields: SourceRef, ContentType, Checkpoints, FinalCheckpoint: leave it out"
	immutableCron    = "Cannot update DataImportCron Spec: field is immutable: create another DataImportCron, " +
		"or delete this one with retentionPolicy All and create it again: it adopts the imports that are there"
)

// ValidateDataImportCron returns what forbids to create a DataImportCron.
func ValidateDataImportCron(cron *cdi.DataImportCron) field.ErrorList {
	errs := apivalidation.ValidateObjectMeta(&cron.ObjectMeta, true, objectName(cronNameLength), field.NewPath("metadata"))
	path := field.NewPath("spec")
	errs = append(errs, validateTemplate(&cron.Spec.Template, path.Child("template"))...)
	errs = append(errs, validateManagedDataSource(cron.Spec.ManagedDataSource, path.Child("managedDataSource"))...)
	return append(errs, validateCronSettings(&cron.Spec, &cdi.DataImportCronSpec{}, path)...)
}

// ValidateDataImportCronUpdate returns what forbids to replace a DataImportCron's spec.
func ValidateDataImportCronUpdate(updated, old *cdi.DataImportCron) field.ErrorList {
	path := field.NewPath("spec")
	errs := unchangedTemplate(&updated.Spec.Template, &old.Spec.Template, path.Child("template"))
	if updated.Spec.ManagedDataSource != old.Spec.ManagedDataSource {
		errs = append(errs, field.Invalid(path.Child("managedDataSource"), updated.Spec.ManagedDataSource, immutableCron))
	}
	return append(errs, validateCronSettings(&updated.Spec, &old.Spec, path)...)
}

// validateCronSettings checks the settings that may be changed, where they differ from old.
func validateCronSettings(spec, old *cdi.DataImportCronSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if spec.Schedule != old.Schedule && spec.Schedule != "" {
		if _, err := schedule.Parse(spec.Schedule); err != nil {
			errs = append(errs, field.Invalid(path.Child("schedule"), shorten(spec.Schedule), "Illegal cron schedule: "+err.Error()))
		}
	}
	if keep := spec.ImportsToKeep; changed(keep, old.ImportsToKeep) && keep != nil && *keep < 0 {
		errs = append(errs, field.Invalid(path.Child("importsToKeep"), *keep, "Illegal ImportsToKeep value: must be 0 or more"))
	}
	if changed(spec.GarbageCollect, old.GarbageCollect) {
		errs = append(errs, oneOf(spec.GarbageCollect, path.Child("garbageCollect"), "Illegal GarbageCollect value",
			cdi.DataImportCronGarbageCollectOutdated, cdi.DataImportCronGarbageCollectNever)...)
	}
	if changed(spec.RetentionPolicy, old.RetentionPolicy) {
		errs = append(errs, oneOf(spec.RetentionPolicy, path.Child("retentionPolicy"), "Illegal RetentionPolicy value",
			cdi.DataImportCronRetainAll, cdi.DataImportCronRetainNone)...)
	}
	if account := spec.ServiceAccountName; changed(account, old.ServiceAccountName) && account != nil {
		errs = append(errs, requiredName(*account, path.Child("serviceAccountName"), "Illegal ServiceAccountName value")...)
	}
	return errs
}

func changed[T comparable](updated, old *T) bool {
	return (updated == nil) != (old == nil) || updated != nil && *updated != *old
}

// oneOf checks an optional value against the ones that exist.
func oneOf[T ~string](value *T, path *field.Path, message string, accepted ...T) field.ErrorList {
	if value == nil || slices.Contains(accepted, *value) {
		return nil
	}
	return field.ErrorList{notSupported(path, string(*value), fmt.Sprintf("%s: accepted are %s", message, join(accepted)))}
}

func validateManagedDataSource(name string, path *field.Path) field.ErrorList {
	switch {
	case name == "":
		return field.ErrorList{field.Required(path, "Illegal ManagedDataSource value: give the name of the DataSource to keep current")}
	case len(name) > cronNameLength:
		return field.ErrorList{field.Invalid(path, shorten(name), tooLong(cronNameLength))}
	}
	return requiredName(name, path, "Illegal ManagedDataSource value")
}

// validateTemplate checks the DataVolume that imports are made from.
func validateTemplate(template *cdi.DataVolume, path *field.Path) field.ErrorList {
	meta := path.Child("metadata")
	errs := metav1validation.ValidateLabels(template.Labels, meta.Child("labels"))
	errs = append(errs, apivalidation.ValidateAnnotations(template.Annotations, meta.Child("annotations"))...)
	spec, path := &template.Spec, path.Child("spec")
	errs = append(errs, validateUnsettable(spec, path)...)
	errs = append(errs, validateTemplateSource(spec.Source, path.Child("source"))...)
	errs = append(errs, validateTarget(spec, path)...)
	return append(errs, validatePodSettings(spec, path)...)
}

func validateUnsettable(spec *cdi.DataVolumeSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"sourceRef", spec.SourceRef != nil},
		{"contentType", spec.ContentType != ""},
		{"checkpoints", len(spec.Checkpoints) > 0},
		{"finalCheckpoint", spec.FinalCheckpoint},
	} {
		if f.set {
			errs = append(errs, field.Forbidden(path.Child(f.name), unsettableFields))
		}
	}
	return errs
}

// validateTemplateSource checks what is polled: an image in a registry, a file on a web
// server, or a claim, whose namespace may be left out if it is the DataImportCron's.
func validateTemplateSource(source *cdi.DataVolumeSource, path *field.Path) field.ErrorList {
	kinds := sourceKinds(source)
	if len(kinds) == 0 {
		return field.ErrorList{field.Required(path, "Missing source: "+cronSources)}
	}
	errs := singleSource(kinds, path)
	for _, kind := range kinds {
		switch kind.name {
		case sourceRegistry:
		case sourceHTTP:
			errs = append(errs, validateFile(source.HTTP, path.Child(sourceHTTP))...)
		case sourcePVC:
			errs = append(errs, validatePolledPVC(source.PVC, path.Child(sourcePVC))...)
			continue
		default:
			// CDI counts none of these as a source.
			errs = append(errs, field.Forbidden(path.Child(kind.name), "Missing source: a DataImportCron cannot poll "+kind.name+": "+cronSources))
		}
		errs = append(errs, faultsOf([]sourceKind{kind}, path)...)
	}
	return errs
}

func validatePolledPVC(pvc *cdi.DataVolumeSourcePVC, path *field.Path) field.ErrorList {
	errs := requiredName(pvc.Name, path.Child("name"), badSourcePVC)
	if pvc.Namespace == "" {
		return errs
	}
	return append(errs, requiredNamespace(pvc.Namespace, path.Child("namespace"), badSourcePVC)...)
}

// unchangedTemplate compares a template part by part, so that the error names what differs.
func unchangedTemplate(updated, old *cdi.DataVolume, path *field.Path) field.ErrorList {
	errs := unchangedSpec(&updated.Spec, &old.Spec, path.Child("spec"), immutableCron)
	if updated.TypeMeta != old.TypeMeta {
		errs = append(errs, field.Invalid(path.Child("kind"), updated.GroupVersionKind().String(), immutableCron))
	}
	if !apiequality.Semantic.DeepEqual(updated.ObjectMeta, old.ObjectMeta) {
		errs = append(errs, field.Invalid(path.Child("metadata"), field.OmitValueType{}, immutableCron))
	}
	if !apiequality.Semantic.DeepEqual(updated.Status, old.Status) {
		errs = append(errs, field.Invalid(path.Child("status"), field.OmitValueType{}, immutableCron))
	}
	return errs
}

func join[T ~string](values []T) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = string(v)
	}
	return strings.Join(words, ", ")
}

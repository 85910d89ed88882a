// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"fmt"

	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"goldenimage.dev/pkg/apis/cdi"
)

const immutableTransfer = "ObjectTransfer spec is immutable: create another ObjectTransfer"

// ValidateObjectTransfer returns what forbids to create an ObjectTransfer.
func ValidateObjectTransfer(transfer *cdi.ObjectTransfer) field.ErrorList {
	errs := apivalidation.ValidateObjectMeta(&transfer.ObjectMeta, false, objectName(validation.DNS1123SubdomainMaxLength), field.NewPath("metadata"))
	spec, path := &transfer.Spec, field.NewPath("spec")
	errs = append(errs, validateTransferSource(&spec.Source, path.Child("source"))...)
	errs = append(errs, validateTransferTarget(spec, path.Child("target"))...)
	if parent := spec.ParentName; parent != nil {
		errs = append(errs, requiredName(*parent, path.Child("parentName"), "name of the ObjectTransfer is not valid")...)
	}
	return errs
}

// ValidateObjectTransferUpdate returns what forbids to replace an ObjectTransfer's spec, of
// which nothing can be changed.
func ValidateObjectTransferUpdate(updated, old *cdi.ObjectTransfer) field.ErrorList {
	return unchanged(field.NewPath("spec"), immutableTransfer,
		part{"source", updated.Spec.Source, old.Spec.Source},
		part{"target", updated.Spec.Target, old.Spec.Target},
		part{"parentName", updated.Spec.ParentName, old.Spec.ParentName},
	)
}

// ValidateObjectTransferStatusUpdate returns what forbids to replace an ObjectTransfer's status.
func ValidateObjectTransferStatusUpdate(updated, old *cdi.ObjectTransfer) field.ErrorList {
	path, status := field.NewPath("status"), &updated.Status
	if !differs(updated.Status, old.Status) {
		return nil
	}
	var errs field.ErrorList
	if status.Phase != cdi.ObjectTransferEmpty {
		errs = append(errs, oneOf(&status.Phase, path.Child("phase"), "Illegal phase",
			cdi.ObjectTransferPending, cdi.ObjectTransferRunning, cdi.ObjectTransferComplete, cdi.ObjectTransferError)...)
	}
	conditions := conditionsOf(status.Conditions, func(c cdi.ObjectTransferCondition) condition {
		return condition{string(c.Type), c.ConditionState}
	})
	return append(errs, validateConditions(conditions, path.Child("conditions"))...)
}

// WarningsForObjectTransfer returns what is legal but odd in an ObjectTransfer that is valid.
func WarningsForObjectTransfer(*cdi.ObjectTransfer) []string {
	return []string{"this server stores ObjectTransfers and does not act on them: clone the volume with a DataVolume in the other namespace, and delete the first one"}
}

func validateTransferSource(source *cdi.TransferSource, path *field.Path) field.ErrorList {
	const accepted = "accepted are DataVolume, PersistentVolumeClaim"
	var errs field.ErrorList
	switch source.Kind {
	case "DataVolume", kindClaim:
	case "":
		errs = append(errs, field.Required(path.Child("kind"), "source is not valid: "+accepted))
	default:
		errs = append(errs, notSupported(path.Child("kind"), source.Kind, fmt.Sprintf("Unsupported kind %q: %s", shorten(source.Kind), accepted)))
	}
	errs = append(errs, requiredNamespace(source.Namespace, path.Child("namespace"), "source is not valid")...)
	return append(errs, requiredName(source.Name, path.Child("name"), "source is not valid")...)
}

// validateTransferTarget checks that an object is moved to where it is not yet.
func validateTransferTarget(spec *cdi.ObjectTransferSpec, path *field.Path) field.ErrorList {
	source, target := &spec.Source, &spec.Target
	if target.Namespace == nil && target.Name == nil {
		return field.ErrorList{field.Required(path, "Target namespace and/or target name must be supplied")}
	}
	var errs field.ErrorList
	namespace, name := source.Namespace, source.Name
	if target.Namespace != nil {
		namespace = *target.Namespace
		errs = append(errs, requiredNamespace(namespace, path.Child("namespace"), "target is not valid")...)
	}
	if target.Name != nil {
		name = *target.Name
		errs = append(errs, requiredName(name, path.Child("name"), "target is not valid")...)
	}
	if len(errs) == 0 && namespace == source.Namespace && name == source.Name {
		errs = append(errs, field.Invalid(path, shorten(namespace+"/"+name), "target is the source itself: give another namespace or name"))
	}
	return errs
}

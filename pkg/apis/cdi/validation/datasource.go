// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"strings"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"goldenimage.dev/pkg/apis/cdi"
)

// ValidateDataSource returns what forbids to create a DataSource. An empty source is legal:
// it is filled in later.
func ValidateDataSource(source *cdi.DataSource) field.ErrorList {
	errs := apivalidation.ValidateObjectMeta(&source.ObjectMeta, true, objectName(validation.DNS1123SubdomainMaxLength), field.NewPath("metadata"))
	return append(errs, validateImageSource(source, field.NewPath("spec", "source"))...)
}

// ValidateDataSourceUpdate returns what forbids to replace a DataSource's spec.
func ValidateDataSourceUpdate(updated, old *cdi.DataSource) field.ErrorList {
	if apiequality.Semantic.DeepEqual(updated.Spec, old.Spec) {
		return nil
	}
	return validateImageSource(updated, field.NewPath("spec", "source"))
}

func validateImageSource(source *cdi.DataSource, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	var kinds []string
	member := func(kind, namespace, name, message string) {
		kinds = append(kinds, kind)
		errs = append(errs, requiredNamespace(namespace, path.Child(kind, "namespace"), message)...)
		errs = append(errs, requiredName(name, path.Child(kind, "name"), message)...)
	}
	spec := source.Spec.Source
	if spec.PVC != nil {
		member("pvc", spec.PVC.Namespace, spec.PVC.Name, "source PVC is not valid")
	}
	if spec.Snapshot != nil {
		member("snapshot", spec.Snapshot.Namespace, spec.Snapshot.Name, "source snapshot is not valid")
	}
	if spec.DataSource != nil {
		member("dataSource", spec.DataSource.Namespace, spec.DataSource.Name, "source DataSource is not valid")
		errs = append(errs, validatePointer(source, path.Child("dataSource"))...)
	}
	if len(kinds) > 1 {
		errs = append(errs, field.Invalid(path, strings.Join(kinds, ", "), "Multiple DataSource sources: give one of pvc, snapshot and dataSource"))
	}
	return errs
}

// validatePointer checks a DataSource that points to another one.
func validatePointer(source *cdi.DataSource, path *field.Path) field.ErrorList {
	target := source.Spec.Source.DataSource
	switch {
	case target.Namespace == "" || target.Name == "":
		return nil
	case target.Namespace != source.Namespace:
		return field.ErrorList{field.Invalid(path.Child("namespace"), shorten(target.Namespace),
			"a DataSource can only point to one in its own namespace: give "+source.Namespace)}
	case target.Name == source.Name:
		return field.ErrorList{field.Invalid(path.Child("name"), shorten(target.Name), "a DataSource cannot point to itself: give another one")}
	}
	return nil
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// maxExponent bounds a quantity such as 1e40, by tens. It is far beyond anything that a
// cluster has.
const maxExponent = 40

// isAbsurd tells whether a quantity has more digits than may be spelled out. To compare
// 1e999999999 with anything takes hours, and as much memory as it has digits: what is absurd
// must be told before it is compared. Its sign can be asked for.
func isAbsurd(quantity resource.Quantity) bool {
	return quantity.AsDec().Scale() < -maxExponent
}

// validateResources checks what pods are given. Limits are for at least what is requested.
func validateResources(resources *corev1.ResourceRequirements, path *field.Path) field.ErrorList {
	if resources == nil {
		return nil
	}
	errs := validateQuantities(resources.Requests, path.Child("requests"))
	errs = append(errs, validateQuantities(resources.Limits, path.Child("limits"))...)
	for _, name := range sortedKeys(resources.Limits) {
		limit, request := resources.Limits[name], resources.Requests[name]
		if limit.Sign() >= 0 && !isAbsurd(limit) && !isAbsurd(request) && limit.Cmp(request) < 0 {
			errs = append(errs, field.Invalid(path.Child("limits").Key(shorten(string(name))), limit.String(), "the limit is below the request, "+request.String()))
		}
	}
	return errs
}

func validateQuantities(list corev1.ResourceList, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, name := range sortedKeys(list) {
		child, quantity := path.Key(shorten(string(name))), list[name]
		errs = append(errs, checked(string(name), child, "name of the resource is not valid", validation.IsQualifiedName(string(name)))...)
		switch {
		case quantity.Sign() < 0:
			errs = append(errs, field.Invalid(child, quantity.String(), "must be 0 or more"))
		case isAbsurd(quantity):
			errs = append(errs, field.Invalid(child, quantity.String(), "is more than any cluster has"))
		}
	}
	return errs
}

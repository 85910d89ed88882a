// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// maxWeight of a preference.
const maxWeight = 100

// validateNodeAffinity checks which nodes pods are to run on, by the rules of pods.
func validateNodeAffinity(affinity *corev1.NodeAffinity, path *field.Path) field.ErrorList {
	if affinity == nil {
		return nil
	}
	var errs field.ErrorList
	if required := affinity.RequiredDuringSchedulingIgnoredDuringExecution; required != nil {
		terms := path.Child("requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms")
		if len(required.NodeSelectorTerms) == 0 {
			errs = append(errs, field.Required(terms, "must have at least one node selector term"))
		}
		for i := range required.NodeSelectorTerms {
			errs = append(errs, validateSelectorTerm(&required.NodeSelectorTerms[i], terms.Index(i))...)
		}
	}
	for i := range affinity.PreferredDuringSchedulingIgnoredDuringExecution {
		term := &affinity.PreferredDuringSchedulingIgnoredDuringExecution[i]
		child := path.Child("preferredDuringSchedulingIgnoredDuringExecution").Index(i)
		if term.Weight <= 0 || term.Weight > maxWeight {
			errs = append(errs, field.Invalid(child.Child("weight"), term.Weight, "weight must be in the range 1-100"))
		}
		errs = append(errs, validateSelectorTerm(&term.Preference, child.Child("preference"))...)
	}
	return errs
}

func validateSelectorTerm(term *corev1.NodeSelectorTerm, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, requirement := range term.MatchExpressions {
		errs = append(errs, validateSelectorRequirement(requirement, path.Child("matchExpressions").Index(i))...)
	}
	for i, requirement := range term.MatchFields {
		child := path.Child("matchFields").Index(i)
		switch requirement.Operator {
		case corev1.NodeSelectorOpIn, corev1.NodeSelectorOpNotIn:
			if len(requirement.Values) != 1 {
				errs = append(errs, field.Required(child.Child("values"), "must be only one value when `operator` is 'In' or 'NotIn'"))
			}
		default:
			errs = append(errs, notSupported(child.Child("operator"), string(requirement.Operator), "not a valid field selector operator: accepted are In, NotIn"))
		}
	}
	return errs
}

func validateSelectorRequirement(requirement corev1.NodeSelectorRequirement, path *field.Path) field.ErrorList {
	values := path.Child("values")
	switch requirement.Operator {
	case corev1.NodeSelectorOpIn, corev1.NodeSelectorOpNotIn:
		if len(requirement.Values) == 0 {
			return field.ErrorList{field.Required(values, "must be specified when `operator` is 'In' or 'NotIn'")}
		}
	case corev1.NodeSelectorOpExists, corev1.NodeSelectorOpDoesNotExist:
		if len(requirement.Values) > 0 {
			return field.ErrorList{field.Forbidden(values, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")}
		}
	case corev1.NodeSelectorOpGt, corev1.NodeSelectorOpLt:
		if len(requirement.Values) != 1 {
			return field.ErrorList{field.Required(values, "must be only one value when `operator` is 'Lt' or 'Gt'")}
		}
	default:
		return field.ErrorList{notSupported(path.Child("operator"), string(requirement.Operator),
			"not a valid selector operator: accepted are In, NotIn, Exists, DoesNotExist, Gt, Lt")}
	}
	return nil
}

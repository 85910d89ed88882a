// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// differs tells whether a part of an object is not what it was. Two ways to write the same
// quantity, and an empty list and none, are the same.
func differs(updated, old any) bool { return !apiequality.Semantic.DeepEqual(updated, old) }

// A part of an object as it shall be and as it is.
type part struct {
	name         string
	updated, old any
}

// unchanged returns an error for each part that differs.
func unchanged(path *field.Path, message string, parts ...part) field.ErrorList {
	var errs field.ErrorList
	for _, p := range parts {
		if differs(p.updated, p.old) {
			// The value may be a large document; its path says enough.
			errs = append(errs, field.Invalid(path.Child(p.name), field.OmitValueType{}, message))
		}
	}
	return errs
}

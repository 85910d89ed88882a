// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// shown is how much of a value an error repeats.
const shown = 256

// objectName checks a name that is a DNS subdomain of a bounded length.
func objectName(limit int) apivalidation.ValidateNameFunc {
	return func(name string, prefix bool) []string {
		// A generateName is cut before it becomes a name.
		if len(name) > limit && !prefix {
			return []string{tooLong(limit)}
		}
		return apivalidation.NameIsDNSSubdomain(name, prefix)
	}
}

func tooLong(limit int) string {
	return fmt.Sprintf("Name cannot be longer than %d characters", limit)
}

// requiredName checks the name of another object. The message tells which one is meant.
func requiredName(name string, path *field.Path, message string) field.ErrorList {
	if name == "" {
		return field.ErrorList{field.Required(path, message+": give a name")}
	}
	return checked(name, path, message, validation.IsDNS1123Subdomain(name))
}

// optionalName checks the name of another object, unless it is empty.
func optionalName(name string, path *field.Path, message string) field.ErrorList {
	if name == "" {
		return nil
	}
	return requiredName(name, path, message)
}

// requiredNamespace checks the namespace of another object.
func requiredNamespace(namespace string, path *field.Path, message string) field.ErrorList {
	if namespace == "" {
		return field.ErrorList{field.Required(path, message+": give a namespace")}
	}
	return checked(namespace, path, message, validation.IsDNS1123Label(namespace))
}

func checked(value string, path *field.Path, message string, faults []string) field.ErrorList {
	var errs field.ErrorList
	for _, fault := range faults {
		errs = append(errs, field.Invalid(path, shorten(value), message+": "+fault))
	}
	return errs
}

// notSupported is field.NotSupported with words of our own.
func notSupported(path *field.Path, value, detail string) *field.Error {
	return &field.Error{Type: field.ErrorTypeNotSupported, Field: path.String(), BadValue: shorten(value), Detail: detail}
}

func shorten(value string) string {
	if len(value) > shown {
		return strings.ToValidUTF8(value[:shown], "") + "…"
	}
	return value
}

// sortedKeys returns the keys of a map in an order that is always the same.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

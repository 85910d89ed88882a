// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package strategy

import (
	"reflect"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// lastYear is the last one that a time in JSON can be in.
const lastYear = 9999

// validateTimes refuses times that can be read and, once they are in UTC, not be written: a
// year has four digits in JSON. An object with such a time could be stored and never be read
// again, nor any list with it, nor be deleted. Anybody can send one, in the metadata of a
// template, in managedFields and in a status.
func validateTimes(object any) field.ErrorList {
	var errs field.ErrorList
	walkTimes(reflect.ValueOf(object), nil, func(at time.Time, path *field.Path) {
		if year := at.UTC().Year(); year < 0 || year > lastYear {
			errs = append(errs, field.Invalid(path, at.Format(time.RFC3339), "time is not valid: accepted are the years 0000 to 9999 in UTC"))
		}
	})
	return errs
}

// walkTimes calls visit for each time in a value.
func walkTimes(value reflect.Value, path *field.Path, visit func(time.Time, *field.Path)) {
	switch value.Kind() {
	case reflect.Pointer:
		if !value.IsNil() {
			walkTimes(value.Elem(), path, visit)
		}
	case reflect.Slice:
		if value.Type().Elem().Kind() == reflect.Uint8 {
			return // what managedFields hold, a byte at a time
		}
		for i := range value.Len() {
			walkTimes(value.Index(i), path.Index(i), visit)
		}
	case reflect.Struct:
		if at, ok := reflect.TypeAssert[metav1.Time](value); ok {
			visit(at.Time, path)
			return
		}
		for member, below := range value.Fields() {
			if member.IsExported() {
				walkTimes(below, pathOf(member, path), visit)
			}
		}
	default: // Nothing else holds a time.
	}
}

// pathOf returns the JSON path of a field. Internal types have no JSON names; theirs are the
// names in Go with a small letter in front.
func pathOf(member reflect.StructField, path *field.Path) *field.Path {
	name, _, _ := strings.Cut(member.Tag.Get("json"), ",")
	switch {
	case member.Type == reflect.TypeFor[metav1.ObjectMeta]():
		name = "metadata"
	case member.Anonymous:
		return path
	case name == "":
		name = strings.ToLower(member.Name[:1]) + member.Name[1:]
	}
	if path == nil {
		return field.NewPath(name)
	}
	return path.Child(name)
}

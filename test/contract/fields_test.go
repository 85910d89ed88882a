// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	cdi "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// additive are the fields that our documents have and those of v1.64.0 of CDI's API do not.
// All are optional. The value says where a field comes from.
func additive() map[string]string {
	const ours, newer = "ours", "CDI's, newer than v1.64.0"
	fields := map[string]string{
		"DataImportCron.status.nextPoll":                        ours,
		"DataImportCron.status.lastPoll":                        ours,
		"DataImportCron.status.triggerRequest":                  ours,
		"DataImportCron.status.lastTrigger":                     ours,
		"DataImportCron.status.conditions[].observedGeneration": ours,
		"DataSource.status.conditions[].observedGeneration":     ours,
	}
	// A DataVolume stands alone and as a template.
	for _, volume := range []string{"DataVolume.", "DataImportCron.spec.template."} {
		maps.Copy(fields, map[string]string{
			volume + "status.conditions[].observedGeneration": ours,
			volume + "spec.serviceAccountName":                newer,
			volume + "spec.source.http.checksum":              newer,
			volume + "spec.source.http.insecureSkipVerify":    newer,
			volume + "spec.source.vddk.certConfigMap":         newer,
		})
	}
	return fields
}

// A kind is a type of theirs with ours.
type kind struct{ theirs, ours reflect.Type }

func kinds() map[string]kind {
	return map[string]kind{
		"DataImportCron": {reflect.TypeFor[cdi.DataImportCron](), reflect.TypeFor[v1beta1.DataImportCron]()},
		"DataSource":     {reflect.TypeFor[cdi.DataSource](), reflect.TypeFor[v1beta1.DataSource]()},
		"DataVolume":     {reflect.TypeFor[cdi.DataVolume](), reflect.TypeFor[v1beta1.DataVolume]()},
	}
}

func TestFieldsAreTheSameButForTheTable(t *testing.T) {
	var missing []string
	got := map[string]bool{}
	for name, kind := range kinds() {
		theirs, ours := fieldsOf(name, kind.theirs), fieldsOf(name, kind.ours)
		for path, shape := range theirs {
			if ours[path] != shape {
				missing = append(missing, path+" is "+shape+", ours "+ours[path])
			}
		}
		for path := range ours {
			if _, known := theirs[path]; !known {
				got[path] = true
			}
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		t.Errorf("fields that differ or are missing:\n%s", strings.Join(missing, "\n"))
	}
	// Of a field that is additive, what lies below is too.
	maps.DeleteFunc(got, func(path string, _ bool) bool {
		parent := path[:strings.LastIndexByte(path, '.')]
		return got[parent]
	})
	if diff := cmp.Diff(slices.Sorted(maps.Keys(additive())), slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("additive fields (-table +types):\n%s", diff)
	}
}

// fieldsOf returns the JSON paths below a type, each with the kind of value that it holds.
func fieldsOf(path string, typ reflect.Type) map[string]string {
	fields := map[string]string{}
	walk(path, typ, fields)
	return fields
}

func walk(path string, typ reflect.Type, fields map[string]string) {
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		if typ.Kind() == reflect.Slice {
			path += "[]"
		}
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || !isCDI(typ) {
		return
	}
	for field := range typ.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" && strings.Contains(options, "inline") {
			walk(path, field.Type, fields)
			continue
		}
		child := path + "." + name
		fields[child] = shapeOf(field.Type)
		walk(child, field.Type, fields)
	}
}

// isCDI tells whether a type is of one of the two sides, and not Kubernetes' own.
func isCDI(typ reflect.Type) bool {
	return strings.HasPrefix(typ.PkgPath(), "goldenimage.dev/") || strings.HasPrefix(typ.PkgPath(), "kubevirt.io/")
}

// shapeOf describes a type so that two are the same if they have the same JSON: by kind, or by
// name if both sides share the type.
func shapeOf(typ reflect.Type) string {
	if typ.Kind() == reflect.Pointer {
		return "*" + shapeOf(typ.Elem())
	}
	if typ.Kind() == reflect.Slice {
		return "[]" + shapeOf(typ.Elem())
	}
	if typ.PkgPath() == "" || isCDI(typ) {
		return typ.Kind().String()
	}
	return typ.String()
}

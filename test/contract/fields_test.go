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
		"DataImportCron.spec.suspend":          ours,
		"DataImportCron.status.nextPoll":       ours,
		"DataImportCron.status.lastPoll":       ours,
		"DataImportCron.status.triggerRequest": ours,
		"DataImportCron.status.lastTrigger":    ours,
		"DataImportCron.status.recentTriggers": ours,
		"DataImportCron.status.source":         ours,
		"StorageProfile.status.conditions":     newer,
		"CDIConfig.spec.webhookPvcRendering":   newer,
		// The specification of a CDIConfig is in a CDI too.
		"CDI.spec.config.webhookPvcRendering":                    newer,
		"VolumeImportSource.spec.source.http.checksum":           newer,
		"VolumeImportSource.spec.source.http.insecureSkipVerify": newer,
		"VolumeImportSource.spec.source.vddk.certConfigMap":      newer,
	}
	for _, kind := range []string{"DataImportCron", "DataSource", "CDI", "ObjectTransfer"} {
		fields[kind+".status.conditions[].observedGeneration"] = ours
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
	// What an object has more, the items of a list have.
	for path, origin := range maps.Clone(fields) {
		kind, below, _ := strings.Cut(path, ".")
		fields[kind+"List.items[]."+below] = origin
	}
	return fields
}

// TestKindsAreTheSameButForTheTrigger holds the kinds of both sides against each other.
func TestKindsAreTheSameButForTheTrigger(t *testing.T) {
	theirs, ours := typesOf(t, cdi.AddToScheme, cdi.SchemeGroupVersion), typesOf(t, v1beta1.AddToScheme, v1beta1.SchemeGroupVersion)
	want := append(slices.Collect(maps.Keys(theirs)), "DataImportCronTrigger")
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(ours))); diff != "" {
		t.Errorf("kinds (-theirs +ours):\n%s", diff)
	}
	if cdi.SchemeGroupVersion != v1beta1.SchemeGroupVersion {
		t.Errorf("their version is %s, ours %s", cdi.SchemeGroupVersion, v1beta1.SchemeGroupVersion)
	}
}

func TestFieldsAreTheSameButForTheTable(t *testing.T) {
	var missing []string
	got := map[string]bool{}
	for name, kind := range kinds(t) {
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
	found := maps.Clone(got)
	maps.DeleteFunc(got, func(path string, _ bool) bool {
		parent := path[:strings.LastIndexByte(path, '.')]
		return found[strings.TrimRight(parent, "[]{}")]
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
	for isContainer(typ) {
		if typ.Kind() == reflect.Slice {
			path += "[]"
		}
		if typ.Kind() == reflect.Map {
			path += "{}"
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

// isContainer tells whether a type has its content in an element.
func isContainer(typ reflect.Type) bool {
	return typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice || typ.Kind() == reflect.Map
}

// isCDI tells whether a type is of one of the two sides, and not Kubernetes' own. Their status
// of an installation is from modules that their operators share.
func isCDI(typ reflect.Type) bool {
	return slices.ContainsFunc([]string{"goldenimage.dev/", "kubevirt.io/", "github.com/openshift/custom-resource-status/"}, func(module string) bool {
		return strings.HasPrefix(typ.PkgPath(), module)
	})
}

// shapeOf describes a type so that two are the same if they have the same JSON: by kind, or by
// name if both sides share the type.
func shapeOf(typ reflect.Type) string {
	switch {
	case typ.Kind() == reflect.Pointer:
		return "*" + shapeOf(typ.Elem())
	case typ.PkgPath() != "" && !isCDI(typ):
		return typ.String()
	case typ.Kind() == reflect.Slice:
		return "[]" + shapeOf(typ.Elem())
	case typ.Kind() == reflect.Map:
		return "map[" + shapeOf(typ.Key()) + "]" + shapeOf(typ.Elem())
	}
	return typ.Kind().String()
}

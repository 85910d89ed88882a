// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// testDocument is an OpenAPI document with two kinds of the same name, and one that contains
// itself.
const testDocument = `{"components": {"schemas": {
	"other.Disk": {"type": "object", "x-kubernetes-group-version-kind": [{"group": "other", "version": "v1", "kind": "Disk"}]},
	"Disk": {
		"description": "A disk.", "type": "object", "required": ["spec"],
		"x-kubernetes-group-version-kind": [{"group": "g", "version": "v1", "kind": "Disk"}],
		"properties": {
			"kind": {"type": "string", "description": "The kind."},
			"metadata": {"allOf": [{"$ref": "#/components/schemas/Meta"}], "default": {}},
			"spec": {"allOf": [{"$ref": "#/components/schemas/Spec"}], "default": {}, "description": "What is wanted."}
		}
	},
	"Meta": {"type": "object", "properties": {"name": {"type": "string"}}},
	"Spec": {"type": "object", "properties": {
		"size": {"$ref": "#/components/schemas/Quantity"},
		"mode": {"type": "string", "enum": ["a", "b"], "default": "a"},
		"steps": {"type": "array", "items": {"$ref": "#/components/schemas/Step"}, "x-kubernetes-list-type": "atomic"},
		"labels": {"type": "object", "additionalProperties": {"type": "string", "default": ""}}
	}},
	"Step": {"type": "object", "properties": {"n": {"type": "integer", "format": "int32"}}},
	"Quantity": {"oneOf": [{"type": "string"}, {"type": "number"}]},
	"Loop": {
		"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Loop"}},
		"x-kubernetes-group-version-kind": [{"group": "g", "version": "v1", "kind": "Loop"}]
	},
	"Lost": {
		"type": "object", "properties": {"part": {"$ref": "#/components/schemas/Nowhere"}},
		"x-kubernetes-group-version-kind": [{"group": "g", "version": "v1", "kind": "Lost"}]
	}
}}}`

func TestStructuralSchemaStandsAlone(t *testing.T) {
	got, err := structural([]byte(testDocument), "g", "v1", "Disk")
	if err != nil {
		t.Fatal(err)
	}
	text := map[string]any{"type": "string"}
	want := map[string]any{
		"type": "object", "required": []any{"spec"},
		"properties": map[string]any{
			"kind":     text,
			"metadata": map[string]any{"type": "object"},
			"spec": map[string]any{"type": "object", "properties": map[string]any{
				"size": map[string]any{"x-kubernetes-int-or-string": true},
				"mode": map[string]any{"type": "string", "enum": []any{"a", "b"}},
				"steps": map[string]any{
					"type": "array", "x-kubernetes-list-type": "atomic",
					"items": map[string]any{"type": "object", "properties": map[string]any{
						"n": map[string]any{"type": "integer", "format": "int32"},
					}},
				},
				"labels": map[string]any{"type": "object", "additionalProperties": text},
			}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("schema (-want +got):\n%s", diff)
	}
}

func TestStructuralRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		document, kind, want string
	}{
		"what is no document":              {"{", "Disk", "read the OpenAPI document"},
		"a kind that is not there":         {testDocument, "Tape", "no schema of g/v1 Tape"},
		"a schema that contains itself":    {testDocument, "Loop", "Loop contains itself"},
		"a schema that refers to nothing":  {testDocument, "Lost", "no schema is named Nowhere"},
		"a schema in another document":     {strings.ReplaceAll(testDocument, "#/components", "other.json#/components"), "Disk", "elsewhere"},
		"more than one schema in an allOf": {strings.ReplaceAll(testDocument, `"allOf": [`, `"allOf": [{}, `), "Disk", "allOf has 2"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := structural([]byte(test.document), "g", "v1", test.kind)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error = %v, want %s", err, test.want)
			}
		})
	}
}

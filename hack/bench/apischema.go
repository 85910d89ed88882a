// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// document is the part of an OpenAPI v3 document that schemas are in.
type document struct {
	Components struct {
		Schemas map[string]map[string]any `json:"schemas"`
	} `json:"components"`
}

// refPrefix is how a schema names another one of its document.
const refPrefix = "#/components/schemas/"

// Words of OpenAPI.
const (
	wordType       = "type"
	wordObject     = "object"
	wordProperties = "properties"
	wordItems      = "items"
	wordAdditional = "additionalProperties"
	wordRequired   = "required"
)

// kept are the words that a custom resource's schema has the same meaning for. Descriptions are
// left out: they take memory, and validate nothing. So are defaults, which are all empty objects.
var kept = []string{
	wordType, "format", wordRequired, "enum", "nullable", "pattern", "minLength", "maxLength", "minimum", "maximum",
	"x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type", "x-kubernetes-preserve-unknown-fields",
}

// structural returns the schema of a kind as a CustomResourceDefinition wants it: in one piece,
// and silent about the metadata.
func structural(content []byte, group, version, kind string) (map[string]any, error) {
	var doc document
	if err := json.Unmarshal(content, &doc); err != nil {
		return nil, fmt.Errorf("read the OpenAPI document: %w", err)
	}
	want := map[string]any{"group": group, "version": version, "kind": kind}
	for _, schema := range doc.Components.Schemas {
		kinds, _ := schema["x-kubernetes-group-version-kind"].([]any)
		if len(kinds) != 1 {
			continue // what is of many kinds is of none in particular
		}
		if of, ok := kinds[0].(map[string]any); !ok || !maps.Equal(of, want) {
			continue
		}
		inlined, err := doc.inline(schema, nil)
		if err != nil {
			return nil, fmt.Errorf("inline the schema of %s: %w", kind, err)
		}
		if properties, ok := inlined[wordProperties].(map[string]any); ok {
			properties["metadata"] = map[string]any{wordType: wordObject}
		}
		return inlined, nil
	}
	return nil, fmt.Errorf("the OpenAPI document has no schema of %s/%s %s", group, version, kind)
}

// inline returns a copy of a schema in which those that it refers to stand where it does. trail
// are the names of those that it stands in itself.
func (d document) inline(schema map[string]any, trail []string) (map[string]any, error) {
	name, err := target(schema)
	if err != nil {
		return nil, err
	}
	if name != "" {
		if slices.Contains(trail, name) {
			return nil, fmt.Errorf("%s contains itself", name)
		}
		found, ok := d.Components.Schemas[name]
		if !ok {
			return nil, fmt.Errorf("no schema is named %s", name)
		}
		return d.inline(found, append(slices.Clip(trail), name))
	}
	if _, ok := schema["oneOf"]; ok { // a quantity, which is the only one of more than one type
		return map[string]any{"x-kubernetes-int-or-string": true}, nil
	}
	inlined := map[string]any{}
	for _, word := range kept {
		if value, ok := schema[word]; ok {
			inlined[word] = value
		}
	}
	for _, word := range []string{wordItems, wordAdditional} {
		if part, ok := schema[word].(map[string]any); ok {
			if inlined[word], err = d.inline(part, trail); err != nil {
				return nil, err
			}
		}
	}
	if properties, ok := schema[wordProperties].(map[string]any); ok {
		if inlined[wordProperties], err = d.inlineAll(properties, trail); err != nil {
			return nil, err
		}
	}
	return inlined, nil
}

func (d document) inlineAll(properties map[string]any, trail []string) (map[string]any, error) {
	inlined := make(map[string]any, len(properties))
	for name, property := range properties {
		schema, ok := property.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s is not a schema", name)
		}
		var err error
		if inlined[name], err = d.inline(schema, trail); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return inlined, nil
}

// target returns the name of the schema that one refers to, by itself or beside a description.
func target(schema map[string]any) (string, error) {
	if all, ok := schema["allOf"].([]any); ok {
		if len(all) != 1 {
			return "", fmt.Errorf("allOf has %d schemas, not one", len(all))
		}
		if schema, ok = all[0].(map[string]any); !ok {
			return "", fmt.Errorf("allOf holds %T", all[0])
		}
	}
	ref, ok := schema["$ref"].(string)
	if !ok {
		return "", nil
	}
	name, ok := strings.CutPrefix(ref, refPrefix)
	if !ok {
		return "", fmt.Errorf("a schema is elsewhere: %s", ref)
	}
	return name, nil
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package openapi

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/kube-openapi/pkg/validation/spec"
)

// types writes our types in full, and names the others.
func types(schemas map[string]*spec.Schema, out *strings.Builder) {
	var others []string
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		schema := schemas[name]
		if !strings.HasPrefix(name, ours) {
			others = append(others, name)
			continue
		}
		fmt.Fprintf(out, "\n%s%s\n", short(name), kinds(schema))
		fmt.Fprintf(out, "    %s\n", sentence(schema.Description))
		if len(schema.Properties) == 0 {
			fmt.Fprintf(out, "  is %s\n", typeOf(schema))
		}
		for _, field := range slices.Sorted(maps.Keys(schema.Properties)) {
			property := schema.Properties[field]
			star := ""
			if slices.Contains(schema.Required, field) {
				star = "*"
			}
			fmt.Fprintf(out, "  %s%s: %s\n", field, star, strings.Join(append([]string{typeOf(&property)}, notes(&property)...), ", "))
			if field != "apiVersion" && field != "kind" { // the same of all kinds, and the library's
				fmt.Fprintf(out, "      %s\n", sentence(property.Description))
			}
		}
	}
	fmt.Fprintf(out, "\n## Types of libraries\n\n  %s\n", strings.Join(others, "\n  "))
}

// short is a name without what is the same for all types of its place.
func short(name string) string {
	if name, ok := strings.CutPrefix(name, ours+"cdi.v1beta1."); ok {
		return name
	}
	for _, prefix := range []string{"io.k8s.apimachinery.pkg.apis.", "io.k8s.apimachinery.pkg.api.", "io.k8s.apimachinery.pkg.", "io.k8s.api."} {
		if name, ok := strings.CutPrefix(name, prefix); ok {
			return name
		}
	}
	return name
}

// kinds tells which kinds of objects have the schema.
func kinds(schema *spec.Schema) string {
	list, _ := schema.Extensions["x-kubernetes-group-version-kind"].([]any)
	text := ""
	for _, entry := range list {
		kind, _ := entry.(map[string]any)
		text += fmt.Sprintf(", kind %v of %v/%v", kind["kind"], kind["group"], kind["version"])
	}
	return text
}

// sentence is a description in one line, without the values that are in the type.
func sentence(description string) string {
	description, _, _ = strings.Cut(description, "\n\nPossible enum values:")
	return strings.Join(strings.Fields(description), " ")
}

func typeOf(schema *spec.Schema) string {
	switch {
	case schema == nil:
		return "anything"
	case schema.Ref.String() != "":
		return short(strings.TrimPrefix(schema.Ref.String(), refs))
	case len(schema.AllOf) == 1:
		return typeOf(&schema.AllOf[0])
	case len(schema.OneOf) > 0:
		return alternatives(schema.OneOf)
	case len(schema.AnyOf) > 0:
		return alternatives(schema.AnyOf)
	case len(schema.Enum) > 0:
		var values []string
		for _, value := range schema.Enum {
			values = append(values, fmt.Sprintf("%q", value))
		}
		return strings.Join(values, " | ")
	case schema.Type.Contains("array") && schema.Items != nil:
		return "list of " + typeOf(schema.Items.Schema)
	case schema.AdditionalProperties != nil:
		return "map to " + typeOf(schema.AdditionalProperties.Schema)
	default:
		return cmp.Or(schema.Format, strings.Join(schema.Type, " | "), "anything")
	}
}

func alternatives(schemas []spec.Schema) string {
	var all []string
	for i := range schemas {
		all = append(all, typeOf(&schemas[i]))
	}
	return strings.Join(all, " | ")
}

// notes are what there is to say of a field beside its type: how lists are merged, and what is
// there if nothing is given.
func notes(schema *spec.Schema) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(schema.Extensions)) {
		if short, ok := strings.CutPrefix(name, "x-kubernetes-"); ok {
			all = append(all, fmt.Sprintf("%s %v", short, schema.Extensions[name]))
		}
	}
	if schema.Nullable {
		all = append(all, "or null")
	}
	if schema.Default != nil && schema.Default != "" && fmt.Sprint(schema.Default) != "map[]" {
		all = append(all, fmt.Sprintf("by default %v", schema.Default))
	}
	return all
}

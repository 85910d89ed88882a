// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"k8s.io/kube-openapi/pkg/common"
	"k8s.io/kube-openapi/pkg/validation/spec"

	"goldenimage.dev/pkg/generated/openapi"
)

func main() {
	if err := write(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "applyschema:", err)
		os.Exit(1)
	}
}

// Our types are models of the first name. The generator looks for them by their Go package.
const models, packages = "dev.goldenimage.cdi.", "dev.goldenimage.pkg.apis.cdi."

// write writes the document.
func write(to io.Writer) error {
	definitions := spec.Definitions{}
	rename := func(name string) string { return strings.Replace(name, models, packages, 1) }
	ref := func(name string) spec.Ref { return spec.MustCreateRef("#/definitions/" + rename(name)) }
	for name, definition := range openapi.GetOpenAPIDefinitions(ref) {
		schema := definition.Schema
		if v2, ok := schema.Extensions[common.ExtensionV2Schema].(spec.Schema); ok {
			schema = v2
		}
		definitions[rename(name)] = schema
	}
	return json.NewEncoder(to).Encode(spec.Swagger{SwaggerProps: spec.SwaggerProps{
		Swagger:     "2.0",
		Info:        &spec.Info{InfoProps: spec.InfoProps{Title: "Golden Image", Version: "v1beta1"}},
		Paths:       &spec.Paths{},
		Definitions: definitions,
	}})
}

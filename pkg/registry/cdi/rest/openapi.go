// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/kube-openapi/pkg/spec3"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

// anyType is what the machinery says that bodies are.
const anyType = "*/*"

// bodyTypes are what they can be.
func bodyTypes() []string {
	return []string{runtime.ContentTypeJSON, runtime.ContentTypeYAML}
}

// MediaTypesV2 makes an OpenAPI v2 document say in which forms bodies are taken and given, so
// that generators of clients need not guess: JSON and YAML, and not the protocol buffers that
// are there for metadata alone, as WithProtobufForMetadata says.
func MediaTypesV2(document *spec.Swagger) (*spec.Swagger, error) {
	for _, path := range document.Paths.Paths {
		for _, operation := range []*spec.Operation{path.Get, path.Put, path.Post, path.Delete, path.Options, path.Head, path.Patch} {
			if operation == nil {
				continue
			}
			// The lists are those that requests are routed by: they are copied.
			operation.Consumes = slices.DeleteFunc(slices.Clone(operation.Consumes), isProtobuf)
			operation.Produces = slices.DeleteFunc(slices.Clone(operation.Produces), isProtobuf)
			if slices.Equal(operation.Consumes, []string{anyType}) && hasBody(operation) {
				operation.Consumes = bodyTypes()
			}
		}
	}
	return document, nil
}

func hasBody(operation *spec.Operation) bool {
	return slices.ContainsFunc(operation.Parameters, func(p spec.Parameter) bool { return p.In == "body" })
}

// MediaTypesV3 does the same to an OpenAPI v3 document, and says that the body of a trigger may
// be left out.
func MediaTypesV3(document *spec3.OpenAPI) (*spec3.OpenAPI, error) {
	for name, path := range document.Paths.Paths {
		for _, operation := range []*spec3.Operation{path.Get, path.Put, path.Post, path.Delete, path.Options, path.Head, path.Patch} {
			if operation == nil {
				continue
			}
			if body := operation.RequestBody; body != nil {
				withBodyTypes(body.Content)
				body.Required = body.Required && !strings.HasSuffix(name, "/dataimportcrons/{name}/trigger")
			}
			if operation.Responses == nil {
				continue
			}
			for _, response := range operation.Responses.StatusCodeResponses {
				withoutProtobuf(response.Content)
			}
		}
	}
	return document, nil
}

func withBodyTypes(content map[string]*spec3.MediaType) {
	withoutProtobuf(content)
	if of, ok := content[anyType]; ok {
		delete(content, anyType)
		for _, name := range bodyTypes() {
			content[name] = of
		}
	}
}

func withoutProtobuf(content map[string]*spec3.MediaType) {
	for name := range content {
		if isProtobuf(name) {
			delete(content, name)
		}
	}
}

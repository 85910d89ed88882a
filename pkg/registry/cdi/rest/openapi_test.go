// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"k8s.io/kube-openapi/pkg/spec3"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

const protobufType = "application/vnd.kubernetes.protobuf"

func TestMediaTypesV2(t *testing.T) {
	body := []spec.Parameter{{ParamProps: spec.ParamProps{Name: "body", In: "body"}}}
	for name, test := range map[string]struct {
		consumes, want []string
		parameters     []spec.Parameter
	}{
		"a body is JSON or YAML":              {[]string{"*/*"}, []string{"application/json", "application/yaml"}, body},
		"a patch is what it is":               {[]string{"application/json-patch+json"}, []string{"application/json-patch+json"}, body},
		"a request without a body is as ever": {[]string{"*/*"}, []string{"*/*"}, nil},
		"nothing is in protocol buffers":      {[]string{"application/json", protobufType}, []string{"application/json"}, body},
	} {
		t.Run(name, func(t *testing.T) {
			routed := []string{"application/json", protobufType, "application/json;stream=watch", protobufType + ";stream=watch"}
			produces := slices.Clone(routed)
			operation := &spec.Operation{OperationProps: spec.OperationProps{Consumes: test.consumes, Produces: produces, Parameters: test.parameters}}
			document := &spec.Swagger{SwaggerProps: spec.SwaggerProps{Paths: &spec.Paths{Paths: map[string]spec.PathItem{
				"/x": {PathItemProps: spec.PathItemProps{Post: operation}},
			}}}}
			if _, err := MediaTypesV2(document); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, operation.Consumes); diff != "" {
				t.Errorf("consumes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"application/json", "application/json;stream=watch"}, operation.Produces); diff != "" {
				t.Errorf("produces (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(routed, produces); diff != "" {
				t.Errorf("the list of the route was changed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMediaTypesV3(t *testing.T) {
	content := func(names ...string) map[string]*spec3.MediaType {
		types := map[string]*spec3.MediaType{}
		for _, name := range names {
			types[name] = &spec3.MediaType{}
		}
		return types
	}
	for name, test := range map[string]struct {
		path     string
		required bool
	}{
		"the body of an object is required":      {"/apis/x/namespaces/{namespace}/dataimportcrons", true},
		"the body of a trigger may be left out":  {"/apis/x/namespaces/{namespace}/dataimportcrons/{name}/trigger", false},
		"another kind's trigger is not known of": {"/apis/x/namespaces/{namespace}/datasources/{name}/trigger", true},
	} {
		t.Run(name, func(t *testing.T) {
			body := &spec3.RequestBody{RequestBodyProps: spec3.RequestBodyProps{Required: true, Content: content("*/*")}}
			response := &spec3.Response{ResponseProps: spec3.ResponseProps{Content: content("application/json", protobufType)}}
			document := &spec3.OpenAPI{Paths: &spec3.Paths{Paths: map[string]*spec3.Path{test.path: {PathProps: spec3.PathProps{
				Get: &spec3.Operation{},
				Post: &spec3.Operation{OperationProps: spec3.OperationProps{RequestBody: body, Responses: &spec3.Responses{
					ResponsesProps: spec3.ResponsesProps{StatusCodeResponses: map[int]*spec3.Response{201: response}},
				}}},
			}}}}}
			if _, err := MediaTypesV3(document); err != nil {
				t.Fatal(err)
			}
			got := map[string][]string{"body": slices.Sorted(maps.Keys(body.Content)), "answer": slices.Sorted(maps.Keys(response.Content))}
			want := map[string][]string{"body": {"application/json", "application/yaml"}, "answer": {"application/json"}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("media types (-want +got):\n%s", diff)
			}
			if body.Required != test.required {
				t.Errorf("the body is required: %t", body.Required)
			}
		})
	}
}

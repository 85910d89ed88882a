// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package openapi

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"k8s.io/kube-openapi/pkg/spec3"
)

var update = flag.Bool("update", false, "write the golden file anew")

func TestDocument(t *testing.T) {
	document := fetch(t)
	for name, test := range map[string]func(*testing.T, *spec3.OpenAPI){
		"the document is the reviewed one":                  testGolden,
		"every type of ours and every field has a sentence": testDescriptions,
		"no body is left to be guessed at":                  testBodies,
	} {
		t.Run(name, func(t *testing.T) { test(t, document) })
	}
}

func testGolden(t *testing.T, document *spec3.OpenAPI) {
	got := render(document)
	file := filepath.Join("testdata", "openapi.txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("the document is not that of %s; look at each line, and if all is meant, run this test with -update (-want +got):\n%s", file, diff)
	}
}

func testDescriptions(t *testing.T, document *spec3.OpenAPI) {
	found := 0
	for name, schema := range document.Components.Schemas {
		if !strings.HasPrefix(name, ours) {
			continue
		}
		found++
		if schema.Description == "" {
			t.Errorf("%s has no description", name)
		}
		for field, property := range schema.Properties {
			if property.Description == "" {
				t.Errorf("%s of %s has no description", field, name)
			}
		}
	}
	if found == 0 {
		t.Errorf("no schema begins with %s", ours)
	}
}

// testBodies looks at what generators make types and headers from.
func testBodies(t *testing.T, document *spec3.OpenAPI) {
	known := []string{
		"application/json", "application/yaml", "application/json;stream=watch",
		"application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml",
	}
	check := func(what string, content map[string]*spec3.MediaType) {
		if len(content) == 0 {
			t.Errorf("%s has no media type", what)
		}
		for name, of := range content {
			if !slices.Contains(known, name) {
				t.Errorf("%s is of media type %q, want one of %q", what, name, known)
			}
			if of.Schema == nil || of.Schema.Ref.String() == "" {
				t.Errorf("%s as %s has no schema with a name", what, name)
			}
		}
	}
	for _, o := range operations(document) {
		where := o.method + " " + o.path
		if o.RequestBody != nil {
			check("the body of "+where, o.RequestBody.Content)
		}
		for code, response := range o.Responses.StatusCodeResponses {
			if code < 300 {
				check("the answer to "+where, response.Content)
			}
		}
	}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package openapi

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"k8s.io/kube-openapi/pkg/spec3"
)

const (
	prefix = "/apis/cdi.kubevirt.io/v1beta1"
	ours   = "dev.goldenimage."
	refs   = "#/components/schemas/"
)

// An operation is a method of a path.
type operation struct {
	path, method string
	*spec3.Operation
	// query are the parameters, those of the path included.
	query []string
}

// operations returns those of a document by path, and in each as people think of them.
func operations(document *spec3.OpenAPI) []operation {
	var all []operation
	for _, path := range slices.Sorted(maps.Keys(document.Paths.Paths)) {
		item := document.Paths.Paths[path]
		for _, o := range []operation{
			{method: "GET", Operation: item.Get}, {method: "HEAD", Operation: item.Head}, {method: "POST", Operation: item.Post},
			{method: "PUT", Operation: item.Put}, {method: "PATCH", Operation: item.Patch}, {method: "DELETE", Operation: item.Delete},
			{method: "OPTIONS", Operation: item.Options},
		} {
			if o.Operation == nil {
				continue
			}
			o.path = path
			for _, p := range slices.Concat(item.Parameters, o.Parameters) {
				if p.In == "query" {
					o.query = append(o.query, p.Name)
				}
			}
			slices.Sort(o.query)
			all = append(all, o)
		}
	}
	return all
}

// A legend gives short names to lists that come again and again, in the order of their first
// use.
type legend struct {
	letter string
	lists  []string
}

func (l *legend) name(list []string) string {
	if len(list) == 0 {
		return ""
	}
	text := strings.Join(list, " ")
	at := slices.Index(l.lists, text)
	if at < 0 {
		at = len(l.lists)
		l.lists = append(l.lists, text)
	}
	return fmt.Sprintf("%s%d", l.letter, at+1)
}

func (l *legend) print(out *strings.Builder, title string) {
	fmt.Fprintf(out, "\n%s\n\n", title)
	for i, list := range l.lists {
		fmt.Fprintf(out, "  %s%d  %s\n", l.letter, i+1, list)
	}
}

// render writes a document for people: what is said in many places is said once, and what
// changes with each build is left out.
func render(document *spec3.OpenAPI) string {
	out := &strings.Builder{}
	fmt.Fprintf(out, `# The OpenAPI v3 document of %s

## Operations

Paths are below %s. mN is a list of media types, qN one of
query parameters; both are below. A body with a question mark may be left out.

`, strings.TrimPrefix(prefix, "/apis/"), prefix)
	media, query := &legend{letter: "m"}, &legend{letter: "q"}
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	for _, o := range operations(document) {
		line := []string{
			cmp.Or(strings.TrimPrefix(o.path, prefix), "/"), o.method, query.name(o.query), "<- " + body(o.Operation, media),
			"-> " + answers(o.Operation, media), o.OperationId,
		}
		_, _ = fmt.Fprintln(table, strings.Join(line, "\t")) // a strings.Builder takes all
	}
	_ = table.Flush()
	media.print(out, "## Media types")
	query.print(out, "## Query parameters")
	out.WriteString("\n## Types\n\nA field with a star has to be there.\n")
	types(document.Components.Schemas, out)
	return out.String()
}

func body(o *spec3.Operation, media *legend) string {
	if o.RequestBody == nil {
		return "nothing"
	}
	text := content(o.RequestBody.Content, media)
	if !o.RequestBody.Required {
		text += "?"
	}
	return text
}

// answers puts together those that differ in their codes alone.
func answers(o *spec3.Operation, media *legend) string {
	codes := map[string][]string{}
	for _, code := range slices.Sorted(maps.Keys(o.Responses.StatusCodeResponses)) {
		text := content(o.Responses.StatusCodeResponses[code].Content, media)
		codes[text] = append(codes[text], fmt.Sprint(code))
	}
	var all []string
	for text, of := range codes {
		all = append(all, strings.Join(of, ",")+" "+text)
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

// content is the type of a body and its media types; types that differ by media type are all
// there.
func content(of map[string]*spec3.MediaType, media *legend) string {
	forms := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(of)) {
		t := typeOf(of[name].Schema)
		forms[t] = append(forms[t], name)
	}
	var all []string
	for _, t := range slices.Sorted(maps.Keys(forms)) {
		all = append(all, t+" "+media.name(forms[t]))
	}
	return strings.Join(all, " or ")
}

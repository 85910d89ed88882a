// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apiserver/pkg/endpoints/request"

	"goldenimage.dev/pkg/apis/cdi/install"
)

const (
	asJSON      = "application/json"
	asYAML      = "application/yaml"
	asMerge     = "application/merge-patch+json"
	asStrategic = "application/strategic-merge-patch+json"
	asPatch     = "application/json-patch+json"
	asApply     = "application/apply-patch+yaml"
)

// volume is a manifest with a quantity.
func volume(quantity string) string {
	return `{"metadata":{"name":"v"},"spec":{"storage":{"resources":{"requests":{"storage":` + quantity + `}}}}}`
}

// operation is a JSON patch of one operation.
func operation(kind, path, rest string) string {
	return `[{"op":"` + kind + `","path":"` + path + `",` + rest + `}]`
}

// nested is an object in so many others.
func nested(depth int, object string) string {
	return strings.Repeat(`{"a":`, depth) + object + strings.Repeat("}", depth)
}

// inUTF16 writes a document of ASCII as UTF-16.
func inUTF16(document string) string {
	return "\xff\xfe" + strings.Join(strings.Split(document, ""), "\x00") + "\x00"
}

// A sender sends bodies through the filter.
type sender struct {
	filter http.Handler
	// got is what the handler below read, called whether it was.
	got    []byte
	err    error
	called bool
}

func newSender() *sender {
	scheme := runtime.NewScheme()
	install.Install(scheme)
	s := &sender{}
	s.filter = WithBoundedQuantities(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		s.got, s.err = io.ReadAll(req.Body)
		s.called = true
	}), serializer.NewCodecFactory(scheme))
	return s
}

func (s *sender) send(method, contentType, group string, body io.Reader) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, "/", body)
	req.Header.Set("Content-Type", contentType)
	info := &request.RequestInfo{IsResourceRequest: true, APIGroup: group, Resource: "datavolumes"}
	answer := httptest.NewRecorder()
	s.filter.ServeHTTP(answer, req.WithContext(request.WithRequestInfo(req.Context(), info)))
	return answer
}

func methodOf(contentType string) string {
	if contentType == asJSON || contentType == asYAML {
		return http.MethodPost
	}
	return http.MethodPatch
}

const (
	// small is a quantity that takes hours to parse.
	small = `"1e-2000000000"`
	// field is where volume has its quantity, pointer the same as JSON patches write it.
	field   = "spec.storage.resources.requests.storage"
	pointer = "/spec/storage/resources/requests/storage"
)

// An absurdity is a body that is refused.
type absurdity struct {
	contentType, body string
	// want are parts of the message.
	want []string
}

func absurdDocuments() map[string]absurdity {
	long := strings.Repeat("7", 101)
	return map[string]absurdity{
		"a large negative exponent":            {asJSON, volume(small), []string{field + `: "1e-2000000000" has an exponent beyond 1000`, "10Gi"}},
		"a large exponent":                     {asJSON, volume(`"1e999999999"`), []string{field, `"1e999999999"`}},
		"a large exponent with a sign":         {asJSON, volume(`"+1e+5000"`), []string{field}},
		"a large exponent in upper case":       {asJSON, volume(`"1E5000"`), []string{field, `"1E5000"`}},
		"the least exponent that is refused":   {asJSON, volume(`"1e1001"`), []string{field}},
		"an exponent that no integer can hold": {asJSON, volume(`"1e99999999999999999999"`), []string{field}},
		"an exponent without a number":         {asJSON, volume(`"e-2000000000"`), []string{field}},
		"a fraction":                           {asJSON, volume(`"-.5e-9999"`), []string{field}},
		"a point and an exponent":              {asJSON, volume(`"1.e9999"`), []string{field}},
		"white space around it":                {asJSON, volume(`" 1e9999 "`), []string{field}},
		"a number in JSON":                     {asJSON, volume("1E-2000000000"), []string{field, `"1E-2000000000"`}},
		"a long number":                        {asJSON, volume(`"` + long + `"`), []string{field, "has 101 characters, more than 100"}},
		"a long number in JSON":                {asJSON, volume(long), []string{field}},
		"a long fraction with a suffix":        {asJSON, volume(`"0.` + long + `Gi"`), []string{field, "103 characters"}},
		"a long number with a small exponent":  {asJSON, volume(`"` + long[:96] + `e+999"`), []string{field}},
		"a very long number is shown in part":  {asJSON, volume(strings.Repeat("7", 100000)), []string{"has 100000 characters", "777...\""}},
		"limits":                               {asJSON, strings.Replace(volume(small), "requests", "limits", 1), []string{"spec.storage.resources.limits.storage"}},
		"an escaped key":                       {asJSON, strings.Replace(volume(small), "requests", `\u0072equests`, 1), []string{field}},
		"an escaped value":                     {asJSON, volume(`"1\u0065\u0039\u0039\u0039\u0039"`), []string{field, `"1e9999"`}},
		"the template of a cron":               {asJSON, `{"spec":{"template":` + volume(small) + `}}`, []string{"spec.template." + field}},
		"the template of a claim":              {asJSON, strings.Replace(volume(small), "storage", "pvc", 1), []string{"spec.pvc.resources.requests.storage"}},
		"the configuration":                    {asJSON, `{"spec":{"config":{"podResourceRequirements":{"limits":{"cpu":` + small + `}}}}}`, []string{"spec.config.podResourceRequirements.limits.cpu"}},
		"a resource with a domain":             {asJSON, `{"spec":{"limits":{"example.com/disk":` + small + `}}}`, []string{"spec.limits[example.com/disk]"}},
		"the first of two keys":                {asJSON, `{"requests":{"storage":` + small + `,"storage":"1"},"requests":{"storage":"2"}}`, []string{"requests.storage"}},
		"the last of two keys":                 {asJSON, `{"requests":{"storage":"2"},"requests":{"storage":` + small + `}}`, []string{"requests.storage"}},
		"an item":                              {asJSON, `{"items":[{"a":["b"]},{"requests":{"storage":` + small + `}}]}`, []string{"items[1].requests.storage"}},
		"below the list of resources":          {asJSON, `{"requests":{"a":[{"b":1},[2,` + small + `]]}}`, []string{"requests.a[1][1]"}},
		"after what is nested":                 {asJSON, `{"requests":{"a":{"b":{}},"c":[],"storage":` + small + `}}`, []string{"requests.storage"}},
		"as deep as the machinery goes":        {asJSON, nested(9998, `{"requests":{"s":`+small+`}}`), []string{"a.a.a.", "..."}},
	}
}

func absurdPatches() map[string]absurdity {
	return map[string]absurdity{
		"no Content-Type, which means JSON":     {"", volume(small), []string{field}},
		"a Content-Type with parameters":        {"Application/JSON; charset=utf-8", volume(small), []string{field}},
		"a merge patch":                         {asMerge, volume(small), []string{field}},
		"a strategic merge patch":               {asStrategic, volume(small), []string{field}},
		"YAML":                                  {asYAML, "spec:\n  storage:\n    resources:\n      requests:\n        storage: '1e-2000000000'\n", []string{field}},
		"YAML without quotes":                   {asYAML, "requests:\n  storage: 1e999999999\n", []string{"requests.storage"}},
		"YAML of an apply":                      {asApply, "requests: {storage: 1E5000}\n", []string{"requests.storage"}},
		"JSON in an apply":                      {asApply, volume(small), []string{field}},
		"an escaped value in YAML":              {asApply, `requests: {storage: "1\x65\u0039999"}`, []string{`"1e9999"`}},
		"a value over two lines of YAML":        {asApply, "requests: {storage: \"1e\\\n  9999\"}", []string{`"1e9999"`}},
		"base 64 in YAML":                       {asApply, "requests: {storage: !!binary MWU5OTk5}", []string{`"1e9999"`}},
		"YAML in UTF-16":                        {asApply, inUTF16("requests: {storage: 1e9999}"), []string{`"1e9999"`}},
		"a merge in YAML":                       {asApply, "a: &a {storage: 1e9999}\nrequests:\n  <<: *a\n", []string{"requests.storage"}},
		"a JSON patch of a quantity":            {asPatch, operation("replace", pointer, `"value":`+small), []string{field + `: "1e-2000000000"`, "10Gi"}},
		"a JSON patch of a list":                {asPatch, operation("add", "/spec/storage/resources/requests", `"value":{"storage":`+small+`}`), []string{field}},
		"a JSON patch of resources":             {asPatch, operation("add", "/spec/storage/resources", `"value":{"requests":{"storage":`+small+`}}`), []string{field}},
		"a JSON patch of everything":            {asPatch, operation("replace", "", `"value":`+volume(small)), []string{field}},
		"a JSON patch with an escaped path":     {asPatch, operation("add", `/spec/\u0072equests/example.com~1disk`, `"value":`+small), []string{"spec.requests[example.com/disk]"}},
		"a JSON patch with an escaped value":    {asPatch, operation("add", pointer, `"value":"1\u0065-9999"`), []string{field}},
		"a JSON patch with a decoy of the path": {asPatch, operation("add", pointer, `"value":`+small+`,"Path":"/metadata/labels/a"`), []string{field}},
		"a JSON patch with the path twice":      {asPatch, operation("add", "/metadata/labels/a", `"value":`+small+`,"path":"`+pointer+`"`), []string{field}},
		"a later operation of a JSON patch":     {asPatch, `[{"op":"add","path":"/a","value":1},{"op":"add","path":"` + pointer + `","value":` + small + `}]`, []string{field}},
		"a copy from an annotation":             {asPatch, operation("copy", pointer, `"from":"/metadata/annotations/a"`), []string{pointer, `"copy"`, "send the value itself"}},
		"a move of a list":                      {asPatch, operation("move", "/spec/storage/resources/limits", `"from":"/spec/a"`), []string{"/limits", `"move"`}},
	}
}

func TestAbsurdQuantitiesAreRefused(t *testing.T) {
	cases := absurdDocuments()
	maps.Copy(cases, absurdPatches())
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			s := newSender()
			answer := s.send(methodOf(test.contentType), test.contentType, "cdi.kubevirt.io", strings.NewReader(test.body))
			if s.called || answer.Code != http.StatusBadRequest {
				t.Fatalf("the handler is called: %t; answer %d %s", s.called, answer.Code, answer.Body)
			}
			var status metav1.Status
			if err := json.Unmarshal(answer.Body.Bytes(), &status); err != nil {
				t.Fatal(err)
			}
			if status.Reason != metav1.StatusReasonBadRequest {
				t.Errorf("the reason is %s", status.Reason)
			}
			message := status.Message
			for _, want := range test.want {
				if !strings.Contains(message, want) {
					t.Errorf("%q is not in the message %s", want, message)
				}
			}
			if len(message) > 3*maxShown {
				t.Errorf("the message has %d characters: %s", len(message), message)
			}
		})
	}
}

func TestOtherBodiesPass(t *testing.T) {
	const (
		labels = `{"metadata":{"labels":{"a":"12e45678","requests":"12e45678"},"annotations":{"limits":"1e-2000000000"}},"spec":{"a":12e45678}}`
		inYAML = "metadata:\n  labels:\n    a: 12e45678\n    requests: 12e45678\n  annotations:\n    limits: '1e-2000000000'\n"
	)
	long := strings.Repeat("7", 100)
	for name, test := range map[string]struct{ contentType, body string }{
		"an ordinary quantity":                    {asJSON, volume(`"10Gi"`)},
		"an ordinary number":                      {asJSON, volume("5368709120")},
		"an exponent":                             {asJSON, volume(`"12e9"`)},
		"an exponent with leading zeros":          {asJSON, volume(`"1e-00009"`)},
		"the largest exponent":                    {asJSON, volume(`"1e1000"`)},
		"the longest number":                      {asJSON, volume(`"` + long + `"`)},
		"exa":                                     {asJSON, volume(`"1000E"`)},
		"what is no number":                       {asJSON, volume(`"1x7e9999"`)},
		"a word":                                  {asJSON, volume(`"node9999"`)},
		"an exponent and more":                    {asJSON, volume(`"1e9999Gi"`)},
		"labels and annotations in JSON":          {asJSON, labels},
		"labels and annotations in a merge patch": {asMerge, labels},
		"labels in a strategic merge patch":       {asStrategic, labels},
		"labels and annotations in YAML":          {asYAML, inYAML},
		"labels and annotations in an apply":      {asApply, inYAML},
		"labels in a JSON patch":                  {asPatch, operation("add", "/metadata/labels", `"value":{"requests":"12e45678"}`)},
		"a label in a JSON patch":                 {asPatch, operation("add", "/metadata/labels/requests", `"value":"12e45678"`)},
		"an annotation that has the word":         {asPatch, operation("add", "/metadata/annotations/requests~1a", `"value":"1e-2000000000"`)},
		"a copy of something else":                {asPatch, operation("copy", "/metadata/labels/b", `"from":"/metadata/labels/a"`)},
		"a copy from a list of resources":         {asPatch, operation("copy", "/metadata/labels/b", `"from":"/spec/resources/requests/storage"`)},
		"a removal from a list of resources":      {asPatch, `[{"op":"remove","path":"/spec/storage/resources/requests/storage"}]`},
		"an ordinary JSON patch":                  {asPatch, operation("replace", "/spec/storage/resources/requests/storage", `"value":"10Gi"`)},
		"a digest":                                {asJSON, `{"requests":{"a":"sha256:5e12345678"},"limits":{"b":"` + strings.Repeat("0123456789abcdef", 16) + `"}}`},
		"what YAML takes for zero":                {asYAML, "requests:\n  storage: 1e-2000000000\n"},
		"nothing":                                 {asJSON, ""},
		"JSON that is cut off":                    {asJSON, `{"a":` + small},
		"JSON that is too deep":                   {asJSON, nested(10001, volume(small))},
		"JSON that does not end to nest":          {asJSON, `{"a":"1e9999","b":` + strings.Repeat("[", 1<<20)},
		"YAML that cannot be read":                {asYAML, "requests: {storage: 1e9999"},
		"a JSON patch that is none":               {asPatch, volume(small)},
		"a JSON patch of strange operations":      {asPatch, `[null,{},{"op":1,"path":"/requests/a","value":"1e9999"},{"op":"add","path":null}]`},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender()
			answer := s.send(methodOf(test.contentType), test.contentType, "cdi.kubevirt.io", strings.NewReader(test.body))
			if !s.called || string(s.got) != test.body {
				t.Errorf("the handler is called: %t, with %.200q; answer %d %s", s.called, s.got, answer.Code, answer.Body)
			}
		})
	}
}

func TestOtherRequestsPass(t *testing.T) {
	body := volume(`"1e-2000000000"`)
	for name, test := range map[string]struct{ method, group string }{
		"another group": {http.MethodPost, "example.com"},
		"a delete":      {http.MethodDelete, "cdi.kubevirt.io"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender()
			if answer := s.send(test.method, asJSON, test.group, strings.NewReader(body)); string(s.got) != body {
				t.Errorf("the handler got %q; answer %d %s", s.got, answer.Code, answer.Body)
			}
		})
	}
}

func TestReplacementsAreChecked(t *testing.T) {
	s := newSender()
	if answer := s.send(http.MethodPut, asJSON, "cdi.kubevirt.io", strings.NewReader(volume(`"1e9999"`))); s.called || answer.Code != http.StatusBadRequest {
		t.Errorf("the handler is called: %t; answer %d %s", s.called, answer.Code, answer.Body)
	}
}

func TestBodiesThatAreNotReadWhole(t *testing.T) {
	absurd := volume(`"1e9999"`)
	t.Run("the largest body is checked", func(t *testing.T) {
		s := newSender()
		s.send(http.MethodPost, asJSON, "cdi.kubevirt.io", strings.NewReader(strings.Repeat(" ", maxBody-len(absurd))+absurd))
		if s.called {
			t.Error("the handler is called")
		}
	})
	t.Run("a larger one goes on, with all of it", func(t *testing.T) {
		s := newSender()
		body := absurd + strings.Repeat(" ", maxBody)
		s.send(http.MethodPost, asJSON, "cdi.kubevirt.io", strings.NewReader(body))
		if !s.called || string(s.got) != body {
			t.Errorf("the handler is called: %t, with %d bytes of %d", s.called, len(s.got), len(body))
		}
	})
	t.Run("one that breaks off goes on, with its error", func(t *testing.T) {
		s := newSender()
		s.send(http.MethodPost, asJSON, "cdi.kubevirt.io", iotest.TimeoutReader(strings.NewReader(absurd)))
		if !s.called || string(s.got) != absurd || !errors.Is(s.err, iotest.ErrTimeout) {
			t.Errorf("the handler is called: %t, with %q and error %v", s.called, s.got, s.err)
		}
	})
}

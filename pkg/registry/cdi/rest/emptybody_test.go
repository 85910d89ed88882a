// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"k8s.io/apiserver/pkg/endpoints/request"
)

// received is what a handler sees of a request.
type received struct {
	Body        string
	ContentType string
	Length      int64
}

func TestEmptyTrigger(t *testing.T) {
	const asJSON, asYAML = "application/json", "application/yaml"
	empty := received{Body: "{}", ContentType: asJSON, Length: 2}
	for name, test := range map[string]struct {
		body, contentType string
		change            func(*request.RequestInfo)
		want              received
	}{
		"nothing":                                {want: empty},
		"nothing, said to be JSON":               {contentType: asJSON, want: empty},
		"nothing, said to be YAML":               {contentType: asYAML, want: empty},
		"nothing, as curl --data '' sends it":    {contentType: "application/x-www-form-urlencoded", want: empty},
		"a new line, as echo leaves it":          {body: "\n", contentType: asYAML, want: empty},
		"white space":                            {body: " \t\r\n", want: empty},
		"as much white space as counts":          {body: strings.Repeat(" ", blankBytes-1), want: empty},
		"more of it goes on":                     {body: strings.Repeat(" ", blankBytes), want: received{Body: strings.Repeat(" ", blankBytes), Length: blankBytes}},
		"much more of it goes on":                {body: strings.Repeat(" ", 3*blankBytes), want: received{Body: strings.Repeat(" ", 3*blankBytes), Length: 3 * blankBytes}},
		"an object goes on":                      {body: "{}\n", contentType: asJSON, want: received{Body: "{}\n", ContentType: asJSON, Length: 3}},
		"white space before an object goes on":   {body: "\n  spec: {}", contentType: asYAML, want: received{Body: "\n  spec: {}", ContentType: asYAML, Length: 11}},
		"a byte goes on":                         {body: "x", want: received{Body: "x", Length: 1}},
		"a long body goes on":                    {body: strings.Repeat("x", 5000), want: received{Body: strings.Repeat("x", 5000), Length: 5000}},
		"nothing that is sent to another path":   {change: func(i *request.RequestInfo) { i.Subresource = "" }, want: received{}},
		"nothing that is sent to another kind":   {change: func(i *request.RequestInfo) { i.Resource = "datavolumes" }, want: received{}},
		"nothing that is sent to another group":  {change: func(i *request.RequestInfo) { i.APIGroup = "example.com" }, want: received{}},
		"nothing that comes with another method": {change: func(i *request.RequestInfo) { i.Verb = "get" }, want: received{}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := pass(t, strings.NewReader(test.body), int64(len(test.body)), test.contentType, test.change)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("the handler gets (-want +got):\n%s", diff)
			}
			// A body may come in the smallest of pieces, and its length be unknown.
			if test.want != empty {
				test.want.Length = -1
			}
			got, err = pass(t, iotest.OneByteReader(strings.NewReader(test.body)), -1, test.contentType, test.change)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("of a body in pieces the handler gets (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTriggerWhoseBodyBreaksOffIsNotEmpty(t *testing.T) {
	broken := errors.New("connection reset")
	for name, body := range map[string]io.Reader{
		"at once":           iotest.ErrReader(broken),
		"after white space": io.MultiReader(strings.NewReader("  "), iotest.ErrReader(broken)),
		"after some of it":  io.MultiReader(strings.NewReader("{"), iotest.ErrReader(broken)),
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := pass(t, body, -1, "", nil); !errors.Is(err, broken) {
				t.Errorf("the handler gets %+v, %v", got, err)
			}
		})
	}
}

// pass sends a trigger's body by way of WithEmptyTrigger.
func pass(t *testing.T, body io.Reader, length int64, contentType string, change func(*request.RequestInfo)) (got received, err error) {
	t.Helper()
	handler := WithEmptyTrigger(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		var data []byte
		data, err = io.ReadAll(req.Body)
		got = received{Body: string(data), ContentType: req.Header.Get("Content-Type"), Length: req.ContentLength}
	}))
	req := httptest.NewRequest(http.MethodPost, "/", body)
	req.ContentLength = length
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	info := &request.RequestInfo{
		IsResourceRequest: true, Verb: "create", APIGroup: "cdi.kubevirt.io", Resource: "dataimportcrons", Subresource: "trigger",
	}
	if change != nil {
		change(info)
	}
	handler.ServeHTTP(httptest.NewRecorder(), req.WithContext(request.WithRequestInfo(req.Context(), info)))
	return got, err
}

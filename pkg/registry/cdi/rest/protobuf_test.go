// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apiserver/pkg/endpoints/request"

	"goldenimage.dev/pkg/apis/cdi/install"
)

func TestProtobufIsKeptForMetadata(t *testing.T) {
	const (
		proto    = "application/vnd.kubernetes.protobuf"
		metadata = proto + ";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
		json     = "application/json"
	)
	for name, test := range map[string]struct {
		method, accept, contentType string
		// other is a request for something else than the group's resources.
		other bool
		// code is that of a refusal, 0 if there is none.
		code int
		// want is what the handler is told is accepted.
		want string
	}{
		"JSON is left as it is":                             {accept: json, want: json},
		"nothing is left as it is":                          {accept: "", want: ""},
		"anything is left as it is":                         {accept: "*/*", want: "*/*"},
		"metadata may be in protobuf":                       {accept: metadata + "," + json, want: metadata + "," + json},
		"an object of metadata too":                         {accept: proto + ";as=PartialObjectMetadata;v=v1;g=meta.k8s.io", want: proto + ";as=PartialObjectMetadata;v=v1;g=meta.k8s.io"},
		"a watch of metadata too":                           {accept: metadata + ";stream=watch", want: metadata + ";stream=watch"},
		"an object falls back to JSON":                      {accept: proto + ", " + json, want: " " + json},
		"JSON of lower rank is enough":                      {accept: proto + "," + json + ";q=0.1", want: json + ";q=0.1"},
		"a table has no form in protobuf":                   {accept: proto + ";as=Table;g=meta.k8s.io;v=v1," + json, want: json},
		"protobuf alone is refused":                         {accept: proto, code: http.StatusNotAcceptable},
		"a body in protobuf is refused":                     {method: http.MethodPost, accept: json, contentType: proto, code: http.StatusUnsupportedMediaType},
		"a patch in protobuf is refused":                    {method: http.MethodPatch, accept: json, contentType: proto + "; charset=utf-8", code: http.StatusUnsupportedMediaType},
		"the options of a delete may be in protobuf":        {method: http.MethodDelete, accept: json, contentType: proto, want: json},
		"other requests are left alone":                     {accept: proto, other: true, want: proto},
		"what cannot be read is left to the machinery":      {accept: ";;" + proto, want: ";;" + proto},
		"a body in JSON passes":                             {method: http.MethodPost, accept: json, contentType: json, want: json},
		"a clause that is not well-formed is no way around": {accept: proto + ";q," + json, want: json},
		"nor are blanks":                                    {accept: "application / vnd.kubernetes.protobuf," + json, want: json},
		"both kinds of protobuf, the metadata's is kept":    {accept: proto + "," + metadata, want: metadata},
	} {
		t.Run(name, func(t *testing.T) {
			scheme := runtime.NewScheme()
			install.Install(scheme)
			got, called := "", false
			handler := WithProtobufForMetadata(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
				got, called = req.Header.Get("Accept"), true
			}), serializer.NewCodecFactory(scheme))
			req := httptest.NewRequest(test.method, "/", nil)
			req.Header.Set("Accept", test.accept)
			if test.contentType != "" {
				req.Header.Set("Content-Type", test.contentType)
			}
			info := &request.RequestInfo{IsResourceRequest: true, APIGroup: "cdi.kubevirt.io", Resource: "datasources"}
			if test.other {
				info.APIGroup = "example.com"
			}
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, req.WithContext(request.WithRequestInfo(req.Context(), info)))
			if called != (test.code == 0) {
				t.Fatalf("the handler is called: %t; answer %d %s", called, answer.Code, answer.Body)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("Accept (-want +got):\n%s", diff)
			}
			if called {
				return
			}
			if answer.Code != test.code || !strings.Contains(answer.Body.String(), "protocol buffers") || answer.Header().Get("Content-Type") != json {
				t.Errorf("answer %d %s %s", answer.Code, answer.Header().Get("Content-Type"), answer.Body)
			}
		})
	}
}

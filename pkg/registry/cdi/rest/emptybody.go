// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/endpoints/request"

	"goldenimage.dev/pkg/apis/cdi"
)

// WithEmptyTrigger lets a trigger be asked for with an empty body, as
// "kubectl create --raw URL -f /dev/null" sends it: it becomes an empty JSON object, which
// the machinery would refuse the lack of. It goes below the authorization in the chain of
// handlers.
func WithEmptyTrigger(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		info, ok := request.RequestInfoFrom(req.Context())
		if ok && info.APIGroup == cdi.GroupName && info.Verb == "create" &&
			info.Resource == "dataimportcrons" && info.Subresource == "trigger" && req.Body != nil {
			body := bufio.NewReaderSize(req.Body, 16)
			if _, err := body.Peek(1); errors.Is(err, io.EOF) {
				req = emptyObject(req)
			} else {
				req.Body = struct {
					io.Reader
					io.Closer
				}{body, req.Body}
			}
		}
		handler.ServeHTTP(w, req)
	})
}

func emptyObject(req *http.Request) *http.Request {
	const object = "{}"
	req = req.Clone(req.Context())
	req.Header.Set("Content-Type", runtime.ContentTypeJSON)
	req.ContentLength = int64(len(object))
	req.Body = io.NopCloser(strings.NewReader(object))
	return req
}

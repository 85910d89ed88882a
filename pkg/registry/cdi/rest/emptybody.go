// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/endpoints/request"

	"goldenimage.dev/pkg/apis/cdi"
)

// blankBytes is how much white space counts as nothing. A body of more goes on as it is.
const blankBytes = 512

// WithEmptyTrigger lets a trigger be asked for with an empty body, as
// "kubectl create --raw URL -f /dev/null" sends it: it becomes an empty JSON object, which
// the machinery would refuse the lack of, whatever the Content-Type says that there is nothing
// of. The same goes for white space, such as the line that "echo" leaves. It goes below the
// authorization in the chain of handlers.
func WithEmptyTrigger(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		info, ok := request.RequestInfoFrom(req.Context())
		if ok && info.APIGroup == cdi.GroupName && info.Verb == "create" &&
			info.Resource == "dataimportcrons" && info.Subresource == "trigger" && req.Body != nil {
			body := bufio.NewReaderSize(req.Body, blankBytes)
			if blank(body) {
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

// blank tells whether there is nothing in a body. It takes nothing out, and asks for no more
// than it needs to tell. A body that cannot be read is not blank: whoever reads it finds out.
func blank(body *bufio.Reader) bool {
	for n := 1; n <= blankBytes; n++ {
		seen, err := body.Peek(n)
		switch {
		case len(bytes.TrimSpace(seen)) > 0:
			return false
		case errors.Is(err, io.EOF):
			return true
		case err != nil:
			return false
		}
	}
	return false
}

func emptyObject(req *http.Request) *http.Request {
	const object = "{}"
	req = req.Clone(req.Context())
	req.Header.Set("Content-Type", runtime.ContentTypeJSON)
	req.ContentLength = int64(len(object))
	req.Body = io.NopCloser(strings.NewReader(object))
	return req
}

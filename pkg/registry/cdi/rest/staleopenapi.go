// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"net/http"
	"net/url"
	"strings"
)

// WithStaleOpenAPI answers a request for an OpenAPI v3 document by a hash that is not current
// with the current document. The machinery would redirect it, which kube-apiserver does not let
// an aggregated server do: for up to a minute after an upgrade, until it has looked at the
// document again, "kubectl explain" would fail.
func WithStaleOpenAPI(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if strings.HasPrefix(req.URL.Path, "/openapi/v3/") && req.URL.RawQuery != "" {
			query := req.URL.Query()
			query.Del("hash")
			current := *req
			current.URL = &url.URL{Path: req.URL.Path, RawPath: req.URL.RawPath, RawQuery: query.Encode()}
			req = &current
		}
		handler.ServeHTTP(w, req)
	})
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"net/http"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/endpoints/request"

	"goldenimage.dev/pkg/apis/cdi"
)

// WithProtobufForMetadata offers protocol buffers for what has a form in them: lists, objects
// and watches of metadata alone, and the options of a delete. The types of the group have none,
// as custom resources have none. So the garbage collector and the namespace controller, which
// would rather have protocol buffers, get them where they count, and JSON else. Without this a
// client that accepts both would get an error for an object, after it was written.
//
// It goes below the authorization in the chain of handlers.
func WithProtobufForMetadata(handler http.Handler, errors runtime.NegotiatedSerializer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		info, ok := request.RequestInfoFrom(req.Context())
		if !ok || !info.IsResourceRequest || info.APIGroup != cdi.GroupName {
			handler.ServeHTTP(w, req)
			return
		}
		if req.Method != http.MethodDelete && isProtobuf(req.Header.Get("Content-Type")) {
			refuse(w, req, errors, http.StatusUnsupportedMediaType, "the body is in protocol buffers, which objects of "+cdi.GroupName+
				" have no form in: send "+runtime.ContentTypeJSON+" or "+runtime.ContentTypeYAML)
			return
		}
		accept, ok := acceptable(req.Header.Get("Accept"))
		if !ok {
			refuse(w, req, errors, http.StatusNotAcceptable, "only protocol buffers are accepted, which objects of "+cdi.GroupName+
				" have no form in: accept "+runtime.ContentTypeJSON+" or "+runtime.ContentTypeYAML)
			return
		}
		if accept != req.Header.Get("Accept") {
			req = req.Clone(req.Context())
			req.Header.Set("Accept", accept)
		}
		handler.ServeHTTP(w, req)
	})
}

// acceptable drops the protocol buffers that cannot be had from the value of an Accept header;
// false if nothing else was there.
func acceptable(header string) (string, bool) {
	if !strings.Contains(header, "protobuf") {
		return header, true
	}
	var kept []string
	for clause := range strings.SplitSeq(header, ",") {
		if !isProtobuf(clause) || isMetadata(clause) {
			kept = append(kept, clause)
		}
	}
	return strings.Join(kept, ","), len(kept) > 0
}

func isProtobuf(mediaType string) bool {
	// The machinery reads the header less strictly than its standard says, so this does too.
	name, _, _ := strings.Cut(mediaType, ";")
	return strings.EqualFold(strings.ReplaceAll(name, " ", ""), runtime.ContentTypeProtobuf)
}

// isMetadata tells whether a media type asks for metadata alone.
func isMetadata(mediaType string) bool {
	_, parameters, _ := strings.Cut(mediaType, ";")
	return slices.ContainsFunc(strings.Split(parameters, ";"), func(p string) bool {
		p = strings.TrimSpace(p)
		return p == "as=PartialObjectMetadata" || p == "as=PartialObjectMetadataList"
	})
}

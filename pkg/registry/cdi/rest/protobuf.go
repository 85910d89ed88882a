// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"mime"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/endpoints/handlers/responsewriters"
	"k8s.io/apiserver/pkg/endpoints/request"

	"goldenimage.dev/pkg/apis/cdi"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
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
		refuse := func(code int32, message string) {
			err := &apierrors.StatusError{ErrStatus: metav1.Status{
				Status: metav1.StatusFailure, Code: code, Message: message, Reason: reasons()[code],
			}}
			plain := req.Clone(req.Context())
			plain.Header.Set("Accept", runtime.ContentTypeJSON)
			responsewriters.ErrorNegotiated(err, errors, v1beta1.SchemeGroupVersion, w, plain)
		}
		if req.Method != http.MethodDelete && isProtobuf(req.Header.Get("Content-Type")) {
			refuse(http.StatusUnsupportedMediaType, "the body is in protocol buffers, which objects of "+cdi.GroupName+
				" have no form in: send "+runtime.ContentTypeJSON+" or "+runtime.ContentTypeYAML)
			return
		}
		accept, ok := acceptable(req.Header.Get("Accept"))
		if !ok {
			refuse(http.StatusNotAcceptable, "only protocol buffers are accepted, which objects of "+cdi.GroupName+
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

func reasons() map[int32]metav1.StatusReason {
	return map[int32]metav1.StatusReason{
		http.StatusUnsupportedMediaType: metav1.StatusReasonUnsupportedMediaType,
		http.StatusNotAcceptable:        metav1.StatusReasonNotAcceptable,
	}
}

// acceptable drops the protocol buffers that cannot be had from the value of an Accept header;
// false if nothing else was there.
func acceptable(header string) (string, bool) {
	if !strings.Contains(header, runtime.ContentTypeProtobuf) {
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
	name, _, err := mime.ParseMediaType(mediaType)
	return err == nil && name == runtime.ContentTypeProtobuf
}

// isMetadata tells whether a media type asks for metadata alone.
func isMetadata(mediaType string) bool {
	_, parameters, err := mime.ParseMediaType(mediaType)
	return err == nil && strings.HasPrefix(parameters["as"], "PartialObjectMetadata")
}

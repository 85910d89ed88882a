// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/endpoints/handlers/responsewriters"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// refuse answers a request in place of the machinery, as it would, in JSON whatever is accepted.
func refuse(w http.ResponseWriter, req *http.Request, errors runtime.NegotiatedSerializer, code int32, message string) {
	reasons := map[int32]metav1.StatusReason{
		http.StatusBadRequest:           metav1.StatusReasonBadRequest,
		http.StatusNotAcceptable:        metav1.StatusReasonNotAcceptable,
		http.StatusUnsupportedMediaType: metav1.StatusReasonUnsupportedMediaType,
	}
	err := &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: code, Message: message, Reason: reasons[code],
	}}
	plain := req.Clone(req.Context())
	plain.Header.Set("Accept", runtime.ContentTypeJSON)
	responsewriters.ErrorNegotiated(err, errors, v1beta1.SchemeGroupVersion, w, plain)
}

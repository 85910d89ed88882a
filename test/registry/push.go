// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"net/http"
	"net/http/httptest"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"goldenimage.dev/pkg/apis/cdi/reference"
)

// Push stores an image or an index under a tag, past all faults, and returns its digest.
func (r *Registry) Push(t testing.TB, repository, tag string, what remote.Taggable) string {
	t.Helper()
	ref, err := reference.Parse(r.URL(repository, tag))
	if err != nil {
		t.Fatal(err)
	}
	remoteRepository, err := ref.Remote(true)
	if err != nil {
		t.Fatal(err)
	}
	target, options := remoteRepository.Tag(tag), r.past(t)
	var digest v1.Hash
	switch w := what.(type) {
	case v1.Image:
		err = remote.Write(target, w, options...)
		digest, _ = w.Digest()
	case v1.ImageIndex:
		err = remote.WriteIndex(target, w, options...)
		digest, _ = w.Digest()
	default:
		t.Fatalf("%T is neither an image nor an index", what)
	}
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

// Delete removes what a tag or a digest names, past all faults.
func (r *Registry) Delete(t testing.TB, repository, identifier string) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodDelete, "/v2/"+repository+"/manifests/"+identifier, http.NoBody)
	recorder := httptest.NewRecorder()
	r.store.ServeHTTP(recorder, request)
	if recorder.Code != http.StatusAccepted {
		t.Fatalf("delete %s of %s: status %d", identifier, repository, recorder.Code)
	}
}

// past are the options that reach the registry past its faults.
func (r *Registry) past(t testing.TB) []remote.Option {
	return []remote.Option{remote.WithTransport(inProcess{r.store}), remote.WithContext(t.Context())}
}

// inProcess hands requests to a handler without a network.
type inProcess struct{ handler http.Handler }

func (p inProcess) RoundTrip(request *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	if request.Body == nil {
		request.Body = http.NoBody
	}
	p.handler.ServeHTTP(recorder, request)
	response := recorder.Result()
	response.Request = request
	return response, nil
}

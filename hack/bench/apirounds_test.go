// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A fakeAPI plays an API server: it counts requests and tells watches of patches.
type fakeAPI struct {
	mu       sync.Mutex
	requests map[string]int
	created  []map[string]any
	// refusals is how often a collection is refused before it is served.
	refusals int
	watches  []chan struct{}
}

func (f *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get(paramWatch) == valueTrue {
		f.watch(w, r)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.requests == nil {
		f.requests = map[string]int{}
	}
	f.requests[r.Method]++
	switch {
	case r.Method == http.MethodPatch:
		for _, watch := range f.watches {
			watch <- struct{}{}
		}
	case r.Method == http.MethodPost:
		var object map[string]any
		if err := json.NewDecoder(r.Body).Decode(&object); err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
		f.created = append(f.created, object)
	case strings.HasPrefix(r.URL.Path, "/openapi/"):
		_, _ = io.WriteString(w, `{"components":{"schemas":{"a":{"type":"object","x-kubernetes-group-version-kind":[`+
			`{"group":"cdi.kubevirt.io","version":"v1beta1","kind":"`+apiKind+`"}]}}}}`)
	case strings.HasPrefix(r.URL.Path, pathCRDs+"/"), strings.HasPrefix(r.URL.Path, pathNamespaces+"/"):
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodGet && f.refusals > 0:
		f.refusals--
		w.WriteHeader([]int{http.StatusNotFound, http.StatusTooManyRequests}[f.refusals%2])
	default:
		_, _ = io.WriteString(w, `{"items":[],"metadata":{"resourceVersion":"9"}}`)
	}
}

func (f *fakeAPI) watch(w http.ResponseWriter, r *http.Request) {
	patched := make(chan struct{}, changes)
	f.mu.Lock()
	f.watches = append(f.watches, patched)
	f.mu.Unlock()
	flusher := http.NewResponseController(w)
	_ = flusher.Flush()
	for {
		select {
		case <-patched:
			_, _ = fmt.Fprintln(w, `{"type":"MODIFIED","object":{}}`)
			_ = flusher.Flush()
		case <-r.Context().Done():
			return
		}
	}
}

// newTestBench returns a run on one fake server, whose processes are all this one.
func newTestBench(t *testing.T, fake *fakeAPI) *apiBench {
	t.Helper()
	s := newTestSide(t, fake.ServeHTTP)
	b := &apiBench{setting: setting{log: io.Discard}, servers: servers{programKube: os.Getpid()}, admin: s.client}
	b.sides = [2]*side{s, s}
	return b
}

func names(some []measured) []string {
	var all []string
	for _, one := range some {
		all = append(all, one.name+" "+one.unit)
	}
	return all
}

func TestWritesCreatePatchAndDelete(t *testing.T) {
	fake := &fakeAPI{}
	b := newTestBench(t, fake)
	got, err := b.writes(t.Context(), b.sides[sideOurs], 0)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"create, median ms", "create, 99th percentile ms", "create, 8 at a time 1/s", "create, processors' time ms",
		"patch, median ms", "patch, 99th percentile ms", "patch, 8 at a time 1/s", "patch, processors' time ms",
		"delete a namespace's 700 s",
	}
	if diff := cmp.Diff(want, names(got)); diff != "" {
		t.Errorf("figures (-want +got):\n%s", diff)
	}
	requests := map[string]int{http.MethodPost: requestsOfARound, http.MethodPatch: requestsOfARound, http.MethodDelete: 1}
	if diff := cmp.Diff(requests, fake.requests); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	for _, one := range got[:3] {
		if one.value <= 0 {
			t.Errorf("%s = %v", one.name, one.value)
		}
	}
}

func TestFanOutEndsWhenAllWatchesHaveSeenAllChanges(t *testing.T) {
	fake := &fakeAPI{}
	b := newTestBench(t, fake)
	got, err := b.fanOut(t.Context(), b.sides[sideOurs], 0)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"100 watches see 200 changes 1/s", "100 watches see 200 changes, after the last write ms",
		"100 watches see 200 changes, processors' time s",
	}
	if diff := cmp.Diff(want, names(got)); diff != "" {
		t.Errorf("figures (-want +got):\n%s", diff)
	}
	if len(fake.watches) != watchers || fake.requests[http.MethodPatch] != changes {
		t.Errorf("%d watches and %d changes", len(fake.watches), fake.requests[http.MethodPatch])
	}
}

func TestListsRefuseAnotherNumberOfObjects(t *testing.T) {
	b := newTestBench(t, &fakeAPI{})
	if _, err := b.lists(t.Context(), b.sides[sideOurs], 0); err == nil || !strings.Contains(err.Error(), "there were 0 objects") {
		t.Errorf("error = %v, want one about the number", err)
	}
}

func TestPrepareMakesThePeerAndWaitsUntilItIsServed(t *testing.T) {
	fake := &fakeAPI{refusals: 2}
	b := newTestBench(t, fake)
	if err := prepareAPI(t.Context(), b.admin, b.sides[sideOurs], b.sides[sidePeer]); err != nil {
		t.Fatal(err)
	}
	if fake.refusals != 0 {
		t.Error("it did not wait")
	}
	var kinds []any
	for _, object := range fake.created {
		kinds = append(kinds, object["kind"])
	}
	if diff := cmp.Diff([]any{"CustomResourceDefinition", "Namespace", "Namespace"}, kinds); diff != "" {
		t.Errorf("created (-want +got):\n%s", diff)
	}
}

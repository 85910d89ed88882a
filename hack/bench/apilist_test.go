// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

const (
	testItem     = `{"metadata":{"name":"a","uid":"1","resourceVersion":"7"}}`
	testBookmark = `{"type":"BOOKMARK","object":{"metadata":{"annotations":{"k8s.io/initial-events-end":"true"}}}}`
)

// serveList plays an API server: pages of one and of two objects, metadata, and watches.
func serveList(t *testing.T) http.HandlerFunc {
	t.Helper()
	return func(w http.ResponseWriter, r *http.Request) {
		values := r.URL.Query()
		switch {
		case r.Header.Get("Accept") == typeMetadata:
			list := metav1.PartialObjectMetadataList{Items: make([]metav1.PartialObjectMetadata, 3)}
			raw, err := list.Marshal()
			if err != nil {
				t.Error(err)
			}
			envelope, err := (&runtime.Unknown{Raw: raw}).Marshal()
			if err != nil {
				t.Error(err)
			}
			_, _ = w.Write(append([]byte("k8s\x00"), envelope...))
		case values.Get(paramWatch) == valueTrue:
			if values.Get("sendInitialEvents") != valueTrue || values.Get("allowWatchBookmarks") != valueTrue {
				t.Errorf("parameters = %v", values)
			}
			added := fmt.Sprintf(`{"type":"ADDED","object":%s}`, testItem)
			_, _ = fmt.Fprintln(w, added+"\n"+added+"\n"+added+"\n"+testBookmark)
		case values.Get("limit") == "500" && values.Get(paramContinue) == "":
			_, _ = fmt.Fprintf(w, `{"items":[%s,%s],"metadata":{"continue":"next","resourceVersion":"9"}}`, testItem, testItem)
		case values.Get("limit") == "500" && values.Get(paramContinue) == "next":
			_, _ = fmt.Fprintf(w, `{"items":[%s],"metadata":{"resourceVersion":"9"}}`, testItem)
		default:
			_, _ = fmt.Fprintf(w, `{"items":[%s,%s,%s],"metadata":{"resourceVersion":"9"}}`, testItem, testItem, testItem)
		}
	}
}

func TestEachListCountsTheObjects(t *testing.T) {
	s := newTestSide(t, serveList(t))
	for _, list := range apiLists() {
		t.Run(list.name, func(t *testing.T) {
			if got, err := list.read(t.Context(), s); err != nil || got != 3 {
				t.Errorf("got %d objects, error %v; want 3", got, err)
			}
		})
	}
}

func TestVersionIsTheListsNotAnObjects(t *testing.T) {
	if got, err := versionOf(t.Context(), newTestSide(t, serveList(t))); err != nil || got != "9" {
		t.Errorf("version = %s, error %v; want 9", got, err)
	}
}

func TestWhatIsNotInProtocolBuffersIsAnError(t *testing.T) {
	for name, content := range map[string]string{
		"JSON":                    "{}",
		"an envelope that is not": "k8s\x00\xff",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := countMetadata([]byte(content)); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestAWatchThatDoesNotBeginWithTheObjectsIsAnError(t *testing.T) {
	for name, stream := range map[string]string{
		"it ends before the bookmark": `{"type":"ADDED","object":{}}` + "\n",
		"it tells an error":           `{"type":"ERROR","object":{}}` + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := newTestSide(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(stream)) })
			if _, err := watchInitial(t.Context(), s); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestReadChangesCountsChangesAlone(t *testing.T) {
	modified := `{"type":"MODIFIED","object":{}}` + "\n"
	bookmark := `{"type":"BOOKMARK","object":{}}` + "\n"
	if err := readChanges(strings.NewReader(bookmark + strings.Repeat(modified, changes))); err != nil {
		t.Error(err)
	}
	if err := readChanges(strings.NewReader(bookmark + strings.Repeat(modified, changes-1))); err == nil {
		t.Error("a change that is missing is not noticed")
	}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package storageprofile

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/clock"
)

// snapshotAPI is a cluster's API of VolumeSnapshotClasses, which may be there or not.
type snapshotAPI struct {
	*dynamicfake.FakeDynamicClient
	t      *testing.T
	reader *ClassReader

	mu sync.Mutex
	// failure is the answer to a list, nil for the classes.
	failure error
	// open is the watch that was begun last.
	open *watch.FakeWatcher
	// asked counts lists; changes counts calls.
	asked, changes int
}

// newAPI watches an API; it must be called in a bubble.
func newAPI(t *testing.T, failure error, classes ...runtime.Object) *snapshotAPI {
	t.Helper()
	kinds := map[schema.GroupVersionResource]string{classResource(): "VolumeSnapshotClassList"}
	api := &snapshotAPI{t: t, failure: failure, FakeDynamicClient: dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), kinds, classes...)}
	api.PrependReactor("list", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		api.mu.Lock()
		defer api.mu.Unlock()
		api.asked++
		return api.failure != nil, nil, api.failure
	})
	api.PrependWatchReactor("*", func(clienttesting.Action) (bool, watch.Interface, error) {
		api.mu.Lock()
		defer api.mu.Unlock()
		api.open = watch.NewFake()
		return true, api.open, nil
	})
	api.reader = NewClassReader(api, clock.RealClock{})
	go api.reader.Watch(t.Context(), func() {
		api.mu.Lock()
		defer api.mu.Unlock()
		api.changes++
	})
	synctest.Wait()
	return api
}

// answer sets what lists are answered from now on.
func (api *snapshotAPI) answer(failure error) {
	api.mu.Lock()
	defer api.mu.Unlock()
	api.failure = failure
}

// watch returns the watch that was begun last.
func (api *snapshotAPI) watch() *watch.FakeWatcher {
	api.mu.Lock()
	defer api.mu.Unlock()
	return api.open
}

// lists returns how often the API was asked for a list.
func (api *snapshotAPI) lists() int {
	api.mu.Lock()
	defer api.mu.Unlock()
	return api.asked
}

func (api *snapshotAPI) pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // in a bubble nobody waits for it
	synctest.Wait()
}

// expect compares the names of what is known, and how often that changed.
func (api *snapshotAPI) expect(changes int, names ...string) {
	api.t.Helper()
	synctest.Wait()
	var got []string
	for _, c := range api.reader.List() {
		got = append(got, c.Name)
	}
	if diff := cmp.Diff(names, got); diff != "" {
		api.t.Errorf("classes (-want +got):\n%s", diff)
	}
	api.mu.Lock()
	defer api.mu.Unlock()
	if api.changes != changes {
		api.t.Errorf("%d changes, want %d", api.changes, changes)
	}
}

func snapshotClass(name string, change ...func(map[string]any)) *unstructured.Unstructured {
	fields := map[string]any{
		"apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshotClass", "metadata": map[string]any{"name": name},
		"driver": foreign, "deletionPolicy": "Delete",
	}
	for _, f := range change {
		f(fields)
	}
	return &unstructured.Unstructured{Object: fields}
}

func absent() error {
	return apierrors.NewGenericServerResponse(404, "get", classResource().GroupResource(), "", "the server could not find the requested resource", 0, true)
}

func TestAnAPIThatComesAndGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(t, absent(), snapshotClass("b"), snapshotClass("a"))
		api.expect(1)
		api.pass(30 * time.Minute)
		if got := api.lists(); got > 31 {
			t.Errorf("asked %d times in 30 minutes", got)
		}
		api.answer(nil)
		api.pass(time.Minute)
		api.expect(2, "a", "b")
		asked := api.lists()
		api.pass(time.Hour)
		if got := api.lists() - asked; got != 0 {
			t.Errorf("listed %d times while it is watched", got)
		}
		api.answer(absent())
		api.watch().Stop()
		api.pass(pauseWatched)
		api.expect(3)
	})
}

func TestClassesAreWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(t, nil, snapshotClass("b"))
		api.expect(1, "b")
		api.watch().Add(snapshotClass("a"))
		api.expect(2, "a", "b")
		api.watch().Modify(snapshotClass("a"))
		api.expect(2, "a", "b")
		api.watch().Modify(snapshotClass("a", func(fields map[string]any) { fields["driver"] = rook }))
		api.expect(3, "a", "b")
		if got := api.reader.List()[0].Driver; got != rook {
			t.Errorf("driver %s", got)
		}
		api.watch().Action(watch.Bookmark, snapshotClass(""))
		api.expect(3, "a", "b")
		api.watch().Delete(snapshotClass("b"))
		api.expect(4, "a")
		// The version that the watch began with is too old: what was missed is listed.
		api.watch().Error(&metav1.Status{Code: 410})
		api.expect(4, "a")
		api.pass(pauseWatched)
		api.expect(5, "b")
	})
}

func TestAListThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(t, errors.New("connection refused"), snapshotClass("a"))
		api.pass(time.Hour)
		api.expect(0)
		api.answer(nil)
		api.pass(pauseFailed)
		api.expect(1, "a")
		api.answer(errors.New("connection refused"))
		api.watch().Stop()
		api.pass(time.Hour)
		api.expect(1, "a")
	})
}

func TestAListThatIsForbidden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		forbidden := apierrors.NewForbidden(classResource().GroupResource(), "", errors.New("no rule"))
		api := newAPI(t, forbidden, snapshotClass("a"))
		api.expect(1)
		api.answer(nil)
		api.pass(pauseAbsent)
		api.expect(2, "a")
		api.answer(forbidden)
		api.watch().Stop()
		api.pass(time.Hour)
		api.expect(2, "a")
	})
}

func TestClassOf(t *testing.T) {
	for name, test := range map[string]struct {
		obj  *unstructured.Unstructured
		want SnapshotClass
	}{
		"all of it": {
			obj: snapshotClass("a", func(fields map[string]any) {
				fields["metadata"] = map[string]any{"name": "a", "annotations": map[string]any{annDefaultSnapshotClass: "true"}}
				fields["parameters"] = map[string]any{"k": "v"}
			}),
			want: SnapshotClass{Name: "a", Driver: foreign, Default: true, Parameters: map[string]string{"k": "v"}},
		},
		"not the default": {
			obj: snapshotClass("a", func(fields map[string]any) {
				fields["metadata"] = map[string]any{"name": "a", "annotations": map[string]any{annDefaultSnapshotClass: "false"}}
			}),
			want: SnapshotClass{Name: "a", Driver: foreign, Parameters: map[string]string{}},
		},
		"other types": {
			obj:  snapshotClass("a", func(fields map[string]any) { fields["driver"], fields["parameters"] = int64(1), "x" }),
			want: SnapshotClass{Name: "a", Parameters: map[string]string{}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, classOf(test.obj)); diff != "" {
				t.Errorf("class (-want +got):\n%s", diff)
			}
		})
	}
}

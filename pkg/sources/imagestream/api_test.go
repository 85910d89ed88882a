// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package imagestream

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	imagev1 "github.com/openshift/api/image/v1"
	"github.com/openshift/client-go/image/clientset/versioned/fake"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/clock"

	"goldenimage.dev/pkg/sources"
	"goldenimage.dev/pkg/sources/sourcestest"
)

// An api is that of ImageStreams, which may be there or not.
type api struct {
	*fake.Clientset
	t        *testing.T
	resolver *Resolver

	mu sync.Mutex
	// failure is the answer to all requests, nil for the true one; unserved is that to the
	// question whether there are ImageStreams.
	failure, unserved error
	open              []watch.Interface
	// looked and asked count questions whether there are ImageStreams, and which.
	looked, asked int
	told          []string
}

// IsWatchListSemanticsUnSupported tells that lists are no watches here.
func (a *api) IsWatchListSemanticsUnSupported() bool { return true }

// errOthersOnly lets the API be one that has no ImageStreams.
var errOthersOnly = errors.New("other resources only")

func absent() error {
	return apierrors.NewNotFound(schema.GroupResource{Group: imagev1.GroupName, Resource: resource}, "")
}

// newAPI runs a Resolver until the test ends.
func newAPI(t *testing.T, unserved error, streams ...runtime.Object) *api {
	t.Helper()
	a := &api{t: t, Clientset: fake.NewClientset(streams...), unserved: unserved}
	a.Resources = []*metav1.APIResourceList{
		{GroupVersion: "example.com/v1"},
		{GroupVersion: groupVersion, APIResources: []metav1.APIResource{{Name: "images"}, {Name: resource}}},
	}
	if errors.Is(unserved, errOthersOnly) {
		a.Resources[1].APIResources, a.unserved = []metav1.APIResource{{Name: "images"}}, nil
	}
	a.PrependReactor("get", "resource", func(clienttesting.Action) (bool, runtime.Object, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.looked++
		return a.unserved != nil, nil, a.unserved
	})
	a.PrependReactor("list", resource, func(clienttesting.Action) (bool, runtime.Object, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.asked++
		return a.failure != nil, nil, a.failure
	})
	a.PrependWatchReactor(resource, func(action clienttesting.Action) (bool, watch.Interface, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.failure != nil {
			return true, nil, a.failure
		}
		events, err := a.Tracker().Watch(action.GetResource(), action.GetNamespace())
		a.open = append(a.open, events)
		return true, events, err
	})
	a.resolver = New(a, clock.RealClock{})
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { a.resolver.Run(ctx) })
	all.Go(func() {
		a.resolver.Watch(ctx, func(location string) {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.told = append(a.told, location)
		})
	})
	t.Cleanup(func() { cancel(); all.Wait() })
	return a
}

// answer sets what is answered from now on, and ends all watches.
func (a *api) answer(failure, unserved error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failure, a.unserved = failure, unserved
	for _, events := range a.open {
		events.Stop()
	}
	a.open = nil
}

func (a *api) counts() (looked, asked int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.looked, a.asked
}

// changes returns whom watchers were told of since they were asked for before, each once.
func (a *api) changes() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	told := slices.Compact(slices.Sorted(slices.Values(a.told)))
	a.told = nil
	return told
}

func (a *api) put(stream *imagev1.ImageStream) {
	a.t.Helper()
	streams := a.ImageV1().ImageStreams(stream.Namespace)
	_, err := streams.Update(a.t.Context(), stream, metav1.UpdateOptions{})
	if apierrors.IsNotFound(err) {
		_, err = streams.Create(a.t.Context(), stream, metav1.CreateOptions{})
	}
	if err != nil {
		a.t.Fatal(err)
	}
}

func (a *api) resolve(ctx context.Context, location string) (sources.Revision, error) {
	return a.resolver.Resolve(ctx, sources.Query{Location: location})
}

func TestContract(t *testing.T) {
	const cached = "what is asked for is in the server's own memory"
	sourcestest.Run(t, func(t *testing.T) sourcestest.Fixture {
		a := newAPI(t, nil, stream(streamName, tagged("latest", digest("a"))))
		told := make(chan string, 8)
		go a.resolver.Watch(t.Context(), func(location string) { told <- location })
		return sourcestest.Fixture{
			Resolver: a.resolver, Location: location, Missing: namespace + "/gone",
			Change: func() {
				a.put(stream(streamName, tagged("latest", digest("b"), digest("a"))))
				for {
					select {
					case <-told:
					case <-time.After(30 * time.Second):
						t.Fatal("nobody was told of the change")
					}
					if got, err := a.resolve(t.Context(), location); err != nil || got.Digest == digest("b") {
						return
					}
				}
			},
			Cannot: map[string]string{
				"WrongAccess": "ImageStreams are read with the server's own account",
				"Silence":     cached, "Cut": cached, "Oversize": cached,
			},
		}
	})
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package imagestream

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"goldenimage.dev/pkg/sources"
)

// pass lets time pass.
func pass(t *testing.T, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
	synctest.Wait()
}

func (a *api) expectTold(want ...string) {
	a.t.Helper()
	if diff := cmp.Diff(want, a.changes()); diff != "" {
		a.t.Errorf("told of (-want +got):\n%s", diff)
	}
}

func (a *api) expectDigest(want string) {
	a.t.Helper()
	if got, err := a.resolve(a.t.Context(), location); err != nil || got.Digest != want {
		a.t.Errorf("got %+v %v, want %s", got, err, want)
	}
}

func (a *api) expectError(kind sources.Kind, part string) (notBefore time.Time) {
	a.t.Helper()
	_, err := a.resolve(a.t.Context(), location)
	typed, ok := errors.AsType[*sources.Error](err)
	if !ok || typed.Kind != kind || !strings.Contains(typed.Message, part) {
		a.t.Fatalf("got %v, want %s with %q", err, kind, part)
	}
	return typed.NotBefore
}

func TestAnAPIThatIsAbsentAndComesAndGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, absent(), stream(streamName, tagged("latest", digest("a"))), stream("other"))
		pass(t, time.Hour-time.Second)
		if looked, asked := a.counts(); looked != 60 || asked != 0 {
			t.Errorf("looked for %d times within an hour, listed %d times", looked, asked)
		}
		notBefore := a.expectError(sources.NotFound, "this cluster does not serve ImageStreams of image.openshift.io/v1")
		if wait := time.Until(notBefore); wait <= 0 || wait > pauseAbsent {
			t.Errorf("it is to be asked again in %s", wait)
		}
		a.expectTold()

		a.answer(nil, nil)
		pass(t, pauseAbsent+time.Second)
		a.expectTold(namespace+"/other", location)
		a.expectDigest(digest("a"))
		looked, asked := a.counts()
		pass(t, time.Hour)
		if l, n := a.counts(); l != looked || n != asked {
			t.Errorf("looked for %d and listed %d times more while nothing happened", l-looked, n-asked)
		}

		a.answer(absent(), absent())
		pass(t, 10*time.Second)
		a.expectTold(namespace+"/other", location)
		a.expectError(sources.NotFound, "this cluster does not serve ImageStreams")
		looked, asked = a.counts()
		pass(t, time.Hour)
		if l, n := a.counts(); l-looked != 60 || n != asked {
			t.Errorf("looked for %d and listed %d times within an hour", l-looked, n-asked)
		}

		a.answer(nil, nil)
		pass(t, pauseAbsent+time.Second)
		a.expectTold(namespace+"/other", location)
		a.expectDigest(digest("a"))
	})
}

func TestAGroupWithoutImageStreamsIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, errOthersOnly)
		synctest.Wait()
		a.expectError(sources.NotFound, "this cluster does not serve ImageStreams")
	})
}

func TestOnlyChangesOfTagsAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, nil, stream(streamName, tagged("latest", digest("a"))), stream("other"))
		pass(t, time.Second)
		a.expectTold(namespace+"/other", location)

		same := stream(streamName, tagged("latest", digest("a")))
		same.Annotations = map[string]string{"a": "b"}
		a.put(same)
		synctest.Wait()
		a.expectTold()

		a.put(stream(streamName, tagged("latest", digest("b"), digest("a"))))
		synctest.Wait()
		a.expectTold(location)
		a.expectDigest(digest("b"))

		a.put(stream(streamName, failing(tagged("latest", digest("b")), "Unauthorized", "no")))
		synctest.Wait()
		a.expectTold(location)
		a.expectDigest(digest("b"))

		later := stream(streamName, failing(tagged("latest", digest("b")), "Unauthorized", "no"))
		later.Status.Tags[0].Conditions[0].LastTransitionTime = metav1.NewTime(time.Unix(9000, 0))
		a.put(later)
		synctest.Wait()
		a.expectTold()

		a.put(stream("new", tagged("latest", digest("c"))))
		if err := a.ImageV1().ImageStreams(namespace).Delete(t.Context(), streamName, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		a.expectTold(namespace+"/new", location)
		a.expectError(sources.NotFound, "ImageStream rhel8-is does not exist in namespace images: create it")
	})
}

// TestWhoWatchesWhileTheFirstListIsReadIsToldOfAll begins to watch when the first list was handled,
// and is not known to be yet.
func TestWhoWatchesWhileTheFirstListIsReadIsToldOfAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, nil, stream(streamName, tagged("latest", digest("a"))))
		synctest.Wait()
		told := make(chan string, 8)
		ctx, cancel := context.WithCancel(t.Context())
		var watching sync.WaitGroup
		watching.Go(func() { a.resolver.Watch(ctx, func(location string) { told <- location }) })
		pass(t, time.Second)
		cancel()
		watching.Wait()
		if len(told) == 0 {
			t.Fatal("told of nothing")
		}
		if got := <-told; got != location {
			t.Errorf("told of %s", got)
		}
	})
}

func TestWhoWatchesLateIsToldOfAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, nil, stream(streamName, tagged("latest", digest("a"))))
		pass(t, time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		told := make(chan string, 8)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			a.resolver.Watch(ctx, func(location string) { told <- location })
		}()
		if got := <-told; got != location {
			t.Errorf("told of %s", got)
		}
		cancel()
		<-ended
		a.put(stream(streamName, tagged("latest", digest("b"))))
		synctest.Wait()
		if len(told) > 0 {
			t.Errorf("told of %s after the end", <-told)
		}
	})
}

func TestFailuresAreToldAndHeal(t *testing.T) {
	group := schema.GroupResource{Group: "image.openshift.io", Resource: resource}
	for name, test := range map[string]struct {
		failure error
		kind    sources.Kind
		part    string
	}{
		"the server may not read": {
			failure: apierrors.NewForbidden(group, "", errors.New("no rule")), kind: sources.Unauthorized, part: "no rule",
		},
		"the API's own server is down": {
			failure: apierrors.NewServiceUnavailable("no endpoints"), kind: sources.Unreachable, part: "no endpoints",
		},
		"the connection breaks": {
			failure: errors.New("connection reset\nby peer"), kind: sources.Unreachable, part: `connection reset\nby peer`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAPI(t, nil, stream(streamName, tagged("latest", digest("a"))))
				pass(t, time.Second)
				a.expectDigest(digest("a"))
				a.changes()

				a.answer(test.failure, nil)
				pass(t, 10*time.Second)
				a.expectError(test.kind, test.part)
				_, asked := a.counts()
				pass(t, time.Hour)
				if _, n := a.counts(); n-asked > 600 {
					t.Errorf("listed %d times within an hour", n-asked)
				}
				a.expectTold()

				a.put(stream(streamName, tagged("latest", digest("b"))))
				a.answer(nil, nil)
				pass(t, 2*time.Minute)
				a.expectTold(location)
				a.expectDigest(digest("b"))
			})
		})
	}
}

func TestAFailureToLookForTheAPIIsToldAndHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, apierrors.NewServiceUnavailable("no endpoints"), stream(streamName, tagged("latest", digest("a"))))
		synctest.Wait()
		a.expectError(sources.Unreachable, "no endpoints")
		a.answer(nil, nil)
		pass(t, pauseFailed+time.Second)
		a.expectDigest(digest("a"))
		a.expectTold(location)
	})
}

func TestResolveWaitsUntilAllIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(newAPI(t, nil, stream(streamName, tagged("latest", digest("a")))), nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		// Nobody runs it.
		_, err := r.Resolve(ctx, sources.Query{Location: location})
		if sources.KindOf(err) != sources.Transient || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), location) {
			t.Errorf("got %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, nil, stream(streamName, tagged("latest", digest("a"))))
		a.expectDigest(digest("a"))
	})
}

func TestAFailedImportThatReplacesNothingIsNoError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, nil, stream(streamName,
			failing(tagged("latest", digest("a")), "NotFound", "gone"), failing(tagged("new"), "NotFound", "no such image")))
		a.expectDigest(digest("a"))
		_, err := a.resolve(t.Context(), location+":new")
		if sources.KindOf(err) != sources.NotFound || !strings.HasSuffix(err.Error(), "NotFound: no such image") {
			t.Errorf("got %v", err)
		}
	})
}

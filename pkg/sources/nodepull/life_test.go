// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package nodepull

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	clienttesting "k8s.io/client-go/testing"

	"goldenimage.dev/pkg/sources"
)

// TestCancel checks that the Pod does not outlive who asked for it.
func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, scheduled)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		_, err := resolve(ctx, c.resolver())
		if !errors.Is(err, context.Canceled) || c.made != 1 {
			t.Errorf("error %v, with %d Pods", err, c.made)
		}
		c.leftovers(t)
	})
}

func TestThePodIsTakenAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, scheduled)
		time.AfterFunc(time.Minute, func() { _ = c.Tracker().Delete(podsResource(), namespace, "poll-"+uid) })
		_, err := resolve(t.Context(), c.resolver())
		checkError(t, err, sources.Transient, []string{"was deleted before it had an answer"})
	})
}

func TestWhatAnEarlierProcessLeft(t *testing.T) {
	target := Target{Namespace: namespace, Name: "fedora", UID: uid, URL: url}
	ref, err := target.image()
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		change func(*corev1.Pod)
		// lingers: it takes a while until it is gone.
		lingers bool
		says    string
	}{
		"it is deleted":                    {},
		"it is deleted, in a while":        {lingers: true},
		"it is being deleted already":      {change: func(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{} }},
		"it is another one's":              {change: func(p *corev1.Pod) { p.Labels = nil }, says: "is not one of this server's"},
		"it is of another cron":            {change: func(p *corev1.Pod) { p.OwnerReferences[0].UID = "other" }, says: "is not one of this server's"},
		"it has an answer, but from when?": {change: pulled("site.example/os/fedora@" + digestB)},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, pulled("site.example/os/fedora@"+digestA))
				c.lingers = tc.lingers
				earlier := Config{Image: worker}.render(target, ref, "", nil, time.Minute)
				earlier.UID, earlier.ResourceVersion = "earlier", "1"
				if tc.change != nil {
					tc.change(earlier)
				}
				if err := c.Tracker().Add(earlier); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				got, err := resolve(ctx, c.resolver())
				if tc.says != "" {
					checkError(t, err, sources.Transient, []string{tc.says})
					if pod, err := c.CoreV1().Pods(namespace).Get(t.Context(), earlier.Name, metav1.GetOptions{}); err != nil || pod.DeletionTimestamp != nil {
						t.Errorf("somebody else's Pod was touched: %v", err)
					}
					return
				}
				if err != nil || got.Digest != digestA || c.made != 1 {
					t.Errorf("got %+v %v with %d Pods", got, err, c.made)
				}
			})
		})
	}
}

func TestPodsAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, scheduled)
		r := NewResolver(Config{Client: c, Image: worker, Parallel: 3})
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				// Some are of the same cron.
				_, err := r.Resolve(t.Context(), sources.Query{Location: Location(namespace, "fedora", fmt.Sprint("uid-", i/2), url)})
				if err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if c.made != 3 {
			t.Errorf("%d Pods were made while none had an answer", c.made)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := resolve(ctx, r)
		checkError(t, err, sources.Unreachable, []string{"other images are being asked for"})
		c.set(pulled("site.example/os/fedora@" + digestA))
		c.act(namespace)
		all.Wait()
		if c.made != 20 || c.most != 3 {
			t.Errorf("%d Pods, %d at a time, want 20 and 3", c.made, c.most)
		}
		if len(r.gate.busy) != 0 || len(r.gate.slots) != 0 {
			t.Errorf("the gate still holds %d names and %d slots", len(r.gate.busy), len(r.gate.slots))
		}
		c.leftovers(t)
	})
}

// TestWatchesThatEnd checks that an answer which came while nobody watched is not missed.
func TestWatchesThatEnd(t *testing.T) {
	tests := map[string]struct {
		first func(stream *watch.FakeWatcher) (watch.Interface, error)
		after time.Duration
	}{
		"it is closed":       {func(w *watch.FakeWatcher) (watch.Interface, error) { w.Stop(); return w, nil }, rewatch},
		"it ends in trouble": {func(w *watch.FakeWatcher) (watch.Interface, error) { go w.Error(&metav1.Status{}); return w, nil }, rewatch},
		"its start is too long ago": {func(*watch.FakeWatcher) (watch.Interface, error) {
			return nil, apierrors.NewResourceExpired("too old")
		}, 0},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, pulled("site.example/os/fedora@"+digestA))
				c.PrependWatchReactor("pods", func(clienttesting.Action) (bool, watch.Interface, error) {
					c.act(namespace)
					stream, err := tc.first(watch.NewFake())
					return true, stream, err
				})
				start := time.Now()
				got, err := resolve(t.Context(), c.resolver())
				if err != nil || got.Digest != digestA {
					t.Errorf("got %+v %v", got, err)
				}
				if took := time.Since(start); took != tc.after {
					t.Errorf("it took %s, want %s", took, tc.after)
				}
			})
		})
	}
}

func TestTheClusterRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ verb, resource string }{
		"the Pod": {"create", "pods"}, "the account": {"get", "serviceaccounts"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			c.PrependReactor(tc.verb, tc.resource, func(clienttesting.Action) (bool, runtime.Object, error) {
				return true, nil, apierrors.NewForbidden(podsResource().GroupResource(), "poll", errors.New("exceeded quota"))
			})
			if err := c.Tracker().Add(&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "default"}}); err != nil {
				t.Fatal(err)
			}
			_, err := resolve(t.Context(), NewResolver(Config{Client: c, Image: worker, PullSecrets: []string{"pull"}}))
			checkError(t, err, sources.Transient, []string{"no node can be asked for " + image, "exceeded quota"})
		})
	}
}

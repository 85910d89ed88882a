// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package runner

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
)

var key = types.NamespacedName{Namespace: "ns", Name: "one"}

// running starts a Runner in a bubble of synctest and returns how to end it.
func running(t *testing.T, sync SyncFunc) (*Runner, func()) {
	t.Helper()
	r := New("test", clock.RealClock{}, sync)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Run(ctx, 2)
	}()
	return r, func() { cancel(); <-done }
}

func TestRunner(t *testing.T) {
	tests := map[string]struct {
		// sync answers the nth call, from 1.
		sync func(n int32) (time.Duration, error)
		// after this time there were this many calls.
		after time.Duration
		want  int32
	}{
		"a key is synced once":                  {func(int32) (time.Duration, error) { return 0, nil }, time.Hour, 1},
		"a sync that asks for it comes again":   {func(int32) (time.Duration, error) { return 10 * time.Minute, nil }, time.Hour + time.Minute, 7},
		"a failed key comes again after pauses": {func(int32) (time.Duration, error) { return 0, errors.New("no") }, 2 * time.Second, 4},
		"the pauses do not grow beyond minutes": {func(int32) (time.Duration, error) { return 0, errors.New("no") }, time.Hour, 38},
		"success forgets failures": {func(n int32) (time.Duration, error) {
			if n == 1 {
				return 0, errors.New("no")
			}
			return 0, nil
		}, time.Hour, 2},
		"a panic is a failure": {func(n int32) (time.Duration, error) {
			if n == 1 {
				panic("no")
			}
			return 0, nil
		}, time.Hour, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var calls atomic.Int32
				r, stop := running(t, func(context.Context, types.NamespacedName) (time.Duration, error) {
					return test.sync(calls.Add(1))
				})
				r.Enqueue(key)
				<-time.After(test.after)
				synctest.Wait()
				if got := calls.Load(); got != test.want {
					t.Errorf("synced %d times, want %d", got, test.want)
				}
				stop()
			})
		})
	}
}

func TestOneKeyIsSyncedByOneWorkerAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var inside, most, calls atomic.Int32
		r, stop := running(t, func(context.Context, types.NamespacedName) (time.Duration, error) {
			calls.Add(1)
			most.Store(max(most.Load(), inside.Add(1)))
			<-time.After(time.Second)
			inside.Add(-1)
			return 0, nil
		})
		for range 10 {
			r.Enqueue(key)
			<-time.After(300 * time.Millisecond)
		}
		<-time.After(time.Minute)
		if most.Load() != 1 || calls.Load() < 2 {
			t.Errorf("%d at a time, %d in all", most.Load(), calls.Load())
		}
		stop()
	})
}

func TestHandlerSeesAllChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := make(chan string, 10)
		r, stop := running(t, func(_ context.Context, key types.NamespacedName) (time.Duration, error) {
			seen <- key.Name
			return 0, nil
		})
		handler := r.Handler(func(obj any) []types.NamespacedName {
			return []types.NamespacedName{{Name: obj.(string)}}
		})
		handler.OnAdd("added", false)
		handler.OnUpdate("before", "after")
		handler.OnDelete("deleted")
		handler.OnDelete(cache.DeletedFinalStateUnknown{Obj: "missed"})
		synctest.Wait()
		got := map[string]bool{}
		for len(seen) > 0 {
			got[<-seen] = true
		}
		for _, name := range []string{"added", "before", "after", "deleted", "missed"} {
			if !got[name] {
				t.Errorf("%q was not synced: %v", name, got)
			}
		}
		stop()
	})
}

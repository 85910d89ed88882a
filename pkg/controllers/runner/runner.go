// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package runner

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

// Pauses before a failed key is synced again.
const (
	minPause = 250 * time.Millisecond
	maxPause = 2 * time.Minute
)

// A SyncFunc brings one object closer to what it should be. It returns after how long it
// wants to look again, 0 for not before something changes.
type SyncFunc func(ctx context.Context, key types.NamespacedName) (again time.Duration, err error)

// A Runner calls a SyncFunc for keys. Make one with New.
type Runner struct {
	name  string
	sync  SyncFunc
	queue workqueue.TypedRateLimitingInterface[types.NamespacedName]
	// seen tell whether what is watched was read once.
	seen []cache.DoneChecker
}

// New returns a Runner. The name appears in logs and metrics.
func New(name string, clk clock.WithTicker, sync SyncFunc) *Runner {
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[types.NamespacedName](minPause, maxPause)
	config := workqueue.TypedRateLimitingQueueConfig[types.NamespacedName]{Name: name, Clock: clk}
	return &Runner{name: name, sync: sync, queue: workqueue.NewTypedRateLimitingQueueWithConfig(limiter, config)}
}

// Enqueue asks for a sync of key as soon as a worker is free.
func (r *Runner) Enqueue(key types.NamespacedName) {
	r.queue.Add(key)
}

// EnqueueAfter asks for a sync of key after a while.
func (r *Runner) EnqueueAfter(key types.NamespacedName, after time.Duration) {
	r.queue.AddAfter(key, after)
}

// Handler returns an informer's event handler that enqueues the keys which keys returns for
// an object that was added, changed or deleted. Of a change both states are asked.
func (r *Runner) Handler(keys func(obj any) []types.NamespacedName) cache.ResourceEventHandler {
	enqueue := func(obj any) {
		if unknown, ok := obj.(cache.DeletedFinalStateUnknown); ok {
			obj = unknown.Obj
		}
		for _, key := range keys(obj) {
			r.queue.Add(key)
		}
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    enqueue,
		UpdateFunc: func(before, after any) { enqueue(before); enqueue(after) },
		DeleteFunc: enqueue,
	}
}

// Watch has the Handler of keys called by an informer. Run does not begin before all that is
// watched was read once. It must be called before Run.
func (r *Runner) Watch(informer cache.SharedIndexInformer, keys func(obj any) []types.NamespacedName) error {
	registration, err := informer.AddEventHandler(r.Handler(keys))
	if err != nil {
		return fmt.Errorf("watch for controller %s: %w", r.name, err)
	}
	r.seen = append(r.seen, registration.HasSyncedChecker())
	return nil
}

// Run syncs keys with a number of workers until ctx is done, and returns when the last sync
// has ended.
func (r *Runner) Run(ctx context.Context, workers int) {
	logger := klog.FromContext(ctx).WithValues("controller", r.name)
	ctx = klog.NewContext(ctx, logger)
	if !cache.WaitFor(ctx, "", r.seen...) {
		r.queue.ShutDown()
		return
	}
	logger.V(2).Info("Controller started", "workers", workers)
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for r.next(ctx) {
			}
		})
	}
	<-ctx.Done()
	r.queue.ShutDown()
	running.Wait()
}

func (r *Runner) next(ctx context.Context) bool {
	key, shutdown := r.queue.Get()
	if shutdown {
		return false
	}
	defer r.queue.Done(key)
	logger := klog.FromContext(ctx).WithValues("key", key)
	again, err := r.guarded(klog.NewContext(ctx, logger), key)
	switch {
	case err == nil:
		r.queue.Forget(key)
		if again > 0 {
			r.queue.AddAfter(key, again)
		}
	case ctx.Err() != nil:
	case apierrors.IsConflict(err):
		logger.V(4).Info("Object changed meanwhile, trying again", "reason", err.Error())
		r.queue.AddRateLimited(key)
	default:
		logger.Error(err, "Sync failed, trying again later", "attempt", r.queue.NumRequeues(key)+1)
		r.queue.AddRateLimited(key)
	}
	return true
}

var errPanic = errors.New("panic in sync")

// guarded keeps one object that makes a sync panic from ending the process for all others.
func (r *Runner) guarded(ctx context.Context, key types.NamespacedName) (again time.Duration, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, p, debug.Stack())
		}
	}()
	return r.sync(ctx, key)
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package imagestream

import (
	"context"
	"fmt"
	"time"

	imagev1 "github.com/openshift/api/image/v1"
	imagelisters "github.com/openshift/client-go/image/listers/image/v1"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

const (
	groupVersion = "image.openshift.io/v1"
	resource     = "imagestreams"
)

// Pauses before the API is looked for again.
const (
	// pauseAbsent: the cluster had no such API. It costs a request that is not found.
	pauseAbsent = time.Minute
	// pauseFailed: whether it has could not be found out.
	pauseFailed = 15 * time.Second
)

// Run keeps what is known of ImageStreams right until ctx is done. It is called once at a time.
func (r *Resolver) Run(ctx context.Context) {
	defer r.turn(func(s *state) { *s = state{} })
	for ctx.Err() == nil {
		timer := r.clock.NewTimer(r.follow(ctx))
		select {
		case <-ctx.Done():
		case <-timer.C():
		}
		timer.Stop()
	}
}

// follow looks for the API, and follows ImageStreams for as long as there is one. It returns after
// how long to do so again.
func (r *Resolver) follow(ctx context.Context) time.Duration {
	served, err := r.served(ctx)
	switch {
	case ctx.Err() != nil:
		return 0
	case err != nil:
		r.fail(ctx, err)
		return pauseFailed
	case served:
		if r.keep(ctx); ctx.Err() != nil {
			return 0
		}
		klog.FromContext(ctx).Info("The cluster serves ImageStreams no more")
	}
	again := r.clock.Now().Add(pauseAbsent)
	before := r.turn(func(s *state) { *s = state{absent: true, again: again} })
	r.tell(locations(before.streams)...)
	return pauseAbsent
}

// served asks whether the cluster has ImageStreams.
func (r *Resolver) served(ctx context.Context) (bool, error) {
	api := discovery.ToServerResourcesInterfaceWithContext(r.client.Discovery())
	list, err := api.ServerResourcesForGroupVersionWithContext(ctx, groupVersion)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for %s: %w", groupVersion, err)
	}
	for i := range list.APIResources {
		if list.APIResources[i].Name == resource {
			return true, nil
		}
	}
	return false, nil
}

// keep runs an informer until ctx is done or the API is gone. An informer alone would go on
// asking for it.
func (r *Resolver) keep(ctx context.Context) {
	running, stop := context.WithCancel(ctx)
	defer stop()
	informer := cache.NewSharedIndexInformerWithOptions(r.listWatch(stop), &imagev1.ImageStream{}, cache.SharedIndexInformerOptions{
		ObjectDescription: "ImageStream",
		Indexers:          cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc},
	})
	err := informer.SetTransform(func(obj any) (any, error) {
		if stream, ok := obj.(*imagev1.ImageStream); ok {
			return trim(stream), nil
		}
		return obj, nil
	})
	if err == nil {
		// Failures are told of where they arise.
		err = informer.SetWatchErrorHandlerWithContext(func(ctx context.Context, _ *cache.Reflector, err error) {
			klog.FromContext(ctx).V(4).Info("ImageStreams are listed and watched again", "reason", err.Error())
		})
	}
	var handled cache.ResourceEventHandlerRegistration
	if err == nil {
		handled, err = informer.AddEventHandler(r.handler())
	}
	if err != nil {
		// An informer that does not run yet takes all of these.
		klog.FromContext(ctx).Error(err, "ImageStreams cannot be watched")
		return
	}
	klog.FromContext(ctx).Info("The cluster serves ImageStreams, watching them")
	done := make(chan struct{})
	go func() {
		defer close(done)
		if cache.WaitForCacheSync(running.Done(), handled.HasSynced) {
			streams := imagelisters.NewImageStreamLister(informer.GetIndexer())
			r.turn(func(s *state) { s.absent, s.streams = false, streams })
			// Whoever began to watch before now was told of none of them.
			r.tell(locations(streams)...)
		}
	}()
	informer.RunWithContext(running)
	stop()
	<-done
}

// listWatch reads ImageStreams. It calls gone when there is no such API.
func (r *Resolver) listWatch(gone func()) cache.ListerWatcher {
	streams := r.client.ImageV1().ImageStreams(metav1.NamespaceAll)
	check := func(ctx context.Context, err error) error {
		switch {
		case apierrors.IsNotFound(err):
			gone()
		case err != nil && ctx.Err() == nil && !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err):
			r.fail(ctx, err)
		}
		return err
	}
	return cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			list, err := streams.List(ctx, options)
			return list, check(ctx, err)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			events, err := streams.Watch(ctx, options)
			switch {
			case err == nil:
				r.heal(ctx)
			case options.SendInitialEvents != nil && apierrors.IsInvalid(err):
				// A server that cannot list by a watch is asked to list.
			default:
				err = check(ctx, err)
			}
			return events, err
		},
	}, r.client)
}

// fail notes why ImageStreams cannot be read. A failure is logged once.
func (r *Resolver) fail(ctx context.Context, err error) {
	before := r.turn(func(s *state) { s.err = err })
	if before.err == nil || before.err.Error() != err.Error() {
		klog.FromContext(ctx).Error(err, "ImageStreams cannot be read, trying again")
	}
}

// heal notes that they can be read again. Whoever was told of the failure is to ask again.
func (r *Resolver) heal(ctx context.Context) {
	r.mu.Lock()
	failed := r.state.err != nil
	r.mu.Unlock()
	if !failed {
		return
	}
	before := r.turn(func(s *state) { s.err = nil })
	klog.FromContext(ctx).Info("ImageStreams can be read again")
	r.tell(locations(before.streams)...)
}

// handler tells of changes. The ImageStreams of the first list are told of when all are known:
// one who begins to watch before that is not to miss them.
func (r *Resolver) handler() cache.ResourceEventHandler {
	tell := func(obj any) {
		if key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(obj); err == nil {
			r.tell(key)
		}
	}
	return cache.ResourceEventHandlerDetailedFuncs{
		AddFunc: func(obj any, isInInitialList bool) {
			if !isInInitialList {
				tell(obj)
			}
		},
		DeleteFunc: tell,
		UpdateFunc: func(before, after any) {
			old, wasStream := before.(*imagev1.ImageStream)
			stream, isStream := after.(*imagev1.ImageStream)
			if wasStream && isStream && old.UID == stream.UID && equality.Semantic.DeepEqual(old.Status.Tags, stream.Status.Tags) {
				return
			}
			tell(after)
		},
	}
}

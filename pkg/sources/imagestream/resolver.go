// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package imagestream

import (
	"context"
	"sync"
	"time"

	imageclient "github.com/openshift/client-go/image/clientset/versioned"
	imagelisters "github.com/openshift/client-go/image/listers/image/v1"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"goldenimage.dev/pkg/sources"
)

// A Resolver finds out what the tags of ImageStreams name. Make one with New, and Run it.
type Resolver struct {
	client imageclient.Interface
	clock  clock.Clock

	mu    sync.Mutex
	state state
	// turned is closed when state becomes another, and made anew.
	turned   chan struct{}
	watchers map[*watcher]bool
}

// A state is what is known of the ImageStreams of a cluster. The zero value is nothing yet.
type state struct {
	// streams holds all ImageStreams; nil until it does.
	streams imagelisters.ImageStreamLister
	// absent tells that the cluster has no such API, and again when that is looked at next.
	absent bool
	again  time.Time
	// err is why they cannot be read now, nil if they can.
	err error
}

// A watcher is somebody who is told of changes.
type watcher struct {
	changed func(location string)
}

var (
	_ sources.Resolver = (*Resolver)(nil)
	_ sources.Watcher  = (*Resolver)(nil)
)

// New returns a Resolver for the ImageStreams of a cluster. It is safe for concurrent use.
func New(client imageclient.Interface, clk clock.Clock) *Resolver {
	return &Resolver{client: client, clock: clk, turned: make(chan struct{}), watchers: map[*watcher]bool{}}
}

// Resolve returns the image that a location, namespace/name[:tag], names now; without a tag, that
// of the first one that the ImageStream lists. The Revision's Location is the reference that the
// ImageStream has for it, which may lack the digest. While the cluster has no ImageStreams, that
// is NotFound, with the time when they are looked for again. Until it is known which there are,
// Resolve waits. All errors are sources.Errors.
//
// A tag whose last import failed names the image of the import before. That is the answer then;
// the failure is an error only of a tag that has no image.
func (r *Resolver) Resolve(ctx context.Context, query sources.Query) (sources.Revision, error) {
	name, err := parse(query.Location)
	if err != nil {
		return sources.Revision{}, err
	}
	streams, err := r.streams(ctx, query.Location)
	if err != nil {
		return sources.Revision{}, err
	}
	stream, err := streams.ImageStreams(name.namespace).Get(name.name)
	if apierrors.IsNotFound(err) {
		return sources.Revision{}, errorf(sources.NotFound, "ImageStream %s does not exist in namespace %s: create it, such as with oc import-image", name.name, name.namespace)
	}
	if err != nil {
		return sources.Revision{}, errorf(sources.Transient, "get ImageStream %s: %w", name.name, err)
	}
	for i, tag := range stream.Status.Tags {
		asked := tag.Tag == name.tag || name.tag == "" && i == 0
		if failure := failedImport(tag); failure != nil && asked && len(tag.Items) > 0 {
			klog.FromContext(ctx).V(2).Info("The last import of a tag failed, the image of the one before is used",
				"imageStream", klog.KObj(stream), "tag", tag.Tag, "reason", failure.Reason, "message", failure.Message)
		}
	}
	return revision(stream, name.tag)
}

// streams returns what is known of ImageStreams when that is all of them.
func (r *Resolver) streams(ctx context.Context, location string) (imagelisters.ImageStreamLister, error) {
	for {
		if ctx.Err() != nil {
			return nil, errorf(sources.Transient, "look for ImageStream %s: %w", location, context.Cause(ctx))
		}
		r.mu.Lock()
		known, turned := r.state, r.turned
		r.mu.Unlock()
		switch {
		case known.err != nil:
			return nil, unreadable(known.err)
		case known.absent:
			err := errorf(sources.NotFound, "this cluster does not serve ImageStreams of %s, which are a part of OpenShift: name the image by url", groupVersion)
			err.NotBefore = known.again
			return nil, err
		case known.streams != nil:
			return known.streams, nil
		}
		select {
		case <-turned:
		case <-ctx.Done():
		}
	}
}

// unreadable is the error for a cluster whose ImageStreams cannot be read.
func unreadable(cause error) error {
	kind := sources.Unreachable
	if apierrors.IsForbidden(cause) || apierrors.IsUnauthorized(cause) {
		kind = sources.Unauthorized
	}
	// The cause may be of several lines, so it is not wrapped but shown.
	return errorf(kind, "the server cannot read ImageStreams from the cluster's API: %s", show(cause.Error()))
}

// Watch calls changed with namespace/name of each ImageStream that is there at first, and whenever
// one is made, is deleted, or has other tags; also when all of them could not be read in between.
func (r *Resolver) Watch(ctx context.Context, changed func(location string)) {
	w := &watcher{changed: changed}
	r.mu.Lock()
	r.watchers[w] = true
	streams := r.state.streams
	r.mu.Unlock()
	for _, location := range locations(streams) {
		changed(location)
	}
	<-ctx.Done()
	r.mu.Lock()
	delete(r.watchers, w)
	r.mu.Unlock()
}

// tell calls all watchers.
func (r *Resolver) tell(locations ...string) {
	r.mu.Lock()
	watchers := make([]*watcher, 0, len(r.watchers))
	for w := range r.watchers {
		watchers = append(watchers, w)
	}
	r.mu.Unlock()
	for _, w := range watchers {
		for _, location := range locations {
			w.changed(location)
		}
	}
}

// locations are namespace/name of all ImageStreams that are known.
func locations(streams imagelisters.ImageStreamLister) []string {
	if streams == nil {
		return nil
	}
	all, err := streams.List(labels.Everything())
	if err != nil {
		return nil
	}
	found := make([]string, len(all))
	for i, stream := range all {
		found[i] = stream.Namespace + "/" + stream.Name
	}
	return found
}

// turn changes what is known, and returns what was known before.
func (r *Resolver) turn(change func(*state)) state {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.state
	change(&r.state)
	close(r.turned)
	r.turned = make(chan struct{})
	return before
}

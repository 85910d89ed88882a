// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package storageprofile

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

// Pauses before VolumeSnapshotClasses are listed again.
const (
	// pauseAbsent: the cluster had no such API. It costs a request that is not found.
	pauseAbsent = time.Minute
	// pauseFailed: they could not be read.
	pauseFailed = 15 * time.Second
	// pauseWatched: a watch ended, as all do sooner or later.
	pauseWatched = 2 * time.Second
)

// SnapshotClasses knows the VolumeSnapshotClasses of a cluster.
type SnapshotClasses interface {
	// List returns them in order of their names; none while the cluster has no such API.
	List() []SnapshotClass
	// Watch keeps List right until ctx is done. It calls changed when List is right for the
	// first time, and after each change of it.
	Watch(ctx context.Context, changed func())
}

// A ClassReader is SnapshotClasses read from a cluster's API, which may come and go: it belongs
// to custom resources that are installed with the storage. Make one with NewClassReader.
type ClassReader struct {
	client dynamic.ResourceInterface
	clock  clock.Clock

	mu      sync.Mutex
	known   bool
	classes map[string]SnapshotClass
	// said is the failure that was logged last. Only Watch uses it.
	said string
}

var _ SnapshotClasses = &ClassReader{}

// NewClassReader returns a ClassReader of a cluster.
func NewClassReader(client dynamic.Interface, clk clock.Clock) *ClassReader {
	return &ClassReader{client: client.Resource(classResource()), clock: clk}
}

func classResource() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "snapshot.storage.k8s.io", Version: "v1", Resource: "volumesnapshotclasses"}
}

// List returns the classes in order of their names.
func (r *ClassReader) List() []SnapshotClass {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.SortedFunc(maps.Values(r.classes), func(a, b SnapshotClass) int { return cmp.Compare(a.Name, b.Name) })
}

// Watch lists and watches until ctx is done.
func (r *ClassReader) Watch(ctx context.Context, changed func()) {
	for ctx.Err() == nil {
		pause := r.follow(ctx, changed)
		timer := r.clock.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-timer.C():
		}
		timer.Stop()
	}
}

// follow lists the classes and watches them for as long as the API lets it. It returns after how
// long to do so again.
func (r *ClassReader) follow(ctx context.Context, changed func()) time.Duration {
	list, err := r.client.List(ctx, metav1.ListOptions{})
	switch {
	case err == nil:
		r.said = ""
	case ctx.Err() != nil:
		return 0
	case apierrors.IsNotFound(err):
		r.said = ""
		r.replace(nil, changed)
		return pauseAbsent
	default:
		return r.failed(ctx, err, changed)
	}
	classes := map[string]SnapshotClass{}
	for i := range list.Items {
		classes[list.Items[i].GetName()] = classOf(&list.Items[i])
	}
	r.replace(classes, changed)
	events, err := r.client.Watch(ctx, metav1.ListOptions{ResourceVersion: list.GetResourceVersion()})
	if err != nil {
		if ctx.Err() == nil {
			klog.FromContext(ctx).Info("VolumeSnapshotClasses cannot be watched, listing them again", "reason", err.Error())
		}
		return pauseFailed
	}
	defer events.Stop()
	for {
		select {
		case <-ctx.Done():
			return 0
		case event, open := <-events.ResultChan():
			if !open || !r.take(event, changed) {
				return pauseWatched
			}
		}
	}
}

// failed keeps what is known. A server that may not read the classes knows that there are none
// for it; otherwise no StorageProfile would ever be made.
func (r *ClassReader) failed(ctx context.Context, err error, changed func()) time.Duration {
	if said := err.Error(); said != r.said {
		r.said = said
		klog.FromContext(ctx).Error(err, "VolumeSnapshotClasses cannot be listed, trying again later")
	}
	if !apierrors.IsForbidden(err) {
		return pauseFailed
	}
	r.mu.Lock()
	known := r.known
	r.mu.Unlock()
	if !known {
		r.replace(nil, changed)
	}
	return pauseAbsent
}

// replace sets the classes, and tells if that made a difference.
func (r *ClassReader) replace(classes map[string]SnapshotClass, changed func()) {
	r.mu.Lock()
	same := r.known && maps.EqualFunc(r.classes, classes, equal)
	r.known, r.classes = true, classes
	r.mu.Unlock()
	if !same {
		changed()
	}
}

// take applies an event of a watch. It returns whether more can come.
func (r *ClassReader) take(event watch.Event, changed func()) bool {
	obj, ok := event.Object.(*unstructured.Unstructured)
	if !ok {
		// An error, such as that the version the watch began with is too old.
		return false
	}
	r.mu.Lock()
	classes := maps.Clone(r.classes)
	r.mu.Unlock()
	switch event.Type {
	case watch.Added, watch.Modified:
		classes[obj.GetName()] = classOf(obj)
	case watch.Deleted:
		delete(classes, obj.GetName())
	case watch.Bookmark:
		return true
	default:
		return false
	}
	r.replace(classes, changed)
	return true
}

// classOf reads what counts of a VolumeSnapshotClass. What is not of the type that it should have
// is taken to be absent.
func classOf(obj *unstructured.Unstructured) SnapshotClass {
	class := SnapshotClass{Name: obj.GetName(), Default: obj.GetAnnotations()[annDefaultSnapshotClass] == yes, Parameters: map[string]string{}}
	if name, ok := obj.Object["driver"].(string); ok {
		class.Driver = name
	}
	parameters, ok := obj.Object["parameters"].(map[string]any)
	if !ok {
		return class
	}
	for key, value := range parameters {
		class.Parameters[key] = fmt.Sprint(value)
	}
	return class
}

func equal(a, b SnapshotClass) bool {
	return a.Name == b.Name && a.Driver == b.Driver && a.Default == b.Default && maps.Equal(a.Parameters, b.Parameters)
}

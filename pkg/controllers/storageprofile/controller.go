// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package storageprofile

import (
	"context"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	coreinformers "k8s.io/client-go/informers/core/v1"
	storageinformers "k8s.io/client-go/informers/storage/v1"
	"k8s.io/client-go/kubernetes"
	storagelisters "k8s.io/client-go/listers/storage/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"goldenimage.dev/pkg/controllers/lineage"
	"goldenimage.dev/pkg/controllers/runner"
	"goldenimage.dev/pkg/generated/clientset/versioned"
	informers "goldenimage.dev/pkg/generated/informers/externalversions/cdi/v1beta1"
	listers "goldenimage.dev/pkg/generated/listers/cdi/v1beta1"
)

const (
	controllerName = "storageprofile"
	defaultWorkers = 2

	// byClass indexes PersistentVolumes by the name of their StorageClass.
	byClass = "storageprofile/class"
)

// Config is what a Controller works with. All fields are needed; no informer may be started yet.
type Config struct {
	// Client writes StorageProfiles. Kube is asked whether a StorageClass is really gone.
	Client versioned.Interface
	Kube   kubernetes.Interface
	// Profiles, Classes and Volumes are what decisions are made from.
	Profiles informers.StorageProfileInformer
	Classes  storageinformers.StorageClassInformer
	Volumes  coreinformers.PersistentVolumeInformer
	// Snapshots are the cluster's VolumeSnapshotClasses, which Run watches.
	Snapshots SnapshotClasses
	// Recorder takes the events, on StorageProfiles.
	Recorder record.EventRecorder
	// Clock tells when conditions changed.
	Clock clock.WithTicker
}

// A Controller keeps StorageProfiles. Make one with New.
type Controller struct {
	client    versioned.Interface
	kube      kubernetes.Interface
	profiles  listers.StorageProfileLister
	classes   storagelisters.StorageClassLister
	volumes   cache.Indexer
	snapshots SnapshotClasses
	events    record.EventRecorder
	clock     clock.WithTicker
	runner    *runner.Runner
}

// New returns a Controller, whose handlers and indexes it adds to the informers.
func New(cfg Config) (*Controller, error) {
	volumes := cfg.Volumes.Informer()
	if err := volumes.AddIndexers(cache.Indexers{byClass: classKeys}); err != nil {
		return nil, fmt.Errorf("new storageprofile controller: %w", err)
	}
	c := &Controller{
		client: cfg.Client, kube: cfg.Kube, profiles: cfg.Profiles.Lister(), classes: cfg.Classes.Lister(),
		volumes: volumes.GetIndexer(), snapshots: cfg.Snapshots, events: cfg.Recorder, clock: cfg.Clock,
	}
	c.runner = runner.New(controllerName, cfg.Clock, c.sync)
	for _, watch := range []struct {
		informer cache.SharedIndexInformer
		keys     func(any) []types.NamespacedName
	}{
		{cfg.Profiles.Informer(), lineage.Own},
		{cfg.Classes.Informer(), lineage.Own},
		{volumes, c.ofVolume},
	} {
		if err := c.runner.Watch(watch.informer, watch.keys); err != nil {
			return nil, fmt.Errorf("new storageprofile controller: %w", err)
		}
	}
	return c, nil
}

func classKeys(obj any) ([]string, error) {
	volume, ok := obj.(*corev1.PersistentVolume)
	if !ok || volume.Spec.StorageClassName == "" {
		return nil, nil
	}
	return []string{volume.Spec.StorageClassName}, nil
}

// ofVolume returns the class of a volume, if volumes are all there is to know of it.
func (c *Controller) ofVolume(obj any) []types.NamespacedName {
	volume, ok := obj.(*corev1.PersistentVolume)
	if !ok {
		return nil
	}
	class, err := c.classes.Get(volume.Spec.StorageClassName)
	if err != nil || class.Provisioner != noProvisioner {
		// A class that comes later is synced when it does.
		return nil
	}
	return lineage.Own(class)
}

// Run syncs with a number of workers, 2 if it is not positive, until ctx is done. It waits for
// the informers, which the caller starts, and until it is known which VolumeSnapshotClasses there
// are: profiles do not change for as long as a start takes.
func (c *Controller) Run(ctx context.Context, workers int) {
	if workers <= 0 {
		workers = defaultWorkers
	}
	known := make(chan struct{})
	var first sync.Once
	var watching sync.WaitGroup
	watching.Go(func() {
		watched := klog.NewContext(ctx, klog.FromContext(ctx).WithValues("controller", controllerName))
		c.snapshots.Watch(watched, func() {
			first.Do(func() { close(known) })
			c.all()
		})
	})
	select {
	case <-known:
	case <-ctx.Done():
	}
	c.runner.Run(ctx, workers)
	watching.Wait()
}

// all enqueues all classes: whatever changes about VolumeSnapshotClasses may be about any.
func (c *Controller) all() {
	// The lister reads a cache, which gives no error.
	classes, _ := c.classes.List(labels.Everything())
	for _, class := range classes {
		c.runner.Enqueue(types.NamespacedName{Name: class.Name})
	}
}

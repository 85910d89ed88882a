// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package datasource

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	coreinformers "k8s.io/client-go/informers/core/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/lineage"
	"goldenimage.dev/pkg/controllers/runner"
	"goldenimage.dev/pkg/generated/clientset/versioned"
	informers "goldenimage.dev/pkg/generated/informers/externalversions/cdi/v1beta1"
	listers "goldenimage.dev/pkg/generated/listers/cdi/v1beta1"
)

const (
	defaultWorkers = 4

	// byClaim indexes DataSources by the claim that they name, as namespace/name.
	byClaim = "datasource/claim"
	// byPointer indexes DataSources by the DataSource that they point to.
	byPointer = "datasource/pointer"
)

// Config is what a Controller works with. All fields are needed; no informer may be started yet.
type Config struct {
	// Client writes DataSources.
	Client versioned.Interface
	// Sources, Volumes and Claims, of all namespaces, are what decisions are made from.
	Sources informers.DataSourceInformer
	Volumes informers.DataVolumeInformer
	Claims  coreinformers.PersistentVolumeClaimInformer
	// Recorder takes the events, on DataSources.
	Recorder record.EventRecorder
	// Clock tells when conditions changed.
	Clock clock.WithTicker
}

// A Controller keeps the status of DataSources. Make one with New.
type Controller struct {
	client  versioned.Interface
	sources listers.DataSourceLister
	index   cache.Indexer
	volumes listers.DataVolumeLister
	claims  corelisters.PersistentVolumeClaimLister
	events  record.EventRecorder
	clock   clock.WithTicker
	runner  *runner.Runner
}

// New returns a Controller, whose handlers and indexes it adds to the informers.
func New(cfg Config) (*Controller, error) {
	sources := cfg.Sources.Informer()
	if err := sources.AddIndexers(cache.Indexers{byClaim: claimKeys, byPointer: pointerKeys}); err != nil {
		return nil, fmt.Errorf("new datasource controller: %w", err)
	}
	c := &Controller{
		client: cfg.Client, sources: cfg.Sources.Lister(), index: sources.GetIndexer(),
		volumes: cfg.Volumes.Lister(), claims: cfg.Claims.Lister(), events: cfg.Recorder, clock: cfg.Clock,
	}
	c.runner = runner.New("datasource", cfg.Clock, c.sync)
	for _, watch := range []struct {
		informer cache.SharedIndexInformer
		keys     func(any) []types.NamespacedName
	}{
		{sources, c.ofSource},
		{cfg.Volumes.Informer(), c.ofClaim},
		{cfg.Claims.Informer(), c.ofClaim},
	} {
		if err := c.runner.Watch(watch.informer, watch.keys); err != nil {
			return nil, fmt.Errorf("new datasource controller: %w", err)
		}
	}
	return c, nil
}

func claimKeys(obj any) ([]string, error) {
	source, ok := obj.(*v1beta1.DataSource)
	if !ok || source.Spec.Source.PVC == nil {
		return nil, nil
	}
	return []string{claimOf(source).String()}, nil
}

func pointerKeys(obj any) ([]string, error) {
	source, ok := obj.(*v1beta1.DataSource)
	if !ok {
		return nil, nil
	}
	if to, ok := pointer(source); ok {
		return []string{to.String()}, nil
	}
	return nil, nil
}

// ofSource returns a DataSource and those that point to it.
func (c *Controller) ofSource(obj any) []types.NamespacedName {
	own := lineage.Own(obj)
	keys := own
	for _, key := range own {
		keys = append(keys, c.indexed(byPointer, key)...)
	}
	return keys
}

// ofClaim returns, for a claim or the DataVolume of its name, the DataSources that point to it,
// and those that point to them.
func (c *Controller) ofClaim(obj any) []types.NamespacedName {
	switch obj.(type) {
	case *corev1.PersistentVolumeClaim, *v1beta1.DataVolume:
	default:
		return nil
	}
	var keys []types.NamespacedName
	for _, key := range lineage.Own(obj) {
		for _, source := range c.indexed(byClaim, key) {
			keys = append(append(keys, source), c.indexed(byPointer, source)...)
		}
	}
	return keys
}

func (c *Controller) indexed(name string, key types.NamespacedName) []types.NamespacedName {
	// An error is of an index that does not exist, and New has made it.
	objects, _ := c.index.ByIndex(name, key.String())
	keys := make([]types.NamespacedName, 0, len(objects))
	for _, obj := range objects {
		keys = append(keys, lineage.Own(obj)...)
	}
	return keys
}

// Run syncs with a number of workers, 4 if it is not positive, until ctx is done. It waits for
// the informers, which the caller starts.
func (c *Controller) Run(ctx context.Context, workers int) {
	if workers <= 0 {
		workers = defaultWorkers
	}
	c.runner.Run(ctx, workers)
}

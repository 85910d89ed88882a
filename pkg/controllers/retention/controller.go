// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package retention

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	coreinformers "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/kubernetes"
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
	defaultWorkers = 2

	// byCron indexes objects by the cron whose label they carry, as namespace/name.
	byCron = "retention/cron"
	// byClaim indexes DataVolumes by the claim that they are copying, and DataSources by those
	// that they point to, as namespace/name.
	byClaim = "retention/claim"
)

// Config is what a Controller works with. All fields are needed; no informer may be started yet.
type Config struct {
	// Client deletes DataVolumes and DataSources, and patches DataVolumes.
	Client versioned.Interface
	// Kube needs get, patch and delete on persistentvolumeclaims.
	Kube kubernetes.Interface
	// Crons, Volumes, Sources and Claims are what decisions are made from. Volumes and
	// Sources must be those of all namespaces.
	Crons   informers.DataImportCronInformer
	Volumes informers.DataVolumeInformer
	Sources informers.DataSourceInformer
	Claims  coreinformers.PersistentVolumeClaimInformer
	// Recorder takes the events, on DataImportCrons.
	Recorder record.EventRecorder
	// Clock tells how long ago an import was current.
	Clock clock.WithTicker
}

// A Controller deletes imports. Make one with New.
type Controller struct {
	client  versioned.Interface
	kube    kubernetes.Interface
	crons   listers.DataImportCronLister
	volumes listers.DataVolumeLister
	claims  corelisters.PersistentVolumeClaimLister
	sources listers.DataSourceLister
	// Indexes of the same informers.
	volumeIndex, claimIndex, sourceIndex cache.Indexer

	events record.EventRecorder
	clock  clock.WithTicker
	runner *runner.Runner
}

// New returns a Controller, whose handlers and indexes it adds to the informers.
func New(cfg Config) (*Controller, error) {
	c := &Controller{
		client: cfg.Client, kube: cfg.Kube,
		crons: cfg.Crons.Lister(), volumes: cfg.Volumes.Lister(), claims: cfg.Claims.Lister(), sources: cfg.Sources.Lister(),
		volumeIndex: cfg.Volumes.Informer().GetIndexer(), claimIndex: cfg.Claims.Informer().GetIndexer(),
		sourceIndex: cfg.Sources.Informer().GetIndexer(),
		events:      cfg.Recorder, clock: cfg.Clock,
	}
	c.runner = runner.New("retention", cfg.Clock, c.sync)
	for _, watch := range []struct {
		informer cache.SharedIndexInformer
		indexers cache.Indexers
		keys     func(any) []types.NamespacedName
	}{
		{cfg.Crons.Informer(), nil, lineage.Own},
		{cfg.Volumes.Informer(), cache.Indexers{byCron: cronKey, byClaim: copiedKeys}, c.ofVolume},
		{cfg.Claims.Informer(), cache.Indexers{byCron: cronKey}, lineage.CronsOfClaim(c.volumes)},
		{cfg.Sources.Informer(), cache.Indexers{byCron: cronKey, byClaim: pointedKeys}, c.ofSource},
	} {
		if err := watch.informer.AddIndexers(watch.indexers); err != nil {
			return nil, fmt.Errorf("new retention controller: %w", err)
		}
		if err := c.runner.Watch(watch.informer, watch.keys); err != nil {
			return nil, fmt.Errorf("new retention controller: %w", err)
		}
	}
	return c, nil
}

func cronKey(obj any) ([]string, error) {
	return texts(lineage.Crons(obj)), nil
}

func texts(keys []types.NamespacedName) []string {
	var all []string
	for _, key := range keys {
		all = append(all, key.String())
	}
	return all
}

// copiedKeys returns the claims that a DataVolume is copying or is going to.
func copiedKeys(obj any) ([]string, error) {
	volume, ok := obj.(*v1beta1.DataVolume)
	if !ok || volume.Status.Phase == v1beta1.Succeeded || volume.Status.Phase == v1beta1.Failed {
		return nil, nil
	}
	var keys []string
	if key := volume.Annotations[v1beta1.AnnCloneSource]; key != "" {
		keys = append(keys, key)
	}
	if src := volume.Spec.Source; src != nil && src.PVC != nil {
		keys = append(keys, texts([]types.NamespacedName{claimKey(volume, src.PVC)})...)
	}
	return keys, nil
}

// pointedKeys returns the claims that a DataSource points to, or pointed to when it was
// resolved last.
func pointedKeys(obj any) ([]string, error) {
	source, ok := obj.(*v1beta1.DataSource)
	if !ok {
		return nil, nil
	}
	return texts(pointed(source)), nil
}

func pointed(source *v1beta1.DataSource) []types.NamespacedName {
	var keys []types.NamespacedName
	for _, to := range []*v1beta1.DataVolumeSourcePVC{source.Spec.Source.PVC, source.Status.Source.PVC} {
		if to != nil {
			keys = append(keys, claimKey(source, to))
		}
	}
	return keys
}

// claimKey returns the key of a claim that obj names, in its own namespace if it gives none.
func claimKey(obj metav1.Object, to *v1beta1.DataVolumeSourcePVC) types.NamespacedName {
	key := types.NamespacedName{Namespace: to.Namespace, Name: to.Name}
	if key.Namespace == "" {
		key.Namespace = obj.GetNamespace()
	}
	return key
}

// ofVolume returns the cron of an import, and those whose imports a clone copies.
func (c *Controller) ofVolume(obj any) []types.NamespacedName {
	keys := lineage.Crons(obj)
	copied, _ := copiedKeys(obj) // has no error
	for _, key := range copied {
		keys = append(keys, c.ofClaim(key)...)
	}
	return keys
}

// ofSource returns the cron of a DataSource, and those to whose imports it points.
func (c *Controller) ofSource(obj any) []types.NamespacedName {
	keys := lineage.Crons(obj)
	if source, ok := obj.(*v1beta1.DataSource); ok {
		for _, key := range pointed(source) {
			keys = append(keys, c.ofClaim(key.String())...)
		}
	}
	return keys
}

func (c *Controller) ofClaim(key string) []types.NamespacedName {
	claim, ok, err := c.claimIndex.GetByKey(key)
	if err != nil || !ok {
		return nil
	}
	return lineage.CronsOfClaim(c.volumes)(claim)
}

// listed returns the objects of an index that are of a kind.
func listed[T *v1beta1.DataVolume | *v1beta1.DataSource | *corev1.PersistentVolumeClaim](index cache.Indexer, name, key string) ([]T, error) {
	objects, err := index.ByIndex(name, key)
	if err != nil {
		return nil, fmt.Errorf("list by %s: %w", name, err)
	}
	found := make([]T, 0, len(objects))
	for _, obj := range objects {
		if typed, ok := obj.(T); ok {
			found = append(found, typed)
		}
	}
	return found, nil
}

// Run syncs with a number of workers, 2 if it is not positive, until ctx is done. It waits for
// the informers, which the caller starts.
func (c *Controller) Run(ctx context.Context, workers int) {
	if workers <= 0 {
		workers = defaultWorkers
	}
	c.runner.Run(ctx, workers)
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package publish

import (
	"context"
	"fmt"

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
	defaultWorkers = 4
	// byManaged indexes DataImportCrons by the DataSource that they manage.
	byManaged = "publish/managedDataSource"
)

// Config is what a Controller works with. All fields are needed; no informer may be started yet.
type Config struct {
	// Client writes DataSources, DataImportCrons and DataVolumes.
	Client versioned.Interface
	// Kube needs patch on persistentvolumeclaims.
	Kube kubernetes.Interface
	// Crons, Volumes, Sources and Claims are what decisions are made from.
	Crons   informers.DataImportCronInformer
	Volumes informers.DataVolumeInformer
	Sources informers.DataSourceInformer
	Claims  coreinformers.PersistentVolumeClaimInformer
	// Recorder takes the events, on DataImportCrons.
	Recorder record.EventRecorder
	// Clock tells when an import was last current.
	Clock clock.WithTicker
}

// A Controller points DataSources to imports. Make one with New.
type Controller struct {
	client  versioned.Interface
	kube    kubernetes.Interface
	crons   listers.DataImportCronLister
	managed cache.Indexer
	volumes listers.DataVolumeLister
	sources listers.DataSourceLister
	claims  corelisters.PersistentVolumeClaimLister
	events  record.EventRecorder
	clock   clock.WithTicker
	runner  *runner.Runner
}

// New returns a Controller, whose handlers and index it adds to the informers.
func New(cfg Config) (*Controller, error) {
	crons := cfg.Crons.Informer()
	if err := crons.AddIndexers(cache.Indexers{byManaged: managedKey}); err != nil {
		return nil, fmt.Errorf("new publish controller: %w", err)
	}
	c := &Controller{
		client: cfg.Client, kube: cfg.Kube,
		crons: cfg.Crons.Lister(), managed: crons.GetIndexer(), volumes: cfg.Volumes.Lister(), sources: cfg.Sources.Lister(),
		claims: cfg.Claims.Lister(), events: cfg.Recorder, clock: cfg.Clock,
	}
	c.runner = runner.New("publish", cfg.Clock, c.sync)
	for _, watch := range []struct {
		informer cache.SharedIndexInformer
		keys     func(any) []types.NamespacedName
	}{
		{crons, c.ofCron},
		{cfg.Volumes.Informer(), lineage.Crons},
		{cfg.Claims.Informer(), lineage.CronsOfClaim(c.volumes)},
		{cfg.Sources.Informer(), c.ofSource},
	} {
		if err := c.runner.Watch(watch.informer, watch.keys); err != nil {
			return nil, fmt.Errorf("new publish controller: %w", err)
		}
	}
	return c, nil
}

func managedKey(obj any) ([]string, error) {
	cron, ok := obj.(*v1beta1.DataImportCron)
	if !ok {
		return nil, nil
	}
	return []string{cron.Namespace + "/" + cron.Spec.ManagedDataSource}, nil
}

// ofCron returns a cron and those that manage the same DataSource: what one gives up, another
// may take.
func (c *Controller) ofCron(obj any) []types.NamespacedName {
	cron, ok := obj.(*v1beta1.DataImportCron)
	if !ok {
		return nil
	}
	return append(lineage.Own(cron), c.managers(cron.Namespace, cron.Spec.ManagedDataSource)...)
}

// ofSource returns the crons that manage a DataSource, whatever its label says.
func (c *Controller) ofSource(obj any) []types.NamespacedName {
	source, ok := obj.(*v1beta1.DataSource)
	if !ok {
		return nil
	}
	return c.managers(source.Namespace, source.Name)
}

func (c *Controller) managers(namespace, source string) []types.NamespacedName {
	// An error is of an index that does not exist, and New has made it.
	crons, _ := c.managed.ByIndex(byManaged, namespace+"/"+source)
	keys := make([]types.NamespacedName, 0, len(crons))
	for _, cron := range crons {
		keys = append(keys, lineage.Own(cron)...)
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

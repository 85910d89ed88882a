// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	coreinformers "k8s.io/client-go/informers/core/v1"
	storageinformers "k8s.io/client-go/informers/storage/v1"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	storagelisters "k8s.io/client-go/listers/storage/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"

	"goldenimage.dev/pkg/controllers/access"
	"goldenimage.dev/pkg/controllers/runner"
	"goldenimage.dev/pkg/generated/clientset/versioned"
	cdiinformers "goldenimage.dev/pkg/generated/informers/externalversions/cdi/v1beta1"
	cdilisters "goldenimage.dev/pkg/generated/listers/cdi/v1beta1"
	"goldenimage.dev/pkg/sources"
)

// name of the controller in logs and metrics.
const controllerName = "volume"

// Config is what a Controller is made from. All fields are required but those that say so.
type Config struct {
	// CDI writes DataVolumes; Kubernetes writes everything else, and reads worker logs.
	CDI        versioned.Interface
	Kubernetes kubernetes.Interface

	DataVolumes    cdiinformers.DataVolumeInformer
	DataSources    cdiinformers.DataSourceInformer
	Claims         coreinformers.PersistentVolumeClaimInformer
	Volumes        coreinformers.PersistentVolumeInformer
	StorageClasses storageinformers.StorageClassInformer
	CSIDrivers     storageinformers.CSIDriverInformer
	// Pods may be limited to those with the label LabelApp=LabelAppValue.
	Pods coreinformers.PodInformer

	// Recorder's scheme must know DataVolumes.
	Recorder record.EventRecorder
	Clock    clock.WithTicker
	// Resolver asks registries for digests; nil if only images that are named by digest, or
	// pulled by nodes, shall be imported.
	Resolver sources.Resolver
	// Worker's Image is required.
	Worker WorkerOptions
	// Access reads what a source needs to be read with.
	Access access.Reader
	// ImageVolumes tells that the cluster can mount images as volumes: Kubernetes 1.35 or newer.
	ImageVolumes bool
	// FilesystemOverhead is the share of a Filesystem volume that is added to a disk's size, as
	// 0.06. 0 adds nothing.
	FilesystemOverhead float64
}

// A Controller fills DataVolumes. Make one with New.
type Controller struct {
	cdi          versioned.Interface
	kube         kubernetes.Interface
	dataVolumes  cdilisters.DataVolumeLister
	volumeIndex  cache.Indexer
	dataSources  cdilisters.DataSourceLister
	claims       corelisters.PersistentVolumeClaimLister
	volumes      corelisters.PersistentVolumeLister
	handed       cache.Indexer
	claimIndex   cache.Indexer
	podIndex     cache.Indexer
	classes      storagelisters.StorageClassLister
	drivers      storagelisters.CSIDriverLister
	pods         corelisters.PodLister
	recorder     record.EventRecorder
	clock        clock.WithTicker
	resolver     sources.Resolver
	access       access.Reader
	progress     progressReader
	worker       WorkerOptions
	imageVolumes bool
	overhead     float64
	holds        holds
	runner       *runner.Runner
}

// New returns a Controller and adds its handlers and indexes to the informers of config, which
// must not have been started. It fails if something required is missing.
func New(config Config) (*Controller, error) {
	if config.Worker.Image == "" {
		return nil, errors.New("volume controller: the worker's image is not set")
	}
	if config.FilesystemOverhead < 0 || config.FilesystemOverhead >= 1 {
		return nil, fmt.Errorf("volume controller: the file system overhead is %v: it must be at least 0 and below 1", config.FilesystemOverhead)
	}
	c := newController(config)
	c.runner = runner.New(controllerName, config.Clock, c.Sync)
	if err := c.wire(config); err != nil {
		return nil, fmt.Errorf("volume controller: %w", err)
	}
	return c, nil
}

// newController returns a Controller that nothing wakes yet.
func newController(config Config) *Controller {
	return &Controller{
		cdi: config.CDI, kube: config.Kubernetes,
		dataVolumes: config.DataVolumes.Lister(), volumeIndex: config.DataVolumes.Informer().GetIndexer(),
		dataSources: config.DataSources.Lister(),
		claims:      config.Claims.Lister(), claimIndex: config.Claims.Informer().GetIndexer(),
		volumes: config.Volumes.Lister(), handed: config.Volumes.Informer().GetIndexer(),
		classes: config.StorageClasses.Lister(), drivers: config.CSIDrivers.Lister(),
		pods: config.Pods.Lister(), podIndex: config.Pods.Informer().GetIndexer(),
		recorder: config.Recorder, clock: config.Clock, resolver: config.Resolver,
		access:   config.Access,
		progress: logReader{client: config.Kubernetes},
		worker:   config.Worker, imageVolumes: config.ImageVolumes, overhead: config.FilesystemOverhead,
	}
}

func (c *Controller) wire(config Config) error {
	if err := config.DataVolumes.Informer().AddIndexers(volumeIndexers()); err != nil {
		return fmt.Errorf("index data volumes: %w", err)
	}
	if err := config.Volumes.Informer().AddIndexers(handedIndexers()); err != nil {
		return fmt.Errorf("index volumes: %w", err)
	}
	if err := config.Claims.Informer().AddIndexers(madeIndexers()); err != nil {
		return fmt.Errorf("index claims: %w", err)
	}
	if err := config.Pods.Informer().AddIndexers(madeIndexers()); err != nil {
		return fmt.Errorf("index pods: %w", err)
	}
	nobody := func(any) []types.NamespacedName { return nil }
	for _, source := range []struct {
		informer cache.SharedIndexInformer
		wakes    func(obj any) []types.NamespacedName
	}{
		{config.DataVolumes.Informer(), c.fromDataVolume},
		{config.DataSources.Informer(), c.fromDataSource},
		{config.Claims.Informer(), c.fromClaim},
		{config.Volumes.Informer(), fromServant[*corev1.PersistentVolume]},
		{config.Pods.Informer(), fromServant[*corev1.Pod]},
		{config.StorageClasses.Informer(), c.fromClass},
		{config.CSIDrivers.Informer(), nobody},
	} {
		if err := c.runner.Watch(source.informer, source.wakes); err != nil {
			return err
		}
	}
	return nil
}

// Run fills volumes with a number of workers until ctx is done, once the informers, which the
// caller starts, hold everything.
func (c *Controller) Run(ctx context.Context, workers int) {
	c.runner.Run(ctx, workers)
}

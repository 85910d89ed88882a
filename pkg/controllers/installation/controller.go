// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package installation

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	storageinformers "k8s.io/client-go/informers/storage/v1"
	storagelisters "k8s.io/client-go/listers/storage/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/runner"
	"goldenimage.dev/pkg/generated/clientset/versioned"
	informers "goldenimage.dev/pkg/generated/informers/externalversions/cdi/v1beta1"
	listers "goldenimage.dev/pkg/generated/listers/cdi/v1beta1"
)

const controllerName = "installation"

// Config is what a Controller works with. All fields are needed; no informer may be started yet.
type Config struct {
	// Client writes CDIs and CDIConfigs.
	Client versioned.Interface
	// CDIs, CDIConfigs and Classes are what decisions are made from.
	CDIs       informers.CDIInformer
	CDIConfigs informers.CDIConfigInformer
	Classes    storageinformers.StorageClassInformer
	// Clock tells when conditions changed.
	Clock clock.WithTicker
	// Version of the server.
	Version string
	// FilesystemOverhead is the share of a Filesystem volume that its file system needs, where
	// the CDIConfig says nothing: from 0 to 1.
	FilesystemOverhead float64
}

// A Controller keeps the CDI object and the CDIConfig. Make one with New.
type Controller struct {
	client   versioned.Interface
	cdis     listers.CDILister
	configs  listers.CDIConfigLister
	classes  storagelisters.StorageClassLister
	clock    clock.WithTicker
	version  string
	overhead v1beta1.Percent
	runner   *runner.Runner
}

// New returns a Controller, whose handlers it adds to the informers.
func New(cfg Config) (*Controller, error) {
	c := &Controller{
		client: cfg.Client, cdis: cfg.CDIs.Lister(), configs: cfg.CDIConfigs.Lister(), classes: cfg.Classes.Lister(),
		clock: cfg.Clock, version: cfg.Version, overhead: percent(cfg.FilesystemOverhead),
	}
	c.runner = runner.New(controllerName, cfg.Clock, c.sync)
	for _, informer := range []cache.SharedIndexInformer{cfg.CDIs.Informer(), cfg.CDIConfigs.Informer(), cfg.Classes.Informer()} {
		if err := c.runner.Watch(informer, func(any) []types.NamespacedName { return []types.NamespacedName{theOne()} }); err != nil {
			return nil, fmt.Errorf("new installation controller: %w", err)
		}
	}
	return c, nil
}

// theOne is the only key: each sync is about all there is.
func theOne() types.NamespacedName { return types.NamespacedName{Name: v1beta1.CDIConfigName} }

// Run syncs until ctx is done. It waits for the informers, which the caller starts. However many
// workers are asked for, one is enough.
func (c *Controller) Run(ctx context.Context, _ int) {
	// Where there is nothing, nothing wakes it.
	c.runner.Enqueue(theOne())
	c.runner.Run(ctx, 1)
}

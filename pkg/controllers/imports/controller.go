// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

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

	"goldenimage.dev/pkg/controllers/lineage"
	"goldenimage.dev/pkg/controllers/runner"
	"goldenimage.dev/pkg/generated/clientset/versioned"
	informers "goldenimage.dev/pkg/generated/informers/externalversions/cdi/v1beta1"
	listers "goldenimage.dev/pkg/generated/listers/cdi/v1beta1"
)

const defaultWorkers = 4

// Config is what a Controller works with. All fields are needed; no informer may be started yet.
type Config struct {
	// Client writes DataImportCrons and DataVolumes.
	Client versioned.Interface
	// Kube needs get and patch on persistentvolumeclaims.
	Kube kubernetes.Interface
	// Crons, Volumes and Claims are what decisions are made from.
	Crons   informers.DataImportCronInformer
	Volumes informers.DataVolumeInformer
	Claims  coreinformers.PersistentVolumeClaimInformer
	// Recorder takes the events, on DataImportCrons.
	Recorder record.EventRecorder
	// Clock tells when failed imports are tried again.
	Clock clock.WithTicker
}

// A Controller makes DataVolumes for DataImportCrons. Make one with New.
type Controller struct {
	client  versioned.Interface
	kube    kubernetes.Interface
	crons   listers.DataImportCronLister
	volumes listers.DataVolumeLister
	claims  corelisters.PersistentVolumeClaimLister
	events  record.EventRecorder
	clock   clock.WithTicker
	runner  *runner.Runner
}

// New returns a Controller, whose handlers it adds to the informers.
func New(cfg Config) (*Controller, error) {
	c := &Controller{
		client: cfg.Client, kube: cfg.Kube,
		crons: cfg.Crons.Lister(), volumes: cfg.Volumes.Lister(), claims: cfg.Claims.Lister(),
		events: cfg.Recorder, clock: cfg.Clock,
	}
	c.runner = runner.New("imports", cfg.Clock, c.sync)
	for _, watch := range []struct {
		informer cache.SharedIndexInformer
		keys     func(any) []types.NamespacedName
	}{
		{cfg.Crons.Informer(), lineage.Own},
		{cfg.Volumes.Informer(), lineage.Crons},
		{cfg.Claims.Informer(), lineage.CronsOfClaim(c.volumes)},
	} {
		if err := c.runner.Watch(watch.informer, watch.keys); err != nil {
			return nil, fmt.Errorf("new imports controller: %w", err)
		}
	}
	return c, nil
}

// Run syncs with a number of workers, 4 if it is not positive, until ctx is done. It waits for
// the informers, which the caller starts.
func (c *Controller) Run(ctx context.Context, workers int) {
	if workers <= 0 {
		workers = defaultWorkers
	}
	c.runner.Run(ctx, workers)
}

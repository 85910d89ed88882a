// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"context"
	"fmt"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"

	"goldenimage.dev/pkg/controllers/access"
	"goldenimage.dev/pkg/controllers/lineage"
	"goldenimage.dev/pkg/controllers/runner"
	"goldenimage.dev/pkg/generated/clientset/versioned"
	informers "goldenimage.dev/pkg/generated/informers/externalversions/cdi/v1beta1"
	listers "goldenimage.dev/pkg/generated/listers/cdi/v1beta1"
)

// defaultWorkers is how many polls are made at once unless Run is told otherwise. Polls mostly
// wait for registries.
const defaultWorkers = 8

// Config is what a Controller works with. All fields but InsecureRegistries are needed.
type Config struct {
	// Client writes DataImportCrons, and reads one just before it is polled.
	Client versioned.Interface
	// Kube needs get on secrets and configmaps.
	Kube kubernetes.Interface
	// Crons is what decisions are made from. Its informer must not be started yet.
	Crons informers.DataImportCronInformer
	// Resolvers by the kind of source. A source of a kind that is not there is not supported.
	Resolvers map[Kind]Resolver
	// InsecureRegistries is a list of host[:port] that are read without verification.
	InsecureRegistries []string
	// Recorder takes the events, on DataImportCrons.
	Recorder record.EventRecorder
	// Clock tells when polls are due.
	Clock clock.WithTicker
}

// A Controller polls the sources of DataImportCrons. Make one with New.
type Controller struct {
	client    versioned.Interface
	access    access.Reader
	crons     listers.DataImportCronLister
	resolvers map[Kind]Resolver
	events    record.EventRecorder
	clock     clock.WithTicker
	runner    *runner.Runner
}

// New returns a Controller, whose handler it adds to the informer.
func New(cfg Config) (*Controller, error) {
	c := &Controller{
		client:    cfg.Client,
		access:    access.Reader{Client: cfg.Kube, InsecureRegistries: cfg.InsecureRegistries},
		crons:     cfg.Crons.Lister(),
		resolvers: cfg.Resolvers,
		events:    cfg.Recorder,
		clock:     cfg.Clock,
	}
	c.runner = runner.New("poll", cfg.Clock, c.sync)
	if err := c.runner.Watch(cfg.Crons.Informer(), lineage.Own); err != nil {
		return nil, fmt.Errorf("new poll controller: %w", err)
	}
	return c, nil
}

// Run polls with a number of workers, 8 if it is not positive, until ctx is done. It waits for
// the informer, which the caller starts.
func (c *Controller) Run(ctx context.Context, workers int) {
	if workers <= 0 {
		workers = defaultWorkers
	}
	c.runner.Run(ctx, workers)
}

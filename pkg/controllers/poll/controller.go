// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/access"
	"goldenimage.dev/pkg/controllers/lineage"
	"goldenimage.dev/pkg/controllers/runner"
	"goldenimage.dev/pkg/generated/clientset/versioned"
	informers "goldenimage.dev/pkg/generated/informers/externalversions/cdi/v1beta1"
	listers "goldenimage.dev/pkg/generated/listers/cdi/v1beta1"
	"goldenimage.dev/pkg/sources"
	"goldenimage.dev/pkg/sources/polite"
)

const (
	// defaultWorkers is how many crons are worked on at once unless Run is told otherwise. None
	// of them waits for a source.
	defaultWorkers = 8
	// recordsPerSecond bounds how fast polls are written down that found nothing new, so that
	// ten thousand crons that are due together do not keep the API from others.
	recordsPerSecond, recordsAtOnce = 100, 100
	// recordsLost bounds how long Run takes to write down what is not yet when it ends.
	recordsLost = 5 * time.Second
)

// An Asker answers what sources hold, and makes nobody wait. It is a polite.Asker.
type Asker interface {
	Ask(question polite.Question, wake func()) (polite.Answer, bool)
	Recovered(host string) time.Time
}

// Config is what a Controller works with. All fields but NodeLocation, Watchers and Metrics are needed.
type Config struct {
	// Client writes DataImportCrons.
	Client versioned.Interface
	// Access reads what a source needs to be asked.
	Access access.Reader
	// Crons is what decisions are made from. Its informer must not be started yet.
	Crons informers.DataImportCronInformer
	// Asker asks the sources, by the names of Kinds.
	Asker Asker
	// Kinds of sources that the Asker knows. A source of another kind is not supported.
	Kinds []Kind
	// NodeLocation returns the location, of KindNode, of the image in a registry that a cron
	// names. Nil means that nodes cannot be asked.
	NodeLocation func(*v1beta1.DataImportCron) string
	// Watchers tell of changes, by the kind of source. Nil means none.
	Watchers map[Kind]sources.Watcher
	// Recorder takes the events, on DataImportCrons.
	Recorder record.EventRecorder
	// Clock tells when polls are due.
	Clock clock.WithTicker
	// Metrics count; nil means nobody looks.
	Metrics *Metrics
}

// A Controller polls the sources of DataImportCrons. Make one with New.
type Controller struct {
	client   versioned.Interface
	access   access.Reader
	crons    listers.DataImportCronLister
	index    cache.Indexer
	asker    Asker
	kinds    map[Kind]bool
	watchers map[Kind]sources.Watcher
	// nodeLocation is nil if nodes cannot be asked.
	nodeLocation func(*v1beta1.DataImportCron) string
	events       record.EventRecorder
	clock        clock.WithTicker
	metrics      *Metrics
	runner       *runner.Runner
	memory       *memory
	pace         *rate.Limiter
	// started is when Run was called.
	started time.Time
}

// New returns a Controller, whose handler it adds to the informer.
func New(cfg Config) (*Controller, error) {
	c := &Controller{
		client: cfg.Client, access: cfg.Access, crons: cfg.Crons.Lister(), index: cfg.Crons.Informer().GetIndexer(),
		asker: cfg.Asker, kinds: map[Kind]bool{}, watchers: cfg.Watchers, nodeLocation: cfg.NodeLocation, events: cfg.Recorder, clock: cfg.Clock,
		metrics: cfg.Metrics, memory: newMemory(), pace: rate.NewLimiter(recordsPerSecond, recordsAtOnce),
	}
	for _, kind := range cfg.Kinds {
		c.kinds[kind] = true
	}
	if c.metrics == nil {
		c.metrics = NewMetrics()
	}
	if err := cfg.Crons.Informer().AddIndexers(cache.Indexers{bySource: indexBySource}); err != nil {
		return nil, fmt.Errorf("new poll controller: %w", err)
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
	c.started = c.clock.Now()
	var watching sync.WaitGroup
	for kind, watcher := range c.watchers {
		watching.Go(func() {
			watcher.Watch(ctx, func(location string) { c.changed(kind, location) })
		})
	}
	c.runner.Run(ctx, workers)
	watching.Wait()
	c.flush(context.WithoutCancel(ctx))
}

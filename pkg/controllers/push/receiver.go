// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package push

import (
	"context"
	"fmt"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/generated/clientset/versioned"
	cdiinformers "goldenimage.dev/pkg/generated/informers/externalversions/cdi/v1beta1"
)

const (
	// maxBatches and maxWaiting bound what waits to be triggered. One notification is accepted
	// however many crons follow it.
	maxBatches, maxWaiting = 100, 10_000
	// Failures to authenticate that are answered as such, per second and at once.
	failuresPerSecond, failuresBurst = 5, 20
	// Requests that are read at the same time. Those that are known by the body alone have
	// places of their own, as anybody may take them.
	maxRequests, maxSigned = 32, 8
)

// Config is what a Receiver is made from.
type Config struct {
	Client versioned.Interface
	// Crons must not have been started.
	Crons   cdiinformers.DataImportCronInformer
	Secret  SecretReader
	Clock   clock.PassiveClock
	Metrics *Metrics
}

// A Receiver is the handler of notifications. Make it with New.
type Receiver struct {
	client   versioned.Interface
	crons    cache.Indexer
	synced   cache.InformerSynced
	senders  senders
	metrics  *Metrics
	failures flowcontrol.PassiveRateLimiter
	open     chan struct{}
	signed   chan struct{}
	batches  chan []job

	mu      sync.Mutex
	waiting int
}

// A job is one cron to trigger.
type job struct{ namespace, name, requestID, registry, sender string }

// New makes a Receiver.
func New(c Config) (*Receiver, error) {
	informer := c.Crons.Informer()
	if err := informer.AddIndexers(cache.Indexers{byTag: indexByTag}); err != nil {
		return nil, fmt.Errorf("index DataImportCrons: %w", err)
	}
	return &Receiver{
		client: c.Client, crons: informer.GetIndexer(), synced: informer.HasSynced, metrics: c.Metrics,
		senders:  senders{read: c.Secret, clock: c.Clock},
		failures: flowcontrol.NewTokenBucketPassiveRateLimiterWithClock(failuresPerSecond, failuresBurst, c.Clock),
		open:     make(chan struct{}, maxRequests), signed: make(chan struct{}, maxSigned),
		batches: make(chan []job, maxBatches),
	}, nil
}

// Run triggers what was accepted until ctx is done. What waits then is polled on schedule.
func (r *Receiver) Run(ctx context.Context, workers int) {
	var working sync.WaitGroup
	defer working.Wait()
	slots := make(chan struct{}, workers)
	for {
		select {
		case <-ctx.Done():
			return
		case batch := <-r.batches:
			for _, j := range batch {
				select {
				case <-ctx.Done():
					return
				case slots <- struct{}{}:
				}
				working.Go(func() {
					defer func() { <-slots }()
					r.trigger(ctx, j)
				})
			}
		}
	}
}

func (r *Receiver) trigger(ctx context.Context, j job) {
	defer r.release()
	_, err := r.client.CdiV1beta1().DataImportCrons(j.namespace).Trigger(ctx, j.name, &v1beta1.DataImportCronTrigger{
		Spec: v1beta1.DataImportCronTriggerSpec{
			RequestID: j.requestID,
			Reason:    "pushed to " + j.registry + ", sender " + j.sender,
		},
	}, metav1.CreateOptions{})
	if err != nil {
		r.metrics.count(j.sender, resultFailed)
		if !apierrors.IsNotFound(err) {
			klog.FromContext(ctx).V(2).Info("A push could not be turned into a poll; the schedule makes up for it", "sender", j.sender, "reason", apierrors.ReasonForError(err))
		}
		return
	}
	r.metrics.count(j.sender, resultTriggered)
}

// enqueue accepts jobs, all or none.
func (r *Receiver) enqueue(jobs []job) bool {
	if len(jobs) == 0 {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting > 0 && r.waiting+len(jobs) > maxWaiting {
		return false
	}
	select {
	case r.batches <- jobs:
		r.waiting += len(jobs)
		return true
	default:
		return false
	}
}

func (r *Receiver) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting--
}

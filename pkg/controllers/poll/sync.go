// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"goldenimage.dev/pkg/apis/cdi/schedule"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/status"
)

// sync polls the source of a cron if it is due, and otherwise writes down when it will be.
func (c *Controller) sync(ctx context.Context, key types.NamespacedName) (time.Duration, error) {
	cached, err := c.crons.DataImportCrons(key.Namespace).Get(key.Name)
	if apierrors.IsNotFound(err) {
		c.memory.forget(key)
		c.metrics.gone(key.Namespace, key.Name)
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("get dataimportcron: %w", err)
	}
	c.metrics.judge(cached)
	if cached.DeletionTimestamp != nil {
		return 0, nil
	}
	in := c.gather(key, cached)
	d := decide(in, c.clock.Now())
	switch {
	case d.why != "" || in.entry.asking != nil:
		return c.poll(ctx, key, in, d)
	case in.mendable():
		return c.look(ctx, key, in, d)
	case !in.entry.flush.IsZero():
		return c.write(ctx, in, d)
	case !in.settled(d):
		return c.wait(ctx, in, d)
	}
	return c.again(earliest(d.next, d.early)), nil
}

func (c *Controller) gather(key types.NamespacedName, cached *v1beta1.DataImportCron) input {
	e := c.memory.of(key, cached.UID)
	in := input{cached: cached, cron: e.overlay(cached), entry: e, changed: c.memory.changed(e), started: c.started}
	if text := cached.Spec.Schedule; text != "" {
		in.schedule, in.scheduleErr = schedule.Parse(text)
	}
	kind, location := source(cached)
	in.supported = c.kinds[kind]
	if last := in.cron.Status.LastPoll; last != nil && last.Outcome == v1beta1.PollFailed {
		in.recovered = c.asker.Recovered(host(kind, location))
	}
	return in
}

func ignoreNotFound(what string, err error) error {
	if err == nil || apierrors.IsNotFound(err) {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// wait makes the cron say when it is polled next.
func (c *Controller) wait(ctx context.Context, in input, d decision) (time.Duration, error) {
	after, err := status.Update(ctx, c.client.CdiV1beta1().DataImportCrons(in.cron.Namespace), in.cached, func(cron *v1beta1.DataImportCron) {
		annotate(cron, map[string]*string{v1beta1.AnnNextCronTime: stamp(d.next)})
		cron.Status.NextPoll = metaTime(d.next)
		if pushed := annotatedExecution(cron); pushed != nil {
			cron.Status.LastExecutionTimestamp = pushed
		}
		if in.misjudged() {
			condition(cron, in, nil, c.clock.Now())
		}
	})
	if err != nil {
		return 0, ignoreNotFound("wait", err)
	}
	c.reportCondition(after, in.cron)
	return c.again(earliest(d.next, d.early)), nil
}

// again returns how long it is to next, 0 if there is none.
func (c *Controller) again(next time.Time) time.Duration {
	if next.IsZero() {
		return 0
	}
	// What is due now comes again through the queue, not through a pause of nothing.
	return max(next.Sub(c.clock.Now()), time.Millisecond)
}

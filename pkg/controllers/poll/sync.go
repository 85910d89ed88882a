// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"

	"goldenimage.dev/pkg/apis/cdi/schedule"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/status"
)

// sync polls the source of a cron if it is due, and otherwise writes down when it will be.
func (c *Controller) sync(ctx context.Context, key types.NamespacedName) (time.Duration, error) {
	cron, err := c.crons.DataImportCrons(key.Namespace).Get(key.Name)
	if apierrors.IsNotFound(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("get dataimportcron: %w", err)
	}
	in := c.gather(cron)
	d := decide(in, c.clock.Now())
	if d.why == "" && in.settled(d) {
		return c.again(d.next), nil
	}
	// The cache may not hold yet what this controller wrote a moment ago. A read is much
	// cheaper than a second poll, and it is rare that there is something to do.
	cron, err = c.client.CdiV1beta1().DataImportCrons(key.Namespace).Get(ctx, key.Name, metav1.GetOptions{})
	if err != nil {
		return 0, ignoreNotFound("get dataimportcron", err)
	}
	in = c.gather(cron)
	d = decide(in, c.clock.Now())
	switch {
	case cron.DeletionTimestamp != nil:
		return 0, nil
	case d.why != "":
		return c.poll(ctx, in, d)
	}
	return c.wait(ctx, in, d)
}

func ignoreNotFound(what string, err error) error {
	if err == nil || apierrors.IsNotFound(err) {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

func (c *Controller) gather(cron *v1beta1.DataImportCron) input {
	in := input{cron: cron}
	if text := cron.Spec.Schedule; text != "" {
		in.schedule, in.scheduleErr = schedule.Parse(text)
	}
	kind, _ := source(cron)
	_, in.supported = c.resolvers[kind]
	return in
}

// wait makes the cron say when it is polled next.
func (c *Controller) wait(ctx context.Context, in input, d decision) (time.Duration, error) {
	annotated, err := c.annotate(ctx, in.cron, map[string]*string{v1beta1.AnnNextCronTime: stamp(d.next)})
	if err != nil {
		return 0, ignoreNotFound("annotate dataimportcron", err)
	}
	after, err := status.Update(ctx, c.client.CdiV1beta1().DataImportCrons(in.cron.Namespace), annotated, func(cron *v1beta1.DataImportCron) {
		cron.Status.NextPoll = metaTime(d.next)
		if pushed := annotatedExecution(cron); pushed != nil {
			cron.Status.LastExecutionTimestamp = pushed
		}
		if in.misjudged() {
			c.condition(cron, in, nil)
		}
	})
	if err != nil {
		return 0, ignoreNotFound("wait", err)
	}
	c.reportCondition(after, in.cron)
	return c.again(d.next), nil
}

// poll asks the source and writes down what it said.
func (c *Controller) poll(ctx context.Context, in input, d decision) (time.Duration, error) {
	klog.FromContext(ctx).V(4).Info("Polling", "why", string(d.why))
	r := result{input: in, request: d.request, start: c.clock.Now().Truncate(time.Second)}
	revision, err := c.resolve(ctx, in.cron)
	if ctx.Err() != nil {
		// The server is going down, which says nothing about the source.
		return 0, fmt.Errorf("poll: %w", context.Cause(ctx))
	}
	r.digest, r.err, r.end = revision.Digest, err, c.clock.Now()
	r.next = in.after(r.failures(), r.start, r.end, wish(err))

	// 1. The digest, 2. the status: see the package's comment.
	annotated, err := c.annotate(ctx, in.cron, r.annotations())
	if err != nil {
		return 0, ignoreNotFound("annotate dataimportcron", err)
	}
	after, err := status.Update(ctx, c.client.CdiV1beta1().DataImportCrons(in.cron.Namespace), annotated, func(cron *v1beta1.DataImportCron) {
		r.record(cron)
		c.condition(cron, in, &r)
	})
	if err != nil {
		return 0, ignoreNotFound("record poll", err)
	}
	c.report(after, r)
	return c.again(r.next), nil
}

// annotate returns the cron as it is with the annotations.
func (c *Controller) annotate(ctx context.Context, cron *v1beta1.DataImportCron, annotations map[string]*string) (*v1beta1.DataImportCron, error) {
	patch, err := status.MetadataPatch(cron, nil, annotations)
	if err != nil || patch == nil {
		return cron, err
	}
	return c.client.CdiV1beta1().DataImportCrons(cron.Namespace).Patch(ctx, cron.Name, types.MergePatchType, patch, metav1.PatchOptions{})
}

// again returns how long it is to next, 0 if there is none.
func (c *Controller) again(next time.Time) time.Duration {
	if next.IsZero() {
		return 0
	}
	// What is due now comes again through the queue, not through a pause of nothing.
	return max(next.Sub(c.clock.Now()), time.Millisecond)
}

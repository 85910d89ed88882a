// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"

	"goldenimage.dev/pkg/apis/cdi/schedule"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/status"
)

// record sees to it that a poll is written down: at once if it tells anybody anything, and
// otherwise when it is its turn.
func (c *Controller) record(ctx context.Context, r *result) (time.Duration, error) {
	e, now := r.entry, c.clock.Now()
	turn := e.flush
	// What a poll that was not written yet has found is in this one, whose cron shows it.
	e.told, e.version, e.flush = r, "", now
	if r.why == whyScheduled && r.nothingNew() {
		// It takes over the turn of the other, or it would never be its turn if polls are due
		// sooner than that.
		if turn.IsZero() {
			turn = now.Add(c.pace.ReserveN(now, 1).DelayFrom(now))
		}
		e.flush = turn
	}
	return c.write(ctx, r.input, decision{next: r.next})
}

// write writes the latest poll down if it is time to.
func (c *Controller) write(ctx context.Context, in input, d decision) (time.Duration, error) {
	e := in.entry
	if c.clock.Now().Before(e.flush) {
		return c.again(earliest(e.flush, d.next)), nil
	}
	r := e.told
	after, err := status.Update(ctx, c.client.CdiV1beta1().DataImportCrons(in.cached.Namespace), in.cached, r.apply)
	if err != nil {
		return 0, ignoreNotFound("record poll", err)
	}
	e.version, e.flush = after.ResourceVersion, time.Time{}
	c.report(after, r)
	return c.again(d.next), nil
}

// flush writes down what is not yet when the controller ends. What is not written then is polled
// again by the next one.
func (c *Controller) flush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, recordsLost)
	defer cancel()
	for key, e := range c.memory.unwritten() {
		cached, err := c.crons.DataImportCrons(key.Namespace).Get(key.Name)
		if err != nil || cached.UID != e.uid {
			continue
		}
		e.flush = c.clock.Now()
		if _, err := c.write(ctx, input{cached: cached, cron: cached, entry: e}, decision{}); err != nil {
			klog.FromContext(ctx).Info("A poll is not written down and will be made again", "key", key, "reason", err.Error())
			return
		}
	}
}

const (
	// lookEvery is about how often it is looked whether what a poll failed for was mended, such
	// as a Secret. Nobody but the cluster is asked.
	lookEvery, lookSpread = 15 * time.Second, 5 * time.Second
)

// look polls if what the latest poll was made with is not what there is now.
func (c *Controller) look(ctx context.Context, key types.NamespacedName, in input, d decision) (time.Duration, error) {
	e, now := in.entry, c.clock.Now()
	if !e.flush.IsZero() {
		return c.write(ctx, in, d)
	}
	if !in.settled(d) {
		return c.wait(ctx, in, d)
	}
	next := e.looked.Add(lookEvery + schedule.Jitter(string(in.cron.UID), 10*lookSpread))
	if now.Before(next) {
		return c.again(earliest(next, d.next)), nil
	}
	e.looked = now
	found, err := c.accessOf(ctx, in.cron)
	is := summary(found, err)
	switch {
	case e.access == "" && (err != nil || in.refused()):
		// Of before the server started it is not known what the poll was made with.
		e.access = is
	case e.access != is:
		return c.poll(ctx, key, in, decision{why: whyMended, next: d.next})
	}
	return c.again(earliest(now.Add(lookEvery+lookSpread), d.next)), nil
}

// earliest returns the earlier of two times, of which a zero one does not count.
func earliest(a, b time.Time) time.Time {
	if b.IsZero() || a.Before(b) {
		return a
	}
	return b
}

// mendable tells whether the latest poll failed for want of something that users mend within
// the cluster.
func (in input) mendable() bool {
	last := in.cron.Status.LastPoll
	if last == nil || last.Outcome != v1beta1.PollFailed || in.suspended() || !in.supported {
		return false
	}
	return in.refused() || in.lacks()
}

// lacks tells whether the latest poll failed before the source was asked, for want of an object
// of the cluster: the reason is one of package access.
func (in input) lacks() bool {
	switch in.reason() {
	case "", ReasonReachable, ReasonUnauthorized, ReasonNotFound, ReasonUnreachable, ReasonTLSFailed, ReasonRateLimited, ReasonMalformed,
		ReasonSourceNotSupported, ReasonPollFailed, ReasonBadSchedule, ReasonSuspended:
		return false
	}
	return true
}

// refused tells whether the source refused what it was asked with.
func (in input) refused() bool {
	return in.reason() == ReasonUnauthorized || in.reason() == ReasonTLSFailed
}

// reason of the condition SourceReachable, "" if there is none.
func (in input) reason() string {
	if condition := status.Cron(in.cron.Status.Conditions, v1beta1.DataImportCronSourceReachable); condition != nil {
		return condition.Reason
	}
	return ""
}

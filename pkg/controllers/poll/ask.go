// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/access"
	"goldenimage.dev/pkg/sources"
	"goldenimage.dev/pkg/sources/polite"
)

// deadline of a poll that is not made on a node.
const deadline = 30 * time.Second

// asking is a poll that is under way.
type asking struct {
	decision
	question polite.Question
	// kind that is asked now.
	kind Kind
	// begun is when the poll began.
	begun time.Time
	// access is what it is made with, in short.
	access string
}

// begin makes a question of a decision to poll. Its error is that of a poll which fails before
// anybody is asked.
func (c *Controller) begin(ctx context.Context, key types.NamespacedName, in input, d decision) (*asking, error) {
	now := c.clock.Now()
	a := &asking{decision: d, begun: now}
	kind, location := source(in.cron)
	a.kind = kind
	a.question = polite.Question{
		Kind: string(kind), Host: host(kind, location), Waiter: key.String(), AsOf: in.asOf(d, now),
		Query: sources.Query{Location: location},
	}
	if d.why != whyTriggered && d.why != whyImportFailed {
		// Who asks, or waits for a correction, wants everything looked at again.
		a.question.Query.Known = known(in.cron)
	}
	if !c.kinds[kind] {
		return a, c.notSupported(kind)
	}
	found, err := c.accessOf(ctx, in.cron)
	a.question.Query.Access, a.access = found, summary(found, err)
	var mendable *access.Error
	if errors.As(err, &mendable) && mendable.Reason != access.ReasonBadProxy && c.asksNodes(in.cron) {
		// The nodes may have what the server has not.
		c.turnToNodes(in.cron, a, found)
		return a, nil
	}
	return a, err
}

// known is what the source held when it was asked before, as its Resolver said it.
func known(cron *v1beta1.DataImportCron) sources.Revision {
	src := cron.Status.Source
	if src == nil {
		return sources.Revision{}
	}
	return sources.Revision{Digest: src.Digest, Content: src.ContentDigest, Platform: src.Platform, Location: src.Location}
}

// summary tells two ways to read a source apart, or why it cannot be read.
func summary(found sources.Access, err error) string {
	if err != nil {
		return err.Error()
	}
	return access.Fingerprint(found)
}

func (c *Controller) asksNodes(cron *v1beta1.DataImportCron) bool {
	return c.nodeLocation != nil && onNode(cron)
}

// turnToNodes makes the question one that is answered on a node.
func (c *Controller) turnToNodes(cron *v1beta1.DataImportCron, a *asking, found sources.Access) {
	registry := cron.Spec.Template.Spec.Source.Registry
	a.kind = KindNode
	a.question.Kind, a.question.Host = string(KindNode), nodeHost
	a.question.Query.Location = c.nodeLocation(cron)
	a.question.Query.Access = sources.Access{Architecture: found.Architecture}
	if platform := registry.Platform; platform != nil {
		a.question.Query.Access.Architecture = platform.Architecture
	}
}

// nodeHost is the name under which all questions to nodes are asked, so that they do not come
// all at once.
const nodeHost = "nodes"

// refused tells whether a registry was not to be read by the server, though perhaps by a node.
func refused(err error) bool {
	if err == nil {
		return false
	}
	switch sources.KindOf(err) {
	case sources.Unauthorized, sources.Unreachable, sources.Certificate:
		return true
	case sources.Transient, sources.RateLimited, sources.NotFound, sources.Mismatch, sources.NoDisk, sources.Invalid:
	}
	return false
}

// poll asks the source, and writes down what it says when it has answered.
func (c *Controller) poll(ctx context.Context, key types.NamespacedName, in input, d decision) (time.Duration, error) {
	a := in.entry.asking
	if a == nil {
		klog.FromContext(ctx).V(4).Info("Polling", "why", string(d.why))
		c.memory.settle(in.entry)
		var err error
		if a, err = c.begin(ctx, key, in, d); err != nil {
			return c.finish(ctx, in, a, polite.Answer{Err: err})
		}
	}
	wake := func() { c.runner.Enqueue(key) }
	answer, ok := c.asker.Ask(a.question, wake)
	if ok && a.kind == KindRegistry && refused(answer.Err) && c.asksNodes(in.cron) {
		c.tellOfNodes(in, answer.Err)
		c.turnToNodes(in.cron, a, a.question.Query.Access)
		answer, ok = c.asker.Ask(a.question, wake)
	}
	if !ok {
		in.entry.asking = a
		return 0, nil
	}
	return c.finish(ctx, in, a, answer)
}

// tellOfNodes says once that nodes are asked.
func (c *Controller) tellOfNodes(in input, err error) {
	if in.entry.onNode {
		return
	}
	in.entry.onNode = true
	reason, message := explain(err)
	c.events.Event(in.cron, corev1.EventTypeNormal, ReasonAskingNode,
		fmt.Sprintf("The server cannot read the image (%s: %s), so a short Pod asks for it on a node, as pullMethod is node", reason, message))
}

// finish writes down how a poll went.
func (c *Controller) finish(ctx context.Context, in input, a *asking, answer polite.Answer) (time.Duration, error) {
	in.entry.asking = nil
	if ctx.Err() != nil {
		// The server is going down, which says nothing about the source.
		return 0, fmt.Errorf("poll: %w", context.Cause(ctx))
	}
	r := &result{
		input: in, kind: a.kind, why: a.why, request: a.request, begun: a.begun, start: a.begun.Truncate(time.Second), end: c.clock.Now(),
		revision: answer.Revision, err: answer.Err,
	}
	if a.why == whyScheduled {
		r.due = a.next
	}
	if r.err == nil && r.revision.Digest == "" {
		r.err = sources.Errorf(sources.Invalid, "%s answers without a digest", shown(in.cron))
	}
	r.next = in.after(r.failures(), r.start, r.end, wish(r.err))
	e := in.entry
	e.ended, e.access = r.end, a.access
	name := a.question.Host
	if name == "" {
		name = string(a.kind)
	}
	c.metrics.polled(name, r)
	if a.why == whyChanged && r.nothingNew() {
		// A false alarm is not worth a write.
		return c.again(in.nextPoll()), nil
	}
	return c.record(ctx, r)
}

// explain returns the reason and the message of a failed poll, for the user.
func explain(err error) (reason, message string) {
	var missing *access.Error
	switch {
	case errors.As(err, &missing):
		return missing.Reason, missing.Message
	case errors.Is(err, errNotSupported):
		return ReasonSourceNotSupported, sentence(err)
	case errors.Is(err, context.DeadlineExceeded) && sources.KindOf(err) == sources.Transient:
		return ReasonUnreachable, fmt.Sprintf("No answer within %s: check that the registry and the network work (%v)", deadline, err)
	}
	return reasonOf(sources.KindOf(err)), sentence(err)
}

func sentence(err error) string {
	if e, ok := errors.AsType[*sources.Error](err); ok {
		return e.Message
	}
	return err.Error()
}

func reasonOf(kind sources.Kind) string {
	switch kind {
	case sources.RateLimited:
		return ReasonRateLimited
	case sources.Unreachable:
		return ReasonUnreachable
	case sources.Certificate:
		return ReasonTLSFailed
	case sources.Unauthorized:
		return ReasonUnauthorized
	case sources.NotFound:
		return ReasonNotFound
	case sources.Invalid, sources.Mismatch:
		return ReasonMalformed
	case sources.Transient, sources.NoDisk:
	}
	return ReasonPollFailed
}

// wish returns when the source that failed asked to be tried again, zero if it did not.
func wish(err error) time.Time {
	if e, ok := errors.AsType[*sources.Error](err); ok {
		return e.NotBefore
	}
	return time.Time{}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/status"
)

// result is how a poll went.
type result struct {
	input
	// request that the poll answers, as it was when the poll began: what was added to it
	// later asks for another poll. Nil if there is none.
	request    *v1beta1.TriggerRequest
	start, end time.Time
	// digest that the source holds, "" if err is not nil.
	digest string
	err    error
	// next poll, zero if none is planned.
	next time.Time
}

// known is the digest that the source held when it was asked before, "" if it was not.
func (r result) known() string {
	return r.cron.Annotations[v1beta1.AnnSourceDesiredDigest]
}

func (r result) outcome() v1beta1.PollOutcome {
	switch {
	case r.err != nil:
		return v1beta1.PollFailed
	case r.digest != r.known():
		return v1beta1.PollUpdated
	}
	return v1beta1.PollUnchanged
}

// failures is the number of polls that failed in a row, this one included.
func (r result) failures() int32 {
	if r.err == nil {
		return 0
	}
	if last := r.cron.Status.LastPoll; last != nil {
		return last.Failures + 1
	}
	return 1
}

// answered is the request that a poll answers: the one it was made for, or one to import by
// force whose poll failed and that this one makes up for. Nil if there is none.
func (r result) answered() *v1beta1.TriggerRequest {
	if r.request == nil && r.err == nil {
		return owed(&r.cron.Status)
	}
	return r.request
}

// annotations are what the stage below and clients of CDI read.
func (r result) annotations() map[string]*string {
	annotations := map[string]*string{
		v1beta1.AnnLastCronTime: stamp(r.start),
		v1beta1.AnnNextCronTime: stamp(r.next),
	}
	if r.err != nil {
		return annotations
	}
	annotations[v1beta1.AnnSourceDesiredDigest] = &r.digest
	switch request := r.answered(); {
	case request != nil && request.Force:
		annotations[v1beta1.AnnForcedBy] = &request.RequestID
	case r.digest != r.known():
		// The force was about the content that is now of the past.
		annotations[v1beta1.AnnForcedBy] = nil
	}
	return annotations
}

// record sets the fields of the status that are this controller's, but for its condition.
func (r result) record(cron *v1beta1.DataImportCron) {
	s := &cron.Status
	s.LastExecutionTimestamp = metaTime(r.start)
	s.NextPoll = metaTime(r.next)
	s.LastPoll = &v1beta1.PollStatus{
		Time: *metaTime(r.start), Outcome: r.outcome(), Digest: r.digest, Failures: r.failures(),
		Duration: &metav1.Duration{Duration: r.end.Sub(r.start).Truncate(time.Millisecond)},
	}
	if request := r.answered(); request != nil {
		s.LastTrigger = &v1beta1.TriggerOutcome{
			RequestID: request.RequestID, RequestedAt: request.RequestedAt, Coalesced: request.Coalesced,
			HandledAt: *metaTime(r.end), Outcome: r.outcome(), Digest: r.digest,
		}
	}
}

// condition sets SourceReachable. Without a result it says what there is to say of a source that
// is not polled; of one that never was and nothing is wrong with, that is nothing.
func (c *Controller) condition(cron *v1beta1.DataImportCron, in input, r *result) {
	const kind = v1beta1.DataImportCronSourceReachable
	want := v1beta1.ConditionState{
		Status: corev1.ConditionTrue, Reason: ReasonReachable, Message: "Source is reachable", ObservedGeneration: cron.Generation,
	}
	switch {
	case r != nil && r.err != nil:
		want.Status = corev1.ConditionFalse
		want.Reason, want.Message = explain(r.err)
	case in.scheduleErr != nil:
		want.Status, want.Reason, want.Message = corev1.ConditionFalse, ReasonBadSchedule, in.scheduleErr.Error()
	case r != nil:
	case in.verdict() == ReasonSuspended:
		want.Status, want.Reason, want.Message = corev1.ConditionUnknown, ReasonSuspended, "Source was never polled, and spec.suspend is true: a trigger polls it"
	case in.cron.Status.LastPoll == nil:
		cron.Status.Conditions = slices.DeleteFunc(cron.Status.Conditions, func(c v1beta1.DataImportCronCondition) bool { return c.Type == kind })
		return
	}
	status.SetCron(&cron.Status.Conditions, kind, want, c.clock.Now())
}

// report makes events of what a poll changed.
func (c *Controller) report(cron *v1beta1.DataImportCron, r result) {
	c.reportCondition(cron, r.cron)
	if r.outcome() == v1beta1.PollUpdated {
		_, location := source(cron)
		text := fmt.Sprintf("Source %s now holds %s", location, r.digest)
		if known := r.known(); known != "" {
			text += ", was " + known
		}
		c.events.Event(cron, corev1.EventTypeNormal, ReasonSourceUpdated, text)
	}
	if request := r.answered(); request != nil {
		c.events.Eventf(cron, corev1.EventTypeNormal, ReasonTriggerHandled, "Trigger %s handled: %s", request.RequestID, r.outcome())
	}
}

// reportCondition makes an event when the condition is another than before. That a source is
// reachable at first is none: that it holds something new tells as much.
func (c *Controller) reportCondition(cron, before *v1beta1.DataImportCron) {
	was := ptr.Deref(status.Cron(before.Status.Conditions, v1beta1.DataImportCronSourceReachable), v1beta1.ConditionState{})
	is := ptr.Deref(status.Cron(cron.Status.Conditions, v1beta1.DataImportCronSourceReachable), v1beta1.ConditionState{})
	switch {
	case is.Status == corev1.ConditionFalse && (was.Status != is.Status || was.Reason != is.Reason):
		c.events.Event(cron, corev1.EventTypeWarning, is.Reason, is.Message)
	case is.Status == corev1.ConditionTrue && was.Status == corev1.ConditionFalse:
		c.events.Event(cron, corev1.EventTypeNormal, ReasonSourceReachable, "Source is reachable again")
	}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/status"
	"goldenimage.dev/pkg/sources"
)

// result is how a poll went.
type result struct {
	input
	// kind of source that answered.
	kind Kind
	// why it was made.
	why why
	// request that the poll answers, as it was when the poll began: what was added to it
	// later asks for another poll. Nil if there is none.
	request *v1beta1.TriggerRequest
	// due is when the schedule wanted the poll; zero if it was made for something else.
	due time.Time
	// begun and end are to the nanosecond; start is begun as the status holds it.
	begun, start, end time.Time
	// revision that the source holds, the zero value if err is not nil.
	revision sources.Revision
	err      error
	// next poll, zero if none is planned.
	next time.Time
}

// desired is the digest that was to be imported when the source was asked, "" if none was.
func (r *result) desired() string {
	return r.cron.Annotations[v1beta1.AnnSourceDesiredDigest]
}

// digest is what is to be imported now. A source that has a new name for the content that was
// found before, such as an index that was pushed again for the sake of another platform, keeps
// the name under which that content was imported; unless the import failed, as the registry may
// no longer know the old name.
func (r *result) digest() string {
	src, content := r.cron.Status.Source, r.revision.Content
	if src == nil || content == "" || src.ContentDigest != content {
		return r.revision.Digest
	}
	imported := cmp.Or(src.ImportDigest, src.Digest)
	if imported != r.desired() || r.importFailed() {
		return r.revision.Digest
	}
	return imported
}

func (r *result) outcome() v1beta1.PollOutcome {
	switch {
	case r.err != nil:
		return v1beta1.PollFailed
	case r.digest() != r.desired():
		return v1beta1.PollUpdated
	}
	return v1beta1.PollUnchanged
}

// source is what the status says of what was found.
func (r *result) source() *v1beta1.SourceRevision {
	s := &v1beta1.SourceRevision{
		Digest: r.revision.Digest, ContentDigest: r.revision.Content, Platform: r.revision.Platform, Location: r.revision.Location,
	}
	if digest := r.digest(); digest != s.Digest {
		s.ImportDigest = digest
	}
	return s
}

// nothingNew tells whether the poll found what is known, of a source that could be reached.
func (r *result) nothingNew() bool {
	is := status.Cron(r.cron.Status.Conditions, v1beta1.DataImportCronSourceReachable)
	last := r.cron.Status.LastPoll
	return r.outcome() == v1beta1.PollUnchanged && r.answered() == nil &&
		last != nil && last.Outcome != v1beta1.PollFailed && last.Digest == r.revision.Digest &&
		equality.Semantic.DeepEqual(r.cron.Status.Source, r.source()) &&
		is != nil && is.Status == corev1.ConditionTrue && is.ObservedGeneration == r.cron.Generation && r.scheduleErr == nil
}

// failures is the number of polls that failed in a row, this one included.
func (r *result) failures() int32 {
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
func (r *result) answered() *v1beta1.TriggerRequest {
	if r.request == nil && r.err == nil {
		return owed(&r.cron.Status)
	}
	return r.request
}

// apply writes what the poll found into a cron, which may have been changed since the poll began.
func (r *result) apply(cron *v1beta1.DataImportCron) {
	annotate(cron, r.annotations(cron))
	r.record(cron)
	condition(cron, r.input, r, r.end)
}

// annotate sets annotations, and removes those that are nil.
func annotate(cron *v1beta1.DataImportCron, annotations map[string]*string) {
	cron.Annotations = maps.Clone(cron.Annotations)
	for key, value := range annotations {
		if value == nil {
			delete(cron.Annotations, key)
			continue
		}
		metav1.SetMetaDataAnnotation(&cron.ObjectMeta, key, *value)
	}
}

// annotations are what the stage below and clients of CDI read. What somebody else has written
// since the poll began stays: that they asked for another poll, and, unless the source holds
// something new, what they want to be imported.
func (r *result) annotations(cron *v1beta1.DataImportCron) map[string]*string {
	annotations := map[string]*string{v1beta1.AnnLastCronTime: stamp(r.start)}
	if r.knew(cron.Annotations[v1beta1.AnnNextCronTime]) || !annotatedBefore(cron, r.end) {
		annotations[v1beta1.AnnNextCronTime] = stamp(r.next)
	}
	if r.err != nil {
		return annotations
	}
	if r.outcome() == v1beta1.PollUpdated {
		annotations[v1beta1.AnnSourceDesiredDigest] = new(r.digest())
		// The force was about the content that is now of the past.
		annotations[v1beta1.AnnForcedBy] = nil
	}
	if request := r.answered(); request != nil && request.Force {
		annotations[v1beta1.AnnForcedBy] = &request.RequestID
	}
	if r.kind == KindImageStream {
		annotations[v1beta1.AnnImageStreamDockerRef] = &r.revision.Location
	}
	return annotations
}

// knew tells whether the time of the next poll was annotated when the poll began, or by an
// earlier one that was not written down then: so nobody has asked for another poll since.
func (r *result) knew(next string) bool {
	return next == r.cached.Annotations[v1beta1.AnnNextCronTime] || next == r.cron.Annotations[v1beta1.AnnNextCronTime]
}

// record sets the fields of the status that are this controller's, but for its condition.
func (r *result) record(cron *v1beta1.DataImportCron) {
	s := &cron.Status
	s.LastExecutionTimestamp = metaTime(r.start)
	s.NextPoll = metaTime(r.next)
	s.LastPoll = &v1beta1.PollStatus{
		Time: *metaTime(r.start), Outcome: r.outcome(), Digest: r.revision.Digest, Failures: r.failures(),
		Duration: &metav1.Duration{Duration: max(0, r.end.Sub(r.begun)).Truncate(time.Millisecond)},
	}
	if r.err == nil {
		s.Source = r.source()
	}
	if request := r.answered(); request != nil {
		s.LastTrigger = &v1beta1.TriggerOutcome{
			RequestID: request.RequestID, RequestedAt: request.RequestedAt, Coalesced: request.Coalesced,
			HandledAt: *metaTime(r.end), Outcome: r.outcome(), Digest: r.revision.Digest,
		}
	}
}

// condition sets SourceReachable. Without a result it says what there is to say of a source that
// is not polled; of one that never was and nothing is wrong with, that is nothing.
func condition(cron *v1beta1.DataImportCron, in input, r *result, now time.Time) {
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
	status.SetCron(&cron.Status.Conditions, kind, want, now)
}

// report makes events of what a poll changed.
func (c *Controller) report(cron *v1beta1.DataImportCron, r *result) {
	c.reportCondition(cron, r.cron)
	if r.outcome() == v1beta1.PollUpdated {
		text := fmt.Sprintf("Source %s now holds %s", shown(cron), r.digest())
		if known := r.desired(); known != "" {
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

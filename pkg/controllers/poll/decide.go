// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/schedule"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/status"
)

const (
	// firstRetry bounds the pause after a first failure; the bound doubles with each further one.
	firstRetry = 30 * time.Second
	// lastRetry bounds the pause that is chosen here, however many polls failed.
	lastRetry = time.Hour
	// leastRetry is the shortest pause.
	leastRetry = 5 * time.Second
	// longestWish bounds the pause that a source may ask for.
	longestWish = 24 * time.Hour
	// corrected is about how long it takes until an image that could not be imported is looked
	// for again.
	corrected, correctedSpread = 5 * time.Minute, time.Minute
	// firstAnswer is how old what the first poll finds may be: ten thousand crons are not looked
	// at in an instant after a start.
	firstAnswer = 30 * time.Second
	// succession bounds how long after its start a controller asks again what failed before it.
	succession = 5 * time.Minute
)

// input is what a decision is made from.
type input struct {
	// cached is the cron as the cache has it, and cron as it will have it soon.
	cached, cron *v1beta1.DataImportCron
	// schedule is the zero Schedule if the cron has none, or one that cannot be read.
	schedule schedule.Schedule
	// scheduleErr is why it cannot be read, nil if it can.
	scheduleErr error
	// supported tells whether this server can poll that kind of source.
	supported bool
	// entry is what is known besides. Never nil.
	entry *entry
	// changed tells that the source is said to hold something else.
	changed bool
	// recovered is when the registry that is asked began to answer again; zero if it never
	// stopped.
	recovered time.Time
	// started is when the controller did.
	started time.Time
}

// decision is what to do with a cron.
type decision struct {
	// why to poll now; empty means not now.
	why why
	// next is when to look again if not now; zero means no poll is planned.
	next time.Time
	// early is when to poll before next, though next is what is written down; zero means not.
	early time.Time
	// request is the trigger request that a poll now answers; nil if there is none.
	request *v1beta1.TriggerRequest
}

// decide tells whether a cron is due. What was missed, however often, is one poll.
func decide(in input, now time.Time) decision {
	if request := unhandled(&in.cron.Status); request != nil {
		// The API refuses requests while the source wants to be left alone. One may have come
		// in the very poll that found that out.
		if until := in.limitedUntil(now); !until.IsZero() {
			return decision{next: until}
		}
		return decision{why: whyTriggered, request: request}
	}
	var d decision
	switch polled := in.cron.Status.LastPoll != nil; {
	case !polled && !in.supported:
		// A source that cannot be polled is to say so, even if nobody wants it polled.
		d.why = whyNeverPolled
		return d
	case in.suspended():
		return d
	case in.changed && in.supported:
		d.why = whyChanged
		return d
	case !polled:
		if !in.schedule.IsZero() {
			d.why = whyNeverPolled
		}
		return d
	}
	d.next, d.why = in.planned(now)
	if d.next.IsZero() {
		d.why = ""
		return d
	}
	if d.early = in.inherited(); now.Before(d.next) {
		d.why = in.ahead(d.early, now)
	}
	return d
}

// ahead returns why a cron is polled before it is planned, "" if it is not.
func (in input) ahead(early, now time.Time) why {
	switch {
	case !early.IsZero() && !now.Before(early):
		return whyRetry
	case in.hasRecovered():
		return whyRecovered
	case annotatedBefore(in.cron, now):
		return whyAnnotation
	}
	return ""
}

// hasRecovered tells whether a registry that could not be asked answers others since.
func (in input) hasRecovered() bool {
	last := in.cron.Status.LastPoll
	ended := in.entry.ended
	if ended.IsZero() {
		ended = last.Time.Time
	}
	return last.Outcome == v1beta1.PollFailed && in.recovered.After(ended)
}

// inherited returns when a cron is polled whose registry failed another controller, zero if it did
// not. That one would have been told when the registry answers others; this one has to find out
// how it fares.
func (in input) inherited() time.Time {
	if !in.entry.ended.IsZero() || in.cron.Status.LastPoll.Outcome != v1beta1.PollFailed {
		return time.Time{}
	}
	switch in.reason() {
	case ReasonUnreachable, ReasonTLSFailed, ReasonPollFailed:
		return in.started.Add(schedule.Jitter(string(in.cron.UID), succession*10))
	}
	return time.Time{}
}

// asOf is the time of which a poll wants to know what the source held. What is polled by the
// clock is to be known as of the time in the schedule: the jitter that comes on top spreads
// requests, and makes no other answer necessary than the one that a cron with less of it got.
func (in input) asOf(d decision, now time.Time) time.Time {
	switch d.why {
	case whyScheduled:
	case whyNeverPolled:
		// What others were told just now does for the first time as well, if the source was asked
		// when the cron was there: its user may have pushed the image right before.
		created := in.cron.CreationTimestamp.Add(time.Second)
		if oldest := now.Add(-firstAnswer); created.Before(oldest) {
			return oldest
		}
		return earlier(created, now)
	case whyTriggered, whyImportFailed, whyChanged, whyRetry, whyRecovered, whyAnnotation, whyMended:
		return now
	}
	jitter := in.schedule.Due(d.next, string(in.cron.UID)).Sub(in.schedule.Next(d.next))
	asOf := d.next.Add(-jitter)
	if oldest := now.Add(-schedule.MostJitter(in.schedule.Period())); asOf.Before(oldest) {
		return oldest
	}
	return asOf
}

// suspended tells whether polls are made for triggers alone.
func (in input) suspended() bool { return ptr.Deref(in.cron.Spec.Suspend, false) }

// limitedUntil returns until when the source wants to be left alone, zero if it does not.
func (in input) limitedUntil(now time.Time) time.Time {
	condition := status.Cron(in.cron.Status.Conditions, v1beta1.DataImportCronSourceReachable)
	next := in.cron.Status.NextPoll
	if condition == nil || condition.Reason != ReasonRateLimited || next == nil || !now.Before(next.Time) {
		return time.Time{}
	}
	return next.Time
}

// planned returns when a cron that was polled is polled again, and why; zero means never.
func (in input) planned(now time.Time) (time.Time, why) {
	last := in.cron.Status.LastPoll
	switch {
	case !in.supported:
		return time.Time{}, ""
	case last.Outcome == v1beta1.PollFailed:
		return in.retryAt(), whyRetry
	}
	return in.scheduled(earlier(last.Time.Time, now))
}

// scheduled returns when a poll is due after one that succeeded, and why; zero means never. As
// long as what the last one found cannot be imported, a corrected image is looked for sooner
// than the schedule says, so that the cron heals when the image is mended. Without a schedule
// it is not: then nobody is to be asked unbidden.
func (in input) scheduled(last time.Time) (time.Time, why) {
	uid := string(in.cron.UID)
	due := in.schedule.Due(last, uid)
	if due.IsZero() || !in.importFailed() {
		return due, whyScheduled
	}
	// Jitter is in seconds, and stays below a tenth of what it is given.
	sooner := last.Add(corrected - correctedSpread + schedule.Jitter(uid, 10*correctedSpread))
	if sooner = wholeSecond(sooner); sooner.Before(due) {
		return sooner, whyImportFailed
	}
	return due, whyScheduled
}

// importFailed tells whether what the source holds could not be imported.
func (in input) importFailed() bool {
	upToDate := status.Cron(in.cron.Status.Conditions, v1beta1.DataImportCronUpToDate)
	return upToDate != nil && upToDate.Reason == v1beta1.ReasonImportFailed
}

// unhandled returns the trigger request that no poll has answered. A request that others were
// added to since the poll began that answered it is asked for again.
func unhandled(status *v1beta1.DataImportCronStatus) *v1beta1.TriggerRequest {
	asked, done := status.TriggerRequest, status.LastTrigger
	if asked == nil || (done != nil && done.RequestID == asked.RequestID && asked.Coalesced <= done.Coalesced) {
		return nil
	}
	return asked
}

// owed returns the request to import by force whose poll failed, and that no later poll has made
// up for; nil if there is none.
func owed(status *v1beta1.DataImportCronStatus) *v1beta1.TriggerRequest {
	asked, done := status.TriggerRequest, status.LastTrigger
	if asked == nil || !asked.Force || done == nil || done.RequestID != asked.RequestID || done.Outcome != v1beta1.PollFailed {
		return nil
	}
	return asked
}

// retryAt returns when the poll that failed last is tried again: when was written down then,
// or, if that got lost, after the usual pause.
func (in input) retryAt() time.Time {
	status := &in.cron.Status
	if status.NextPoll != nil && status.NextPoll.After(status.LastPoll.Time.Time) {
		return status.NextPoll.Time
	}
	return status.LastPoll.Time.Add(pause(status.LastPoll.Failures, string(in.cron.UID)))
}

// annotatedBefore tells whether a cron's annotation asks for a poll at a time that is past.
func annotatedBefore(cron *v1beta1.DataImportCron, now time.Time) bool {
	next, err := time.Parse(time.RFC3339, cron.Annotations[v1beta1.AnnNextCronTime])
	return err == nil && !now.Before(next)
}

// after returns when to poll again after a poll from start to end; zero means no poll is
// planned. wish is when a source that failed asked to be tried again, zero if it did not.
func (in input) after(failures int32, start, end, wish time.Time) time.Time {
	uid := string(in.cron.UID)
	switch {
	case !in.supported, in.suspended():
		return time.Time{}
	case failures == 0:
		due, _ := in.scheduled(start)
		return due
	}
	retry := end.Add(pause(failures, uid))
	if wish.After(retry) {
		retry = earlier(wish, end.Add(longestWish))
	}
	return wholeSecond(retry)
}

// nextPoll is when the next poll is written down to be, zero if it is not.
func (in input) nextPoll() time.Time {
	if next := in.cron.Status.NextPoll; next != nil {
		return next.Time
	}
	return time.Time{}
}

// settled tells whether a cron that is not due says so already.
func (in input) settled(d decision) bool {
	if in.cron.DeletionTimestamp != nil {
		return true
	}
	annotation, ok := in.cron.Annotations[v1beta1.AnnNextCronTime]
	next := stamp(d.next)
	return ok == (next != nil) && annotation == ptr.Deref(next, "") && in.cron.Status.NextPoll.Equal(metaTime(d.next)) &&
		annotatedExecution(in.cron) == nil && !in.misjudged()
}

// verdict is the reason that the condition has without a poll; "" if it is about polls alone.
// While a poll fails, it is about that.
func (in input) verdict() string {
	last := in.cron.Status.LastPoll
	switch {
	case last != nil && last.Outcome == v1beta1.PollFailed:
		return ""
	case in.scheduleErr != nil:
		return ReasonBadSchedule
	case last == nil && in.suspended():
		return ReasonSuspended
	}
	return ""
}

// misjudged tells whether the condition has another such reason than it should.
func (in input) misjudged() bool {
	reason := ""
	if condition := status.Cron(in.cron.Status.Conditions, v1beta1.DataImportCronSourceReachable); condition != nil {
		reason = condition.Reason
	}
	if reason != ReasonBadSchedule && reason != ReasonSuspended {
		reason = ""
	}
	return reason != in.verdict()
}

// annotatedExecution returns when somebody else polled, if they have said so and that is later
// than the last poll of which the status knows; nil otherwise.
func annotatedExecution(cron *v1beta1.DataImportCron) *metav1.Time {
	when, err := time.Parse(time.RFC3339, cron.Annotations[v1beta1.AnnLastCronTime])
	if err != nil || (cron.Status.LastExecutionTimestamp != nil && !when.After(cron.Status.LastExecutionTimestamp.Time)) {
		return nil
	}
	return metaTime(when)
}

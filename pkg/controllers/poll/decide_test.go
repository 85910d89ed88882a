// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"goldenimage.dev/pkg/apis/cdi/schedule"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/test/gen"
)

func TestDecide(t *testing.T) {
	now := gen.Epoch()
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	asked := v1beta1.TriggerRequest{RequestID: "r1"}
	// With this UID the documented schedule is delayed by some seconds.
	const uid = "cron-uid"
	importFailed := gen.CronCondition(v1beta1.DataImportCronUpToDate, corev1.ConditionFalse, v1beta1.ReasonImportFailed)
	failedFor := func(reason string) gen.Modifier {
		return gen.CronCondition(v1beta1.DataImportCronSourceReachable, corev1.ConditionFalse, reason)
	}
	limited := gen.CronCondition(v1beta1.DataImportCronSourceReachable, corev1.ConditionFalse, ReasonRateLimited)
	monday := time.Date(2026, time.October, 5, 1, 30, 0, 0, time.UTC).Add(schedule.Jitter(uid, 7*24*time.Hour))
	for name, test := range map[string]struct {
		cron        []gen.Modifier
		unsupported bool
		want        why
		// next is only given if nothing is to be done now.
		next time.Time
		// request that is answered.
		request string
		// changed and recovered are as in input.
		changed   bool
		recovered time.Time
		// inherited tells that another controller made the poll, before this one started then.
		inherited time.Time
		// early is when that is, zero if it does not matter.
		early time.Time
	}{
		"a new cron is polled at once":                     {want: whyNeverPolled},
		"a new cron without a schedule is not polled":      {cron: []gen.Modifier{gen.WithSchedule("")}},
		"a new cron whose source is not supported says so": {cron: []gen.Modifier{gen.WithSchedule("")}, unsupported: true, want: whyNeverPolled},
		"a source that is not supported is not tried again": {
			cron: []gen.Modifier{gen.Polled(ago(time.Hour), "", 1)}, unsupported: true,
		},
		"a polled cron waits for its schedule": {
			cron: []gen.Modifier{gen.Polled(ago(time.Hour), gen.Digest("a"), 0)}, next: monday,
		},
		"an image that cannot be imported is looked for again before the schedule says": {
			cron: []gen.Modifier{gen.Polled(ago(10*time.Minute), gen.Digest("a"), 0), importFailed}, want: whyImportFailed,
		},
		"but not in a hot loop": {
			cron: []gen.Modifier{gen.Polled(ago(time.Minute), gen.Digest("a"), 0), importFailed},
			next: ago(time.Minute).Add(4*time.Minute + schedule.Jitter(uid, 10*time.Minute)),
		},
		"without a schedule it is not": {
			cron: []gen.Modifier{gen.WithSchedule(""), gen.Polled(ago(10*time.Minute), gen.Digest("a"), 0), importFailed},
		},
		"missed runs are one poll": {
			cron: []gen.Modifier{gen.Polled(ago(90*24*time.Hour), gen.Digest("a"), 0)}, want: whyScheduled,
		},
		"a poll in the future, of a clock that was wrong, does not keep the next one away": {
			cron: []gen.Modifier{gen.Polled(now.Add(1000*time.Hour), gen.Digest("a"), 0)}, next: monday,
		},
		"an interval that is over": {
			cron: []gen.Modifier{gen.WithSchedule("@every 1h"), gen.Polled(ago(time.Hour), gen.Digest("a"), 0)}, want: whyScheduled,
		},
		"an interval that is not over": {
			cron: []gen.Modifier{gen.WithSchedule("@every 1h"), gen.Polled(ago(59*time.Minute), gen.Digest("a"), 0)}, next: now.Add(time.Minute),
		},
		"a next time in the past, as CDI's users set it, polls at once": {
			cron: []gen.Modifier{gen.Polled(ago(time.Hour), gen.Digest("a"), 0), gen.WithAnnotation(v1beta1.AnnNextCronTime, "2026-10-01T12:00:00Z")},
			want: whyAnnotation,
		},
		"a next time in the future changes nothing": {
			cron: []gen.Modifier{gen.Polled(ago(time.Hour), gen.Digest("a"), 0), gen.WithAnnotation(v1beta1.AnnNextCronTime, "2026-10-01T12:00:01Z")},
			next: monday,
		},
		"a next time that is no time changes nothing": {
			cron: []gen.Modifier{gen.Polled(ago(time.Hour), gen.Digest("a"), 0), gen.WithAnnotation(v1beta1.AnnNextCronTime, "now")},
			next: monday,
		},
		"without a schedule a next time in the past changes nothing": {
			cron: []gen.Modifier{gen.WithSchedule(""), gen.Polled(ago(time.Hour), gen.Digest("a"), 0), gen.WithAnnotation(v1beta1.AnnNextCronTime, "2020-10-01T12:00:00Z")},
		},
		"a trigger polls at once": {
			cron: []gen.Modifier{gen.Polled(ago(time.Hour), gen.Digest("a"), 0), gen.Asked(asked)}, want: whyTriggered, request: "r1",
		},
		"a trigger polls without a schedule": {
			cron: []gen.Modifier{gen.WithSchedule(""), gen.Asked(asked)}, want: whyTriggered, request: "r1",
		},
		"a trigger that was answered is not answered again": {
			cron: []gen.Modifier{gen.WithSchedule(""), gen.Polled(ago(time.Hour), "", 0), gen.Asked(asked), gen.Answered(v1beta1.TriggerOutcome{RequestID: "r1"})},
		},
		"another trigger than the answered one": {
			cron: []gen.Modifier{gen.Asked(asked), gen.Answered(v1beta1.TriggerOutcome{RequestID: "r0", Coalesced: 9})}, want: whyTriggered, request: "r1",
		},
		"a trigger that came while its poll was made asks for another": {
			cron: []gen.Modifier{gen.Asked(v1beta1.TriggerRequest{RequestID: "r1", Coalesced: 2}), gen.Answered(v1beta1.TriggerOutcome{RequestID: "r1", Coalesced: 1})},
			want: whyTriggered, request: "r1",
		},
		"a poll that failed is tried again after a pause": {
			cron: []gen.Modifier{gen.Polled(ago(2*time.Second), "", 1)}, next: ago(2 * time.Second).Add(pause(1, uid)),
		},
		"a poll that failed is tried again without a schedule": {
			cron: []gen.Modifier{gen.WithSchedule(""), gen.Polled(ago(30*time.Second), "", 1)}, want: whyRetry,
		},
		"a retry whose time was written down": {
			cron: []gen.Modifier{gen.Polled(ago(time.Hour), "", 1), plan(now.Add(2 * time.Hour))}, next: now.Add(2 * time.Hour),
		},
		"a planned time from before the failure does not count": {
			cron: []gen.Modifier{gen.Polled(ago(time.Second), "", 1), plan(ago(time.Hour))}, next: ago(time.Second).Add(pause(1, uid)),
		},
		"a suspended cron that is new is not polled": {cron: []gen.Modifier{suspend(true)}},
		"a suspended cron whose source is not supported says so": {
			cron: []gen.Modifier{suspend(true)}, unsupported: true, want: whyNeverPolled,
		},
		"a suspended cron is not polled on schedule": {
			cron: []gen.Modifier{suspend(true), gen.Polled(ago(90*24*time.Hour), gen.Digest("a"), 0)},
		},
		"a suspended cron is not polled again after a failure": {
			cron: []gen.Modifier{suspend(true), gen.Polled(ago(time.Hour), "", 1), plan(ago(time.Minute))},
		},
		"a suspended cron is not polled for a next time in the past": {
			cron: []gen.Modifier{suspend(true), gen.Polled(ago(time.Hour), gen.Digest("a"), 0), gen.WithAnnotation(v1beta1.AnnNextCronTime, "2026-10-01T12:00:00Z")},
		},
		"a suspended cron is not polled for an image that cannot be imported": {
			cron: []gen.Modifier{suspend(true), gen.Polled(ago(10*time.Minute), gen.Digest("a"), 0), importFailed},
		},
		"a trigger polls a suspended cron": {
			cron: []gen.Modifier{suspend(true), gen.Polled(ago(time.Hour), gen.Digest("a"), 0), gen.Asked(asked)}, want: whyTriggered, request: "r1",
		},
		"what a suspended cron missed is one poll when it is suspended no longer": {
			cron: []gen.Modifier{suspend(false), gen.Polled(ago(90*24*time.Hour), gen.Digest("a"), 0)}, want: whyScheduled,
		},
		"a cron that missed nothing while suspended waits for its schedule": {
			cron: []gen.Modifier{suspend(false), gen.Polled(ago(time.Hour), gen.Digest("a"), 0)}, next: monday,
		},
		"a failure before a cron was suspended is tried again when it is no longer": {
			cron: []gen.Modifier{suspend(false), gen.Polled(ago(time.Hour), "", 1)}, want: whyRetry,
		},
		"a trigger waits as long as the source wants to be left alone": {
			cron: []gen.Modifier{gen.Polled(ago(time.Minute), "", 1), limited, plan(now.Add(time.Hour)), gen.Asked(asked)}, next: now.Add(time.Hour),
		},
		"and no longer": {
			cron: []gen.Modifier{gen.Polled(ago(time.Minute), "", 1), limited, plan(now), gen.Asked(asked)}, want: whyTriggered, request: "r1",
		},
		"a trigger does not wait for the retry of another failure": {
			cron: []gen.Modifier{
				gen.Polled(ago(time.Minute), "", 1), plan(now.Add(time.Hour)), gen.Asked(asked),
				gen.CronCondition(v1beta1.DataImportCronSourceReachable, corev1.ConditionFalse, ReasonUnreachable),
			},
			want: whyTriggered, request: "r1",
		},
		"a registry that answers others again is asked": {
			cron: []gen.Modifier{gen.Polled(ago(time.Minute), "", 9), plan(now.Add(time.Hour))}, recovered: ago(time.Second), want: whyRecovered,
		},
		"not if that was before the poll failed": {
			cron: []gen.Modifier{gen.Polled(ago(time.Minute), "", 9), plan(now.Add(time.Hour))}, recovered: ago(time.Hour), next: now.Add(time.Hour),
		},
		"nor if the poll did not fail": {
			cron: []gen.Modifier{gen.Polled(ago(time.Hour), gen.Digest("a"), 0)}, recovered: ago(time.Second), next: monday,
		},
		"nor while the cron is suspended": {
			cron: []gen.Modifier{suspend(true), gen.Polled(ago(time.Minute), "", 9)}, recovered: ago(time.Second),
		},
		"a registry that failed another controller is asked soon": {
			cron: []gen.Modifier{gen.Polled(ago(time.Hour), "", 9), plan(now.Add(time.Hour)), failedFor(ReasonUnreachable)}, inherited: ago(5 * time.Minute), want: whyRetry,
		},
		"but not by all at once": {
			cron: []gen.Modifier{gen.Polled(ago(time.Hour), "", 9), plan(now.Add(time.Hour)), failedFor(ReasonUnreachable)}, inherited: now, next: now.Add(time.Hour),
			early: now.Add(schedule.Jitter(uid, 50*time.Minute)),
		},
		"nor if it wants to be left alone": {
			cron: []gen.Modifier{gen.Polled(ago(time.Hour), "", 1), plan(now.Add(time.Hour)), limited}, inherited: ago(5 * time.Minute), next: now.Add(time.Hour),
		},
		"nor if it has not failed": {
			cron: []gen.Modifier{gen.Polled(ago(time.Hour), gen.Digest("a"), 0), failedFor(ReasonUnreachable)}, inherited: ago(5 * time.Minute), next: monday,
		},
		"a source that is said to have changed is polled": {
			cron: []gen.Modifier{gen.Polled(ago(time.Hour), gen.Digest("a"), 0)}, changed: true, want: whyChanged,
		},
		"also without a schedule": {
			cron: []gen.Modifier{gen.WithSchedule("")}, changed: true, want: whyChanged,
		},
		"but not while suspended": {
			cron: []gen.Modifier{suspend(true), gen.Polled(ago(time.Hour), gen.Digest("a"), 0)}, changed: true,
		},
		"a schedule that cannot be read plans nothing": {
			cron: []gen.Modifier{gen.WithSchedule("TZ=UTC"), gen.Polled(ago(time.Hour), gen.Digest("a"), 0)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			cron := gen.DataImportCron("cron", test.cron...)
			in := input{
				cron: cron, supported: !test.unsupported, entry: &entry{}, changed: test.changed, recovered: test.recovered, started: test.inherited,
			}
			if last := cron.Status.LastPoll; last != nil {
				in.entry.ended = last.Time.Time
			}
			if !test.inherited.IsZero() {
				in.entry.ended = time.Time{}
			}
			in.schedule, in.scheduleErr = schedule.Parse(cron.Spec.Schedule)
			got := decide(in, now)
			if got.why != test.want {
				t.Errorf("decided %q, want %q", got.why, test.want)
			}
			if got.why == "" && !got.next.Equal(test.next) {
				t.Errorf("next is %s, want %s", got.next, test.next)
			}
			if !got.early.Equal(test.early) && !test.early.IsZero() {
				t.Errorf("looks again at %s, want %s", got.early, test.early)
			}
			request := ""
			if got.request != nil {
				request = got.request.RequestID
			}
			if diff := cmp.Diff(test.request, request); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

// plan sets when a cron is polled next.
func plan(when time.Time) gen.Modifier {
	return func(obj metav1.Object) { obj.(*v1beta1.DataImportCron).Status.NextPoll = metaTime(when) }
}

// suspend says whether a cron is polled for triggers alone.
func suspend(suspended bool) gen.Modifier {
	return func(obj metav1.Object) { obj.(*v1beta1.DataImportCron).Spec.Suspend = &suspended }
}

func TestOwed(t *testing.T) {
	asked := gen.Asked(v1beta1.TriggerRequest{RequestID: "r1", Force: true})
	failed := gen.Answered(v1beta1.TriggerOutcome{RequestID: "r1", Outcome: v1beta1.PollFailed})
	for name, test := range map[string]struct {
		cron []gen.Modifier
		want string
	}{
		"nobody asked":                              {},
		"a force whose poll failed":                 {cron: []gen.Modifier{asked, failed}, want: "r1"},
		"a force that waits for its poll":           {cron: []gen.Modifier{asked}},
		"a force that waits behind another request": {cron: []gen.Modifier{asked, gen.Answered(v1beta1.TriggerOutcome{RequestID: "r0", Outcome: v1beta1.PollFailed})}},
		"a force whose poll succeeded":              {cron: []gen.Modifier{asked, gen.Answered(v1beta1.TriggerOutcome{RequestID: "r1", Outcome: v1beta1.PollUnchanged})}},
		"a request without force whose poll failed": {cron: []gen.Modifier{gen.Asked(v1beta1.TriggerRequest{RequestID: "r1"}), failed}},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if request := owed(&gen.DataImportCron("cron", test.cron...).Status); request != nil {
				got = request.RequestID
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("owed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPauseHasFullJitterBelowABoundThatDoubles(t *testing.T) {
	for name, test := range map[string]struct {
		failures int32
		bound    time.Duration
	}{
		"first":                  {1, 30 * time.Second},
		"second":                 {2, time.Minute},
		"fifth":                  {5, 8 * time.Minute},
		"eighth":                 {8, time.Hour},
		"more than shifts allow": {2_000_000_000, time.Hour},
		"none, as a client that drops the field leaves it": {0, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			const crons = 1000
			var sum, low, high time.Duration
			for i := range crons {
				uid := fmt.Sprintf("cron-%d", i)
				got := pause(test.failures, uid)
				if got < leastRetry || got > test.bound {
					t.Errorf("pause of %s is %s, want %s to %s", uid, got, leastRetry, test.bound)
				}
				if again := pause(test.failures, uid); again != got {
					t.Errorf("pause of %s is %s, then %s", uid, got, again)
				}
				if i == 0 {
					low = got
				}
				low, high, sum = min(low, got), max(high, got), sum+got
			}
			span := test.bound - leastRetry
			if low > leastRetry+span/50 || high < test.bound-span/50 {
				t.Errorf("pauses are from %s to %s, which is not all of what is below %s", low, high, test.bound)
			}
			if mean := sum / crons; mean < leastRetry+span*9/20 || mean > leastRetry+span*11/20 {
				t.Errorf("the mean pause is %s", mean)
			}
		})
	}
}

func TestAsOf(t *testing.T) {
	const uid = "cron-uid"
	now := time.Date(2026, time.October, 5, 2, 0, 0, 0, time.UTC)
	jitter := schedule.Jitter(uid, time.Hour)
	if jitter < 2*time.Second {
		t.Fatalf("the test needs another UID: this one has a jitter of %s", jitter)
	}
	for name, test := range map[string]struct {
		text string
		why  why
		next time.Time
		now  time.Time
		want time.Time
	}{
		"by the clock, as of the time without jitter": {
			text: "@hourly", why: whyScheduled, next: now.Add(jitter), now: now.Add(jitter), want: now,
		},
		"what was missed long ago, not as of then": {
			text: "@hourly", why: whyScheduled, next: now.Add(jitter - 240*time.Hour), now: now, want: now.Add(-5 * time.Minute),
		},
		"an interval, as of its end": {text: "@every 1h", why: whyScheduled, next: now, now: now.Add(time.Second), want: now},
		"a first poll, as of when the cron was there": {
			text: "@hourly", why: whyNeverPolled, now: gen.Epoch().Add(10 * time.Second), want: gen.Epoch().Add(time.Second),
		},
		"of an old cron, as of lately": {
			text: "@hourly", why: whyNeverPolled, now: gen.Epoch().Add(time.Hour), want: gen.Epoch().Add(time.Hour - firstAnswer),
		},
		"of one that is said to come from the future, as of now": {
			text: "@hourly", why: whyNeverPolled, now: gen.Epoch().Add(-time.Hour), want: gen.Epoch().Add(-time.Hour),
		},
		"a trigger, as of now": {text: "@hourly", why: whyTriggered, now: now, want: now},
		"a retry, as of now":   {text: "@hourly", why: whyRetry, next: now.Add(-time.Minute), now: now, want: now},
	} {
		t.Run(name, func(t *testing.T) {
			in := input{cron: gen.DataImportCron("cron")}
			in.schedule, _ = schedule.Parse(test.text)
			if got := in.asOf(decision{why: test.why, next: test.next}, test.now); !got.Equal(test.want) {
				t.Errorf("as of %s, want %s", got, test.want)
			}
		})
	}
}

func TestAfter(t *testing.T) {
	start, end := gen.Epoch(), gen.Epoch().Add(1500*time.Millisecond)
	for name, test := range map[string]struct {
		text        string
		unsupported bool
		suspended   bool
		failures    int32
		wish        time.Time
		want        time.Time
	}{
		"an interval is counted from the start of a poll": {text: "@every 1h", want: start.Add(time.Hour)},
		"on demand, nothing is planned":                   {text: ""},
		"a failure is tried again whatever the schedule":  {text: "", failures: 1, want: wholeSecond(end.Add(pause(1, "cron-uid")))},
		"a source's wish is heard":                        {text: "@every 1m", failures: 1, wish: end.Add(time.Hour), want: end.Add(time.Hour + 500*time.Millisecond)},
		"a source's wish for less is not":                 {text: "@every 1m", failures: 1, wish: end.Add(time.Second), want: wholeSecond(end.Add(pause(1, "cron-uid")))},
		"a source cannot ask for more than a day":         {text: "@every 1m", failures: 1, wish: end.Add(10_000 * time.Hour), want: end.Add(24*time.Hour + 500*time.Millisecond)},
		"what is not supported is not tried again":        {text: "@every 1m", unsupported: true, failures: 1},
		"a failure while suspended is not tried again":    {text: "@every 1m", suspended: true, failures: 1, wish: end.Add(time.Hour)},
		"while suspended, nothing is planned":             {text: "@every 1m", suspended: true},
	} {
		t.Run(name, func(t *testing.T) {
			in := input{cron: gen.DataImportCron("cron", suspend(test.suspended)), supported: !test.unsupported, entry: &entry{}}
			in.schedule, _ = schedule.Parse(test.text)
			if got := in.after(test.failures, start, end, test.wish); !got.Equal(test.want) {
				t.Errorf("next is %s, want %s", got, test.want)
			}
		})
	}
}

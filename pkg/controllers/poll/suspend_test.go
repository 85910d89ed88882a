// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/sources"
	"goldenimage.dev/test/bubble"
	"goldenimage.dev/test/gen"
)

// expectIdle fails unless a cron plans no poll and is not polled in a month.
func expectIdle(t *testing.T, w *bubble.World, r *registry) {
	t.Helper()
	before, requests := r.count(), len(w.CDI.Actions())
	w.Pass(30 * 24 * time.Hour)
	if more := len(w.CDI.Actions()) - requests; r.count() != before || more != 0 {
		t.Errorf("polled %d times in a month, with %d requests", r.count()-before, more)
	}
	cron := w.Cron("cron")
	if next, ok := cron.Annotations[v1beta1.AnnNextCronTime]; ok || cron.Status.NextPoll != nil {
		t.Errorf("a poll is planned for %s, annotated %q", cron.Status.NextPoll, next)
	}
}

func TestSuspendTakesEffectAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &registry{digest: gen.Digest("a")}
		w := start(t, r, gen.DataImportCron("cron", gen.WithSchedule("@every 24h")))
		first := w.Cron("cron").Status.LastPoll.Time
		w.UpdateCron("cron", suspend(true))
		expectIdle(t, w, r)
		if got := reachable(w.Cron("cron")); got.Reason != ReasonReachable {
			t.Errorf("condition %+v, want what the last poll found", got)
		}
		w.UpdateCron("cron", suspend(false))
		cron := w.Cron("cron")
		if r.count() != 2 || !cron.Status.LastPoll.Time.After(first.Add(29*24*time.Hour)) {
			t.Errorf("what was missed is %d polls, the last at %s", r.count()-1, cron.Status.LastPoll.Time)
		}
		if want := cron.Status.LastPoll.Time.Add(24 * time.Hour); cron.Status.NextPoll == nil || !cron.Status.NextPoll.Time.Equal(want) {
			t.Errorf("next poll %s, want %s", cron.Status.NextPoll, want)
		}
		w.UpdateCron("cron", suspend(true))
		w.UpdateCron("cron", suspend(false))
		if again := w.Cron("cron"); r.count() != 2 || !again.Status.NextPoll.Equal(cron.Status.NextPoll) {
			t.Errorf("suspended for a moment: %d polls, next %s, want %s", r.count(), again.Status.NextPoll, cron.Status.NextPoll)
		}
	})
}

func TestSuspendedFromTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &registry{digest: gen.Digest("a")}
		w := start(t, r, gen.DataImportCron("cron", suspend(true), gen.Desires(gen.Digest("c"))))
		expectIdle(t, w, r)
		if got := reachable(w.Cron("cron")); got.Status != corev1.ConditionUnknown || got.Reason != ReasonSuspended || got.ObservedGeneration != 1 {
			t.Errorf("condition %+v", got)
		}
		// That time is asked for as CDI's users do.
		w.UpdateCron("cron", gen.WithAnnotation(v1beta1.AnnNextCronTime, "2020-01-01T00:00:00Z"))
		expectIdle(t, w, r)
		if got := w.Cron("cron").Annotations[v1beta1.AnnSourceDesiredDigest]; got != gen.Digest("c") {
			t.Errorf("a digest set by hand became %s", got)
		}
		w.UpdateCronStatus("cron", gen.Asked(v1beta1.TriggerRequest{RequestID: "r1"}))
		cron := w.Cron("cron")
		if cron.Status.LastTrigger == nil || cron.Status.LastTrigger.Outcome != v1beta1.PollUpdated || reachable(cron).Reason != ReasonReachable {
			t.Errorf("after a trigger: %+v, condition %+v", cron.Status.LastTrigger, reachable(cron))
		}
		expectIdle(t, w, r)
		if diff := cmp.Diff([]string{"SourceUpdated", "TriggerHandled"}, w.Reasons()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestSuspendedNoLonger(t *testing.T) {
	for name, test := range map[string]struct {
		schedule string
		polls    int
		// reason of the condition, "" if it is gone.
		reason string
	}{
		"a cron that was never polled is polled at once": {schedule: "@daily", polls: 1, reason: ReasonReachable},
		"without a schedule nothing is said of it":       {schedule: ""},
		"with one that cannot be read, that is said":     {schedule: "0 0 30 2 *", reason: ReasonBadSchedule},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &registry{digest: gen.Digest("a")}
				w := start(t, r, gen.DataImportCron("cron", suspend(true)))
				if got := reachable(w.Cron("cron")); got.Reason != ReasonSuspended {
					t.Fatalf("condition %+v", got)
				}
				w.UpdateCron("cron", gen.WithSchedule(test.schedule))
				w.UpdateCron("cron", suspend(false))
				if got := reachable(w.Cron("cron")).Reason; got != test.reason || r.count() != test.polls {
					t.Errorf("condition %q after %d polls", got, r.count())
				}
			})
		})
	}
}

func TestFailureWhileSuspendedIsNotTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &registry{err: sources.Errorf(sources.Unreachable, "registry.example does not answer")}
		w := start(t, r, gen.DataImportCron("cron"))
		w.UpdateCron("cron", suspend(true))
		polls := r.count()
		expectIdle(t, w, r)
		w.UpdateCronStatus("cron", gen.Asked(v1beta1.TriggerRequest{RequestID: "r1"}))
		expectIdle(t, w, r)
		cron := w.Cron("cron")
		if r.count() != polls+1 || cron.Status.LastTrigger.Outcome != v1beta1.PollFailed || reachable(cron).Reason != ReasonUnreachable {
			t.Errorf("%d polls, last trigger %+v, condition %+v", r.count()-polls, cron.Status.LastTrigger, reachable(cron))
		}
		r.set(gen.Digest("a"), nil)
		w.UpdateCron("cron", suspend(false))
		if got := reachable(w.Cron("cron")); r.count() != polls+2 || got.Reason != ReasonReachable {
			t.Errorf("condition %+v after %d polls", got, r.count()-polls)
		}
	})
}

func TestScheduleWhoseTimeHasPassedPollsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &registry{digest: gen.Digest("a")}
		w := start(t, r, gen.DataImportCron("cron", gen.WithSchedule("@every 24h")))
		w.Pass(2 * time.Hour)
		w.UpdateCron("cron", gen.WithSchedule("@every 1h"))
		if w.Settle(); r.count() != 2 {
			t.Errorf("polled %d times", r.count())
		}
	})
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/sources"
	"goldenimage.dev/test/gen"
)

func TestForceOutlivesAPollThatFails(t *testing.T) {
	unreachable := sources.Errorf(sources.Unreachable, "registry.example does not answer")
	force := gen.Asked(v1beta1.TriggerRequest{RequestID: "r1", Force: true})
	for name, test := range map[string]struct {
		cron []gen.Modifier
		// then is what happens before the source answers, nil for nothing.
		then gen.Modifier
		// digest that it answers with.
		digest string
		forced string
		want   v1beta1.TriggerOutcome
	}{
		"a retry makes up for it": {
			cron: []gen.Modifier{force}, digest: gen.Digest("a"), forced: "r1",
			want: v1beta1.TriggerOutcome{RequestID: "r1", Outcome: v1beta1.PollUnchanged, Digest: gen.Digest("a")},
		},
		"a retry that finds new content does too": {
			cron: []gen.Modifier{force}, digest: gen.Digest("b"), forced: "r1",
			want: v1beta1.TriggerOutcome{RequestID: "r1", Outcome: v1beta1.PollUpdated, Digest: gen.Digest("b")},
		},
		"a request without force is not made up for": {
			cron: []gen.Modifier{gen.Asked(v1beta1.TriggerRequest{RequestID: "r1"})}, digest: gen.Digest("a"),
			want: v1beta1.TriggerOutcome{RequestID: "r1", Outcome: v1beta1.PollFailed},
		},
		"another request that took the force over does": {
			cron: []gen.Modifier{force}, then: gen.Asked(v1beta1.TriggerRequest{RequestID: "r2", Force: true}), digest: gen.Digest("a"), forced: "r2",
			want: v1beta1.TriggerOutcome{RequestID: "r2", Outcome: v1beta1.PollUnchanged, Digest: gen.Digest("a")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &registry{err: unreachable}
				w := start(t, r, gen.DataImportCron("cron", append(test.cron, gen.Desires(gen.Digest("a")))...))
				w.Pass(time.Hour)
				cron := w.Cron("cron")
				if got, ok := cron.Annotations[v1beta1.AnnForcedBy]; ok || cron.Status.LastTrigger.Outcome != v1beta1.PollFailed {
					t.Errorf("after failures: forced by %q, last trigger %+v", got, cron.Status.LastTrigger)
				}
				if test.then != nil {
					w.UpdateCronStatus("cron", test.then)
				}
				r.set(test.digest, nil)
				w.Pass(6 * time.Minute)
				cron = w.Cron("cron")
				got := *cron.Status.LastTrigger
				if test.forced != "" && got.HandledAt.Before(&cron.Status.LastPoll.Time) {
					t.Errorf("handled at %s, last poll at %s", got.HandledAt, cron.Status.LastPoll.Time)
				}
				got.HandledAt, got.RequestedAt = test.want.HandledAt, test.want.RequestedAt
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("last trigger (-want +got):\n%s", diff)
				}
				if forced := cron.Annotations[v1beta1.AnnForcedBy]; forced != test.forced {
					t.Errorf("forced by %q, want %q", forced, test.forced)
				}
			})
		})
	}
}

func TestForceThatWasMadeUpForIsNotAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unreachable := sources.Errorf(sources.Unreachable, "registry.example does not answer")
		r := &registry{err: unreachable}
		w := start(t, r, gen.DataImportCron("cron", gen.WithSchedule("@every 1h"), gen.Desires(gen.Digest("a")),
			gen.Asked(v1beta1.TriggerRequest{RequestID: "r1", Force: true})))
		// Retries that fail are not the request's: it was answered once.
		w.Pass(time.Minute)
		r.set(gen.Digest("a"), nil)
		w.Pass(2 * time.Minute)
		if got := w.Cron("cron").Annotations[v1beta1.AnnForcedBy]; got != "r1" {
			t.Fatalf("forced by %q", got)
		}
		// What is new then is imported once, and a failure in between changes nothing.
		r.set(gen.Digest("b"), nil)
		w.Pass(time.Hour)
		r.set("", unreachable)
		w.Pass(time.Hour)
		r.set(gen.Digest("b"), nil)
		w.Pass(time.Hour)
		cron := w.Cron("cron")
		if got, ok := cron.Annotations[v1beta1.AnnForcedBy]; ok || cron.Annotations[v1beta1.AnnSourceDesiredDigest] != gen.Digest("b") {
			t.Errorf("forced by %q, digest %s", got, cron.Annotations[v1beta1.AnnSourceDesiredDigest])
		}
		want := []string{"Unreachable", "TriggerHandled", "SourceReachable", "TriggerHandled", "SourceUpdated", "Unreachable", "SourceReachable"}
		if diff := cmp.Diff(want, w.Reasons()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

// TestTriggerDuringAPollThatIsRefusedWaits is about a request that the API took just before it
// was known that the source wants to be left alone.
func TestTriggerDuringAPollThatIsRefusedWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limited := sources.Errorf(sources.RateLimited, "too many requests")
		limited.NotBefore = time.Now().Add(2 * time.Hour)
		r := &registry{err: limited, took: 5 * time.Second}
		w := start(t, r, gen.DataImportCron("cron", gen.WithSchedule("")))
		w.UpdateCronStatus("cron", gen.Asked(v1beta1.TriggerRequest{RequestID: "r1"}))
		w.UpdateCronStatus("cron", gen.Asked(v1beta1.TriggerRequest{RequestID: "r1", Coalesced: 1}))
		w.Pass(time.Hour)
		cron := w.Cron("cron")
		if r.count() != 1 || cron.Status.LastTrigger.Coalesced != 0 || !cron.Status.NextPoll.After(time.Now()) {
			t.Errorf("polled %d times, last trigger %+v, next poll %s", r.count(), cron.Status.LastTrigger, cron.Status.NextPoll)
		}
		r.set(gen.Digest("a"), nil)
		w.Pass(time.Hour)
		if got := w.Cron("cron").Status.LastTrigger; r.count() != 2 || got.Coalesced != 1 || got.Outcome != v1beta1.PollUpdated {
			t.Errorf("polled %d times, last trigger %+v", r.count(), got)
		}
	})
}

// TestReasonThatTheAPIReads pins the one that makes /trigger refuse requests.
func TestReasonThatTheAPIReads(t *testing.T) {
	if diff := cmp.Diff("RateLimited", ReasonRateLimited); diff != "" {
		t.Errorf("reason (-want +got):\n%s", diff)
	}
}

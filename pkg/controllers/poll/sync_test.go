// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/access"
	"goldenimage.dev/pkg/controllers/status"
	"goldenimage.dev/pkg/sources"
	"goldenimage.dev/pkg/sources/polite"
	"goldenimage.dev/test/bubble"
	"goldenimage.dev/test/gen"
)

// registry is a Resolver that answers what it is told.
type registry struct {
	mu       sync.Mutex
	digest   string
	content  string
	err      error
	took     time.Duration
	asked    int
	location string
	access   sources.Access
	known    sources.Revision
	// during is called while a poll is made.
	during func()
}

func (r *registry) Resolve(ctx context.Context, query sources.Query) (sources.Revision, error) {
	location, access := query.Location, query.Access
	r.mu.Lock()
	r.asked++
	r.location, r.access, r.known = location, access, query.Known
	took, during := r.took, r.during
	r.mu.Unlock()
	if during != nil {
		during()
	}
	select {
	case <-time.After(took):
	case <-ctx.Done():
		return sources.Revision{}, fmt.Errorf("resolve: %w", ctx.Err())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return sources.Revision{}, r.err
	}
	return sources.Revision{Digest: r.digest, Content: r.content}, nil
}

func (r *registry) set(digest string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.digest, r.err = digest, err
}

func (r *registry) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked
}

// config is that of a controller whose questions go to resolvers, as fast as they come.
func config(t *testing.T, w *bubble.World, resolvers map[Kind]sources.Resolver) Config {
	t.Helper()
	named, kinds := map[string]sources.Resolver{}, []Kind{}
	for kind, r := range resolvers {
		named[string(kind)], kinds = r, append(kinds, kind)
	}
	asker := polite.New(polite.Config{
		Resolvers: named, Limits: polite.Limits{PerSecond: 1e6, Burst: 1e6, Concurrent: 1000}, Clock: clock.RealClock{},
		Timeouts: map[string]time.Duration{string(KindNode): 10 * time.Minute},
	})
	t.Cleanup(asker.Close)
	return Config{
		Client: w.CDI, Crons: w.CDIInformers.Cdi().V1beta1().DataImportCrons(),
		Access: access.Reader{Client: w.Kube, InsecureRegistries: []string{"insecure.example:5000"}, Accounts: access.NewAccounts(clock.RealClock{})},
		Asker:  asker, Kinds: kinds, Recorder: w.Recorder, Clock: clock.RealClock{},
	}
}

func start(t *testing.T, r *registry, objects ...runtime.Object) *bubble.World {
	t.Helper()
	w := bubble.New(t, objects...)
	c, err := New(config(t, w, map[Kind]sources.Resolver{KindRegistry: r}))
	if err != nil {
		t.Fatal(err)
	}
	w.Start(c.Run)
	return w
}

func reachable(cron *v1beta1.DataImportCron) v1beta1.ConditionState {
	return ptr.Deref(status.Cron(cron.Status.Conditions, v1beta1.DataImportCronSourceReachable), v1beta1.ConditionState{})
}

func TestFirstPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &registry{digest: gen.Digest("a"), took: 120 * time.Millisecond}
		begin := time.Now()
		w := start(t, r, gen.DataImportCron("cron"))
		w.Pass(time.Second)
		cron := w.Cron("cron")
		if got := cron.Annotations[v1beta1.AnnSourceDesiredDigest]; got != gen.Digest("a") {
			t.Errorf("desired digest %q", got)
		}
		next := cron.Annotations[v1beta1.AnnNextCronTime]
		if want := cron.Status.NextPoll.UTC().Format(time.RFC3339); next != want || !cron.Status.NextPoll.After(begin) {
			t.Errorf("next poll is annotated as %s, the status says %s", next, want)
		}
		want := &v1beta1.PollStatus{
			Time: *metaTime(begin), Outcome: v1beta1.PollUpdated, Digest: gen.Digest("a"), Duration: &metav1.Duration{Duration: 120 * time.Millisecond},
		}
		if diff := cmp.Diff(want, cron.Status.LastPoll); diff != "" {
			t.Errorf("last poll (-want +got):\n%s", diff)
		}
		if !cron.Status.LastExecutionTimestamp.Time.Equal(begin) || cron.Annotations[v1beta1.AnnLastCronTime] != begin.UTC().Format(time.RFC3339) {
			t.Errorf("last execution %s, annotated %s", cron.Status.LastExecutionTimestamp, cron.Annotations[v1beta1.AnnLastCronTime])
		}
		if got := reachable(cron); got.Status != corev1.ConditionTrue || got.Reason != ReasonReachable || got.ObservedGeneration != 1 {
			t.Errorf("condition %+v", got)
		}
		if diff := cmp.Diff([]string{"Normal SourceUpdated Source " + gen.URL + " now holds " + gen.Digest("a")}, w.Events()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if r.count() != 1 || r.location != gen.URL {
			t.Errorf("asked %d times, for %s", r.count(), r.location)
		}
	})
}

func TestPollsOnSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &registry{digest: gen.Digest("a")}
		w := start(t, r, gen.DataImportCron("cron", gen.WithSchedule("@every 1h")))
		w.Pass(24*time.Hour + time.Minute)
		synctest.Wait()
		if r.count() != 25 {
			t.Errorf("polled %d times in a day, want 25", r.count())
		}
		if got := w.Cron("cron").Status.LastPoll.Outcome; got != v1beta1.PollUnchanged {
			t.Errorf("outcome %s", got)
		}
		if diff := cmp.Diff([]string{"SourceUpdated"}, w.Reasons()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		writes := len(w.CDI.Actions())
		w.Pass(30 * time.Minute)
		synctest.Wait()
		if more := len(w.CDI.Actions()) - writes; more != 0 {
			t.Errorf("%d requests between two polls", more)
		}
	})
}

func TestScheduleChangeMovesTheNextPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &registry{digest: gen.Digest("a")}
		w := start(t, r, gen.DataImportCron("cron", gen.WithSchedule("@every 24h")))
		first := w.Cron("cron").Status.LastPoll.Time
		w.UpdateCron("cron", gen.WithSchedule("@every 1h"))
		cron := w.Cron("cron")
		if want := first.Add(time.Hour); !cron.Status.NextPoll.Time.Equal(want) || cron.Annotations[v1beta1.AnnNextCronTime] != want.UTC().Format(time.RFC3339) {
			t.Errorf("next poll %s, annotated %s, want %s", cron.Status.NextPoll, cron.Annotations[v1beta1.AnnNextCronTime], want)
		}
		w.UpdateCron("cron", gen.WithSchedule(""))
		cron = w.Cron("cron")
		if _, ok := cron.Annotations[v1beta1.AnnNextCronTime]; ok || cron.Status.NextPoll != nil {
			t.Errorf("a poll is planned without a schedule: %s", cron.Status.NextPoll)
		}
		w.Pass(48 * time.Hour)
		if synctest.Wait(); r.count() != 1 {
			t.Errorf("polled %d times", r.count())
		}
	})
}

func TestFailureIsShownRetriedAndHealed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &registry{err: sources.Errorf(sources.Unreachable, "registry.example does not answer")}
		w := start(t, r, gen.DataImportCron("cron", gen.Desires(gen.Digest("a"))))
		cron := w.Cron("cron")
		if got := reachable(cron); got.Status != corev1.ConditionFalse || got.Reason != ReasonUnreachable || got.Message != "registry.example does not answer" {
			t.Errorf("condition %+v", got)
		}
		w.Pass(time.Hour)
		cron = w.Cron("cron")
		if got := cron.Status.LastPoll; got.Outcome != v1beta1.PollFailed || got.Failures < 5 || got.Failures > 15 {
			t.Errorf("last poll %+v", got)
		}
		if cron.Annotations[v1beta1.AnnSourceDesiredDigest] != gen.Digest("a") {
			t.Error("a failed poll changed the digest")
		}
		if diff := cmp.Diff([]string{"Warning Unreachable registry.example does not answer"}, w.Events()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		r.set(gen.Digest("b"), nil)
		w.Pass(5*time.Minute + time.Second)
		cron = w.Cron("cron")
		if got := reachable(cron); got.Status != corev1.ConditionTrue {
			t.Errorf("condition %+v", got)
		}
		if cron.Status.LastPoll.Failures != 0 || cron.Annotations[v1beta1.AnnSourceDesiredDigest] != gen.Digest("b") {
			t.Errorf("last poll %+v", cron.Status.LastPoll)
		}
		want := []string{
			"Normal SourceReachable Source is reachable again",
			"Normal SourceUpdated Source " + gen.URL + " now holds " + gen.Digest("b") + ", was " + gen.Digest("a"),
		}
		if diff := cmp.Diff(want, w.Events()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestRetryAfterIsRespected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limited := sources.Errorf(sources.RateLimited, "too many requests")
		limited.NotBefore = time.Now().Add(2 * time.Hour)
		r := &registry{err: limited}
		w := start(t, r, gen.DataImportCron("cron", gen.WithSchedule("@every 1m")))
		w.Pass(2*time.Hour - time.Second)
		if synctest.Wait(); r.count() != 1 {
			t.Errorf("polled %d times", r.count())
		}
		if got := reachable(w.Cron("cron")); got.Reason != ReasonRateLimited {
			t.Errorf("condition %+v", got)
		}
		r.set(gen.Digest("a"), nil)
		w.Pass(2 * time.Second)
		if synctest.Wait(); r.count() != 2 {
			t.Errorf("polled %d times", r.count())
		}
	})
}

func TestTriggerIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &registry{digest: gen.Digest("a")}
		w := start(t, r, gen.DataImportCron("cron", gen.WithSchedule("")))
		if r.count() != 0 {
			t.Fatalf("polled %d times before anybody asked", r.count())
		}
		asked := metav1.NewTime(time.Now())
		w.Pass(3 * time.Second)
		w.UpdateCronStatus("cron", gen.Asked(v1beta1.TriggerRequest{RequestID: "r1", RequestedAt: asked, Coalesced: 2}))
		cron := w.Cron("cron")
		handled := cron.Status.LastExecutionTimestamp
		if !asked.Before(handled) {
			t.Errorf("handled at %s", handled)
		}
		want := &v1beta1.TriggerOutcome{
			RequestID: "r1", RequestedAt: asked, HandledAt: *handled, Outcome: v1beta1.PollUpdated, Digest: gen.Digest("a"), Coalesced: 2,
		}
		if diff := cmp.Diff(want, cron.Status.LastTrigger); diff != "" {
			t.Errorf("last trigger (-want +got):\n%s", diff)
		}
		if forced, ok := cron.Annotations[v1beta1.AnnForcedBy]; ok {
			t.Errorf("forced by %s", forced)
		}
		if diff := cmp.Diff([]string{"SourceUpdated", "TriggerHandled"}, w.Reasons()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		w.Pass(time.Hour)
		if synctest.Wait(); r.count() != 1 {
			t.Errorf("polled %d times", r.count())
		}
	})
}

func TestTriggerDuringItsPollAsksForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &registry{digest: gen.Digest("a"), took: time.Second}
		w := start(t, r, gen.DataImportCron("cron", gen.WithSchedule(""), gen.Asked(v1beta1.TriggerRequest{RequestID: "r1"})))
		w.Pass(500 * time.Millisecond)
		w.UpdateCronStatus("cron", gen.Asked(v1beta1.TriggerRequest{RequestID: "r1", Coalesced: 1}))
		w.Pass(10 * time.Second)
		if got := w.Cron("cron").Status.LastTrigger.Coalesced; r.count() != 2 || got != 1 {
			t.Errorf("polled %d times, %d coalesced", r.count(), got)
		}
	})
}

func TestForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &registry{digest: gen.Digest("a")}
		w := start(t, r, gen.DataImportCron("cron", gen.WithSchedule("@every 1h")))
		w.UpdateCronStatus("cron", gen.Asked(v1beta1.TriggerRequest{RequestID: "r1", Force: true}))
		cron := w.Cron("cron")
		if cron.Annotations[v1beta1.AnnForcedBy] != "r1" || cron.Status.LastTrigger.Outcome != v1beta1.PollUnchanged {
			t.Errorf("forced by %q, outcome %s", cron.Annotations[v1beta1.AnnForcedBy], cron.Status.LastTrigger.Outcome)
		}
		w.Pass(2 * time.Hour)
		if got := w.Cron("cron").Annotations[v1beta1.AnnForcedBy]; got != "r1" {
			t.Errorf("forced by %q after a poll that found the same", got)
		}
		r.set(gen.Digest("b"), nil)
		w.Pass(time.Hour)
		if got, ok := w.Cron("cron").Annotations[v1beta1.AnnForcedBy]; ok {
			t.Errorf("forced by %q though the content is new", got)
		}
	})
}

func TestNextTimeInThePastPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &registry{digest: gen.Digest("a")}
		w := start(t, r, gen.DataImportCron("cron"))
		w.UpdateCron("cron", gen.Desires("sha256:wrong"))
		if got := w.Cron("cron").Annotations[v1beta1.AnnSourceDesiredDigest]; got != "sha256:wrong" {
			t.Errorf("a digest set by hand became %s without a poll", got)
		}
		w.UpdateCron("cron", gen.WithAnnotation(v1beta1.AnnNextCronTime, time.Now().Format(time.RFC3339)))
		cron := w.Cron("cron")
		if r.count() != 2 || cron.Annotations[v1beta1.AnnSourceDesiredDigest] != gen.Digest("a") {
			t.Errorf("polled %d times, digest %s", r.count(), cron.Annotations[v1beta1.AnnSourceDesiredDigest])
		}
		w.Pass(time.Hour)
		if synctest.Wait(); r.count() != 2 {
			t.Errorf("polled %d times", r.count())
		}
	})
}

func TestStatusWriteThatFailsIsMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &registry{digest: gen.Digest("a"), took: time.Second}
		w := start(t, r, gen.DataImportCron("cron"))
		// Somebody writes in the middle of the poll: what they wrote stays.
		w.UpdateCronStatus("cron", gen.Imports("fedora-x", gen.Digest("c")))
		w.Pass(time.Minute)
		cron := w.Cron("cron")
		if cron.Status.LastPoll == nil || len(cron.Status.CurrentImports) != 1 {
			t.Errorf("status %+v", cron.Status)
		}
	})
}

func TestBeingDeletedIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &registry{digest: gen.Digest("a")}
		w := start(t, r, gen.DataImportCron("cron", gen.BeingDeleted()))
		w.Pass(time.Hour)
		if synctest.Wait(); r.count() != 0 {
			t.Errorf("polled %d times", r.count())
		}
	})
}

func TestAccessIsGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &registry{digest: gen.Digest("a")}
		w := start(t, r, gen.DataImportCron("cron", gen.WithRegistry(func(src *v1beta1.DataVolumeSourceRegistry) {
			src.URL = new("docker://insecure.example:5000/fedora")
			src.SecretRef = new("login")
			src.Platform = &v1beta1.PlatformOptions{Architecture: "arm64"}
		})))
		cron := w.Cron("cron")
		if got := reachable(cron); got.Reason != "SecretNotFound" || !strings.Contains(got.Message, "golden-images/login") {
			t.Errorf("condition %+v", got)
		}
		if r.count() != 0 {
			t.Error("polled without the Secret")
		}
		if _, err := w.Kube.CoreV1().Secrets(gen.Namespace).Create(t.Context(), gen.Secret("login", "me", "pw"), metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		w.Pass(21 * time.Second)
		if got := reachable(w.Cron("cron")); got.Status != corev1.ConditionTrue {
			t.Errorf("condition %+v", got)
		}
		want := sources.Access{Username: "me", Password: "pw", Insecure: true, Architecture: "arm64"}
		if diff := cmp.Diff(want, r.access); diff != "" {
			t.Errorf("access (-want +got):\n%s", diff)
		}
	})
}

func TestUnsupportedSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &registry{}
		w := start(t, r, gen.DataImportCron("cron", gen.WithSource(v1beta1.DataVolumeSource{
			Registry: &v1beta1.DataVolumeSourceRegistry{ImageStream: new("rhel9")},
		})))
		w.Pass(24 * time.Hour)
		cron := w.Cron("cron")
		got := reachable(cron)
		if got.Reason != ReasonSourceNotSupported || !strings.Contains(got.Message, "template.spec.source.registry.url") ||
			!strings.Contains(got.Message, "template.spec.source.registry.imageStream") {
			t.Errorf("condition %+v", got)
		}
		w.UpdateCronStatus("cron", gen.Asked(v1beta1.TriggerRequest{RequestID: "r1"}))
		cron = w.Cron("cron")
		if cron.Status.LastTrigger == nil || cron.Status.LastTrigger.Outcome != v1beta1.PollFailed || cron.Status.NextPoll != nil {
			t.Errorf("last trigger %+v, next poll %s", cron.Status.LastTrigger, cron.Status.NextPoll)
		}
		if diff := cmp.Diff([]string{"SourceNotSupported", "TriggerHandled"}, w.Reasons()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestSilentRegistryIsGivenUpAfterTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &registry{took: time.Hour}
		w := start(t, r, gen.DataImportCron("cron"))
		w.Pass(31 * time.Second)
		if got := reachable(w.Cron("cron")); got.Reason != ReasonUnreachable || !strings.Contains(got.Message, "30s") {
			t.Errorf("condition %+v", got)
		}
	})
}

func TestScheduleThatCannotBeReadIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &registry{digest: gen.Digest("a")}
		w := start(t, r, gen.DataImportCron("cron", gen.WithSchedule("0 0 30 2 *")))
		if got := reachable(w.Cron("cron")); got.Reason != ReasonBadSchedule || !strings.Contains(got.Message, "never comes") {
			t.Errorf("condition %+v", got)
		}
		w.UpdateCron("cron", gen.WithSchedule("@daily"))
		w.Pass(time.Second)
		if got := reachable(w.Cron("cron")); got.Status != corev1.ConditionTrue || r.count() != 1 {
			t.Errorf("condition %+v after %d polls", got, r.count())
		}
		if diff := cmp.Diff([]string{"BadSchedule", "SourceReachable", "SourceUpdated"}, w.Reasons()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestExplain(t *testing.T) {
	for name, test := range map[string]struct {
		err    error
		reason string
	}{
		"unauthorized":  {sources.Errorf(sources.Unauthorized, "x"), ReasonUnauthorized},
		"not found":     {sources.Errorf(sources.NotFound, "x"), ReasonNotFound},
		"unreachable":   {sources.Errorf(sources.Unreachable, "x"), ReasonUnreachable},
		"certificate":   {sources.Errorf(sources.Certificate, "x"), ReasonTLSFailed},
		"rate limited":  {sources.Errorf(sources.RateLimited, "x"), ReasonRateLimited},
		"invalid":       {sources.Errorf(sources.Invalid, "x"), ReasonMalformed},
		"transient":     {sources.Errorf(sources.Transient, "x"), ReasonPollFailed},
		"mismatch":      {sources.Errorf(sources.Mismatch, "x"), ReasonMalformed},
		"anything else": {errors.New("x"), ReasonPollFailed},
		"wrapped":       {fmt.Errorf("resolve: %w", sources.Errorf(sources.NotFound, "x")), ReasonNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			reason, message := explain(test.err)
			if reason != test.reason || message != "x" {
				t.Errorf("explained as %s: %s", reason, message)
			}
		})
	}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/time/rate"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/sources"
	"goldenimage.dev/test/bubble"
	"goldenimage.dev/test/gen"
)

// run starts a controller, whose Config may be changed before.
func run(t *testing.T, resolvers map[Kind]sources.Resolver, change func(*Config), objects ...runtime.Object) (w *bubble.World, stop func()) {
	t.Helper()
	w = bubble.New(t, objects...)
	cfg := config(t, w, resolvers)
	if change != nil {
		change(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w, w.Start(c.Run)
}

func (r *registry) push(digest, content string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.digest, r.content = digest, content
}

func TestIndexThatIsPushedAgainWithTheSameImageIsNotImportedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &registry{digest: gen.Digest("a"), content: gen.Digest("1")}
		w := start(t, r, gen.DataImportCron("cron", gen.WithSchedule("@every 1h")))
		w.Events()
		expect := func(desired string, outcome v1beta1.PollOutcome, source v1beta1.SourceRevision, events ...string) {
			t.Helper()
			w.Pass(time.Hour)
			cron := w.Cron("cron")
			if got := cron.Annotations[v1beta1.AnnSourceDesiredDigest]; got != desired || cron.Status.LastPoll.Outcome != outcome {
				t.Errorf("desired %s after %s, want %s after %s", got, cron.Status.LastPoll.Outcome, desired, outcome)
			}
			if diff := cmp.Diff(&source, cron.Status.Source); diff != "" {
				t.Errorf("source (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(append([]string{}, events...), w.Reasons()); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		}
		r.push(gen.Digest("b"), gen.Digest("1"))
		expect(gen.Digest("a"), v1beta1.PollUnchanged, v1beta1.SourceRevision{Digest: gen.Digest("b"), ContentDigest: gen.Digest("1"), ImportDigest: gen.Digest("a")})
		r.push(gen.Digest("c"), gen.Digest("1"))
		expect(gen.Digest("a"), v1beta1.PollUnchanged, v1beta1.SourceRevision{Digest: gen.Digest("c"), ContentDigest: gen.Digest("1"), ImportDigest: gen.Digest("a")})
		if want := (sources.Revision{Digest: gen.Digest("b"), Content: gen.Digest("1")}); r.known != want {
			t.Errorf("asked knowing %+v, want %+v", r.known, want)
		}
		r.push(gen.Digest("d"), gen.Digest("2"))
		expect(gen.Digest("d"), v1beta1.PollUpdated, v1beta1.SourceRevision{Digest: gen.Digest("d"), ContentDigest: gen.Digest("2")}, "SourceUpdated")
		// What somebody set by hand is not what was imported, so the poll sets it right.
		w.UpdateCron("cron", gen.Desires(gen.Digest("f")))
		expect(gen.Digest("d"), v1beta1.PollUpdated, v1beta1.SourceRevision{Digest: gen.Digest("d"), ContentDigest: gen.Digest("2")}, "SourceUpdated")
		// The registry may not know the old index any more when an import of it fails.
		r.push(gen.Digest("e"), gen.Digest("2"))
		w.UpdateCronStatus("cron", gen.CronCondition(v1beta1.DataImportCronUpToDate, corev1.ConditionFalse, v1beta1.ReasonImportFailed))
		expect(gen.Digest("e"), v1beta1.PollUnchanged, v1beta1.SourceRevision{Digest: gen.Digest("e"), ContentDigest: gen.Digest("2")}, "SourceUpdated")
	})
}

func nodePull(src *v1beta1.DataVolumeSourceRegistry) { src.PullMethod = new(v1beta1.RegistryPullNode) }

func TestNodesAreAskedWhenTheServerMayNotRead(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		cron []gen.Modifier
		// nodes is how often they are asked.
		nodes  int
		reason string
		events []string
	}{
		"the server is refused": {
			err: sources.Errorf(sources.Unauthorized, "no"), cron: []gen.Modifier{gen.WithRegistry(nodePull)}, nodes: 1, reason: ReasonReachable,
			events: []string{ReasonAskingNode, ReasonSourceUpdated},
		},
		"the server has no way there": {
			err: sources.Errorf(sources.Unreachable, "no"), cron: []gen.Modifier{gen.WithRegistry(nodePull)}, nodes: 1, reason: ReasonReachable,
			events: []string{ReasonAskingNode, ReasonSourceUpdated},
		},
		"what is not there is not there for nodes either": {
			err: sources.Errorf(sources.NotFound, "no"), cron: []gen.Modifier{gen.WithRegistry(nodePull)}, reason: ReasonNotFound, events: []string{ReasonNotFound},
		},
		"a registry that wants to be left alone is": {
			err: sources.Errorf(sources.RateLimited, "no"), cron: []gen.Modifier{gen.WithRegistry(nodePull)}, reason: ReasonRateLimited, events: []string{ReasonRateLimited},
		},
		"the server can read it": {cron: []gen.Modifier{gen.WithRegistry(nodePull)}, reason: ReasonReachable, events: []string{ReasonSourceUpdated}},
		"the image is not pulled by nodes": {
			err: sources.Errorf(sources.Unauthorized, "no"), reason: ReasonUnauthorized, events: []string{ReasonUnauthorized},
		},
		"the server lacks the Secret that nodes may not need": {
			cron:  []gen.Modifier{gen.WithRegistry(nodePull), gen.WithRegistry(func(src *v1beta1.DataVolumeSourceRegistry) { src.SecretRef = new("login") })},
			nodes: 1, reason: ReasonReachable, events: []string{ReasonSourceUpdated},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, node := &registry{err: test.err, digest: gen.Digest("a")}, &registry{digest: gen.Digest("b"), took: time.Minute}
				w, _ := run(t, map[Kind]sources.Resolver{KindRegistry: server, KindNode: node}, func(cfg *Config) {
					cfg.NodeLocation = func(cron *v1beta1.DataImportCron) string { return "node of " + cron.Name }
				}, gen.DataImportCron("cron", append(test.cron, gen.WithSchedule("@every 24h"))...))
				w.Pass(2 * time.Second)
				if node.count() != test.nodes || test.nodes > 0 && node.location != "node of cron" {
					t.Errorf("asked %d times on a node, for %q", node.count(), node.location)
				}
				w.Pass(time.Minute)
				if got := reachable(w.Cron("cron")); got.Reason != test.reason {
					t.Errorf("condition %+v", got)
				}
				if diff := cmp.Diff(test.events, w.Reasons()); diff != "" {
					t.Errorf("events (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// watcher tells what it is told.
type watcher chan string

func (w watcher) Watch(ctx context.Context, changed func(string)) {
	for {
		select {
		case location := <-w:
			changed(location)
		case <-ctx.Done():
			return
		}
	}
}

func stream(name string) gen.Modifier {
	return gen.WithSource(v1beta1.DataVolumeSource{Registry: &v1beta1.DataVolumeSourceRegistry{ImageStream: &name, PullMethod: new(v1beta1.RegistryPullNode)}})
}

func TestChangesOfAnImageStreamAreFoundWithoutTheSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, changes := &registry{digest: gen.Digest("a")}, make(watcher)
		w, _ := run(t, map[Kind]sources.Resolver{KindImageStream: r}, func(cfg *Config) {
			cfg.Watchers = map[Kind]sources.Watcher{KindImageStream: changes}
		}, gen.DataImportCron("cron", stream("rhel9:latest"), gen.WithSchedule("")), gen.DataImportCron("other", stream("rhel8"), gen.WithSchedule("")))
		if w.Settle(); r.count() != 0 {
			t.Fatalf("polled %d times", r.count())
		}
		expect := func(polls int, digest string) {
			t.Helper()
			changes <- gen.Namespace + "/rhel9"
			cron := w.Cron("cron")
			if r.count() != polls || cron.Annotations[v1beta1.AnnSourceDesiredDigest] != digest {
				t.Errorf("polled %d times, digest %s", r.count(), cron.Annotations[v1beta1.AnnSourceDesiredDigest])
			}
		}
		expect(1, gen.Digest("a"))
		if r.location != gen.Namespace+"/rhel9:latest" {
			t.Errorf("asked for %s", r.location)
		}
		r.set(gen.Digest("b"), nil)
		expect(2, gen.Digest("b"))
		w.CDI.ClearActions()
		expect(3, gen.Digest("b"))
		for _, action := range w.CDI.Actions() {
			if action.GetVerb() != "get" {
				t.Errorf("a false alarm is written down: %s", action.GetVerb())
			}
		}
		if got := w.Cron("other"); got.Status.LastPoll != nil {
			t.Errorf("another cron was polled: %+v", got.Status.LastPoll)
		}
	})
}

func TestPollsThatFindNothingNewAreWrittenAtASteadyPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const crons = 40
		var objects []runtime.Object
		for i := range crons {
			objects = append(objects, gen.DataImportCron(fmt.Sprintf("cron-%d", i), gen.WithSchedule("* * * * *")))
		}
		r := &registry{digest: gen.Digest("a")}
		w := bubble.New(t, objects...)
		c, err := New(config(t, w, map[Kind]sources.Resolver{KindRegistry: r}))
		if err != nil {
			t.Fatal(err)
		}
		c.pace = rate.NewLimiter(2, 2)
		stop := w.Start(c.Run)
		writes := func() int {
			synctest.Wait()
			n := len(w.CDI.Actions())
			w.CDI.ClearActions()
			return n
		}
		// The first polls find something new, which is written at once.
		if w.Settle(); writes() < crons {
			t.Error("what is new is not written at once")
		}
		// All of a minute are due within six seconds.
		w.Pass(time.Minute + 5*time.Second)
		if got := writes(); got < 8 || got > 14 {
			t.Errorf("%d polls are written down within six seconds", got)
		}
		w.Pass(20 * time.Second)
		if got := writes(); got < crons-14 || got > crons-8 {
			t.Errorf("%d polls are written down later in the minute", got)
		}
		// What is not written when the controller ends is written then.
		w.Pass(40 * time.Second)
		stop()
		list, err := w.CDI.CdiV1beta1().DataImportCrons(gen.Namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range list.Items {
			if cron := &list.Items[i]; time.Since(cron.Status.LastPoll.Time.Time) > 7*time.Second {
				t.Errorf("the latest poll of %s is not written down: it says %s", cron.Name, cron.Status.LastPoll.Time)
			}
		}
		if r.count() != 3 {
			t.Errorf("the registry was asked %d times in three minutes", r.count())
		}
	})
}

func TestAPollThatIsNotWrittenYetIsNotMadeAgainAndHidesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &registry{digest: gen.Digest("a")}
		w := bubble.New(t, gen.DataImportCron("cron", gen.WithSchedule("@every 1h")))
		c, err := New(config(t, w, map[Kind]sources.Resolver{KindRegistry: r}))
		if err != nil {
			t.Fatal(err)
		}
		// A poll is written down ten minutes after it.
		c.pace = rate.NewLimiter(rate.Every(10*time.Minute), 1)
		c.pace.AllowN(time.Now().Add(time.Hour-time.Second), 1)
		w.Start(c.Run)
		w.Pass(time.Hour)
		first := w.Cron("cron").Status.LastPoll.Time
		w.Pass(5 * time.Minute)
		if r.count() != 2 || !w.Cron("cron").Status.LastPoll.Time.Equal(&first) {
			t.Fatalf("polled %d times, the last is written down already", r.count())
		}
		w.UpdateCron("cron", gen.WithAnnotation(v1beta1.AnnNextCronTime, "2000-01-01T00:00:00Z"))
		if w.Settle(); r.count() != 3 {
			t.Errorf("polled %d times after somebody asked for it", r.count())
		}
		if next := w.Cron("cron").Annotations[v1beta1.AnnNextCronTime]; !strings.HasPrefix(next, "2000-01-01T02:0") {
			t.Errorf("next poll is annotated as %s", next)
		}
	})
}

func TestMendedSecretIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &registry{err: sources.Errorf(sources.Unauthorized, "wrong password")}
		w := start(t, r, gen.Secret("login", "me", "old"), gen.DataImportCron("cron", gen.WithSchedule("@every 24h"),
			gen.WithRegistry(func(src *v1beta1.DataVolumeSourceRegistry) { src.SecretRef = new("login") })))
		// Pauses are long by now.
		w.Pass(12 * time.Hour)
		polls := r.count()
		r.set(gen.Digest("a"), nil)
		secret := gen.Secret("login", "me", "new")
		if err := w.Kube.Tracker().Update(corev1.SchemeGroupVersion.WithResource("secrets"), secret, gen.Namespace); err != nil {
			t.Fatal(err)
		}
		w.Pass(lookEvery + lookSpread)
		if got := reachable(w.Cron("cron")); got.Status != corev1.ConditionTrue || r.count() != polls+1 || r.access.Password != "new" {
			t.Errorf("condition %+v after %d polls", got, r.count()-polls)
		}
	})
}

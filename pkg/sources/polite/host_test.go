// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package polite

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"k8s.io/utils/clock"

	"goldenimage.dev/pkg/sources"
)

func TestRateOfAHost(t *testing.T) {
	tests := map[string]struct {
		limits Limits
		host   string
		took   time.Duration
		// want are how many questions were begun after so many seconds.
		want []int
		most int
	}{
		"by default":           {want: []int{5, 7, 9, 11}, host: "a.example", most: 1},
		"as the flags say":     {limits: Limits{PerSecond: 1, Burst: 2}, want: []int{2, 3, 4, 5}, host: "a.example", most: 1},
		"slow answers":         {limits: Limits{PerSecond: 100, Burst: 100, Concurrent: 3}, took: 2 * time.Second, want: []int{3, 3, 6, 6}, host: "a.example", most: 3},
		"without limits":       {limits: Limits{Unlimited: []string{"a.example"}}, took: time.Second, want: []int{64, 100, 100}, host: "a.example:5000", most: 64},
		"without, by its port": {limits: Limits{Unlimited: []string{"a.example:5000"}}, took: time.Second, want: []int{64, 100}, host: "a.example:5000", most: 64},
		"another port":         {limits: Limits{Unlimited: []string{"a.example:5001"}}, want: []int{5, 7}, host: "a.example:5000", most: 1},
		"a suffix":             {limits: Limits{Unlimited: []string{"*.example"}}, took: time.Second, want: []int{64, 100}, host: "b.A.example:5000", most: 64},
		"not quite the suffix": {limits: Limits{Unlimited: []string{"*.example", "*", "*a"}}, want: []int{5, 7}, host: "example", most: 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				// An answer that takes no time at all could still overlap with another.
				p := &peer{took: max(test.took, time.Millisecond)}
				a := newAsker(t, p, test.limits)
				var c caller
				for i := range 100 {
					c.ask(a, ask(test.host, fmt.Sprint(i)))
				}
				var got []int
				for range test.want {
					synctest.Wait()
					got = append(got, p.count())
					pass(time.Second)
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("begun (-want +got):\n%s", diff)
				}
				if test.most > 1 && p.most != test.most {
					t.Errorf("%d at once, want %d", p.most, test.most)
				}
			})
		})
	}
}

func TestQuestionsAreAskedInOrderAndADeadHostDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead, alive := &peer{took: time.Hour}, &peer{}
		a := New(Config{
			Resolvers: map[string]sources.Resolver{testKind: alive, "dead": dead}, Clock: clock.RealClock{}, Rand: half,
			Limits: Limits{Burst: 1}, Timeout: 20 * time.Second, Timeouts: map[string]time.Duration{"dead": 10 * time.Second},
		})
		t.Cleanup(a.Close)
		var c caller
		for i := range 50 {
			q := ask("dead.example", fmt.Sprint(i))
			q.Kind = "dead"
			c.ask(a, q)
		}
		var want []string
		for i := range 11 {
			c.ask(a, ask("alive.example", fmt.Sprint(i)))
			want = append(want, fmt.Sprint(i))
		}
		pass(5 * time.Second)
		var got []string
		for _, call := range alive.calls {
			got = append(got, call.location)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("asked (-want +got):\n%s", diff)
		}
		if dead.count() != 8 {
			t.Errorf("%d questions wait for the dead host", dead.count())
		}
		pass(18 * time.Second)
		// Five failed by the timeout of their kind, and then those that were under way.
		q := ask("dead.example", "new")
		q.Kind = "dead"
		if answer, ok := a.Ask(q, func() {}); !ok || sources.KindOf(answer.Err) != sources.Unreachable || a.waiting != 0 {
			t.Errorf("the dead host: %+v, %d waiting", answer, a.waiting)
		}
	})
}

func TestAHostThatAsksForItIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{}
		a := newAsker(t, p, Limits{PerSecond: 1, Burst: 1})
		until := time.Now().Add(10*time.Minute + time.Millisecond)
		p.answers(func(string) error {
			err := sources.Errorf(sources.RateLimited, "too many for a")
			err.NotBefore = until
			return err
		})
		var first, queued, later caller
		first.ask(a, ask("a.example", "a"))
		queued.ask(a, ask("a.example", "b"))
		pass(time.Minute)
		later.ask(a, ask("a.example", "c"))
		if answer, _, ok := first.got(); !ok || answer.Err.Error() != "too many for a" {
			t.Errorf("who was limited got %v", answer.Err)
		}
		for name, c := range map[string]*caller{"queued": &queued, "new": &later} {
			answer, _, ok := c.got()
			e, _ := answer.Err.(*sources.Error) //nolint:errorlint // it is the error itself
			want := "a.example limits how often it is asked, and is not asked until " + until.Add(time.Second).Truncate(time.Second).UTC().Format(time.RFC3339)
			if !ok || e == nil || e.Kind != sources.RateLimited || !e.NotBefore.Equal(until) || e.Message != want || !answer.Started.Equal(answer.Ended) {
				t.Errorf("what was %s got %+v", name, answer)
			}
		}
		if p.count() != 1 {
			t.Errorf("asked %d times", p.count())
		}
		p.answers(nil)
		pass(9*time.Minute + time.Millisecond)
		var c caller
		for i := range 3 {
			c.ask(a, ask("a.example", fmt.Sprint(i)))
		}
		if synctest.Wait(); p.count() != 2 {
			t.Errorf("asked %d times afterwards", p.count())
		}
		if pass(2 * time.Second); p.count() != 4 {
			t.Errorf("asked %d times two seconds later", p.count())
		}
	})
}

func TestHoldsGrowAndAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{answer: fails(sources.RateLimited)}
		a := newAsker(t, p, fast())
		held := func() time.Duration {
			var c caller
			for i := range 3 {
				c.ask(a, ask("a.example", fmt.Sprint(i)))
			}
			synctest.Wait()
			return time.Until(a.hosts["a.example"].held)
		}
		var got []time.Duration
		for range 10 {
			d := held()
			got = append(got, d)
			pass(d)
		}
		s := time.Second
		want := []time.Duration{17500 * time.Millisecond, 32500 * time.Millisecond, 62500 * time.Millisecond, 122500 * time.Millisecond, 242500 * time.Millisecond,
			482500 * time.Millisecond, 962500 * time.Millisecond, 1802500 * time.Millisecond, 1802500 * time.Millisecond, 1802500 * time.Millisecond}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("holds (-want +got):\n%s", diff)
		}
		p.answers(nil)
		held()
		p.answers(fails(sources.RateLimited))
		pass(s)
		if got := held(); got != want[0] {
			t.Errorf("held for %s after it answered", got)
		}
		pass(time.Hour)
		p.answers(func(string) error {
			err := sources.Errorf(sources.RateLimited, "")
			err.NotBefore = time.Now().Add(1000 * time.Hour)
			return err
		})
		if got := held(); got != longestHold {
			t.Errorf("held for %s by a host that wants more", got)
		}
	})
}

func TestHostsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{}
		a := newAsker(t, p, Limits{})
		for i := range mostHosts + 10 {
			pass(time.Microsecond)
			if _, err := a.Resolve(t.Context(), ask(fmt.Sprintf("%d.example", i), "a")); err != nil {
				t.Fatal(err)
			}
		}
		// None is idle, as all would get more at once if they were forgotten.
		if got := len(a.hosts); got > mostHosts || a.hosts["0.example"] != nil || a.hosts[fmt.Sprintf("%d.example", mostHosts-1)] == nil {
			t.Errorf("%d hosts are known", got)
		}
		p.mu.Lock()
		p.took = time.Second
		p.mu.Unlock()
		for i := range mostHosts {
			a.Ask(ask(fmt.Sprintf("%d.example", i), "b"), func() {})
		}
		if answer, ok := a.Ask(ask("more.example", "b"), func() {}); !ok || sources.KindOf(answer.Err) != sources.Transient || !strings.Contains(answer.Err.Error(), "more.example") {
			t.Errorf("got %+v, %v", answer, ok)
		}
	})
}

func TestWaitersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{took: time.Hour}
		a := newAsker(t, p, Limits{})
		for i := range mostWaiting {
			q := ask("a.example", "a")
			q.Waiter = fmt.Sprint(i)
			a.Ask(q, func() {})
			if i < 10 {
				a.Ask(q, func() {})
			}
		}
		if answer, ok := a.Ask(ask("b.example", "b"), func() {}); !ok || answer.Err == nil {
			t.Errorf("got %+v, %v", answer, ok)
		}
	})
}

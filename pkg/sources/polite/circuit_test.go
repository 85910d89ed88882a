// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package polite

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/testutil"
	"k8s.io/utils/clock"

	"goldenimage.dev/pkg/sources"
)

func TestWhichFailuresGiveAHostUp(t *testing.T) {
	tests := map[string]struct {
		answer func(string) error
		gone   bool
	}{
		"no connection":  {answer: fails(sources.Unreachable), gone: true},
		"certificates":   {answer: fails(sources.Certificate), gone: true},
		"server errors":  {answer: fails(sources.Transient), gone: true},
		"unheard errors": {answer: func(string) error { return errors.New("unheard") }, gone: true},
		"not found":      {answer: fails(sources.NotFound)},
		"refused":        {answer: fails(sources.Unauthorized)},
		"malformed":      {answer: fails(sources.Invalid)},
		"something else": {answer: fails(sources.Mismatch)},
		"no disk":        {answer: fails(sources.NoDisk)},
		"all is well":    {},
		"now and then one": {answer: func(location string) error {
			if location == "4" {
				return sources.Errorf(sources.NotFound, "")
			}
			return sources.Errorf(sources.Transient, "")
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &peer{answer: test.answer}
				a := newAsker(t, p, fast())
				for i := range 8 {
					_, _ = a.Resolve(t.Context(), ask("a.example", fmt.Sprint(i)))
				}
				if gone := p.count() == opensAfter; gone != test.gone || !gone && p.count() != 8 {
					t.Errorf("asked %d times", p.count())
				}
			})
		})
	}
}

func TestAHostThatIsGivenUpIsTriedAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{answer: fails(sources.Unreachable)}
		a := newAsker(t, p, fast())
		for i := range opensAfter {
			_, _ = a.Resolve(t.Context(), ask("a.example", fmt.Sprint(i)))
		}
		opened := time.Now()
		next := opened.Add(17500 * time.Millisecond)
		var same, different caller
		same.ask(a, Question{Kind: testKind, Host: "a.example", Query: sources.Query{Location: "4"}, AsOf: opened.Add(time.Nanosecond), Waiter: "ns/same"})
		pass(time.Millisecond)
		for _, again := range []string{"ns/a", "ns/b", "ns/a"} {
			q := ask("a.example", "secret-name")
			q.Waiter = again
			different.ask(a, q)
		}
		answer, _, ok := different.got()
		e, _ := answer.Err.(*sources.Error) //nolint:errorlint // it is the error itself
		want := "a.example failed 5 times in a row (unreachable), and is not asked until " + stamp(next)
		if !ok || e == nil || e.Kind != sources.Unreachable || e.Message != want || !e.NotBefore.Equal(next) {
			t.Fatalf("got %+v, want %s", answer, want)
		}
		q := ask("a.example", "4")
		q.Waiter = "ns/same"
		same.ask(a, q)
		if answer, _, _ := same.got(); answer.Err.Error() != want+": no answer for 4" {
			t.Errorf("who asked for what failed got %v", answer.Err)
		}
		if !a.Recovered("a.example").IsZero() || p.count() != opensAfter {
			t.Errorf("asked %d times", p.count())
		}
		// 17.5 s, then 32.5 s, then 62.5 s, and so on, but no more than five minutes.
		for i, pause := range []time.Duration{17500, 32500, 62500, 122500, 152500, 152500} {
			due := opened.Add(pause * time.Millisecond)
			pass(time.Until(due) - time.Nanosecond)
			if got := p.count(); got != opensAfter+i {
				t.Fatalf("tried %d times before try %d is due", got-opensAfter, i+1)
			}
			if i == 5 {
				p.answers(nil)
			}
			pass(time.Nanosecond)
			if try := p.calls[opensAfter+i]; try != (call{location: "4", at: due}) {
				t.Fatalf("try %d: %+v", i+1, try)
			}
			opened = due
		}
		if got := a.Recovered("a.example"); !got.Equal(opened) {
			t.Errorf("recovered at %s, not %s", got, opened)
		}
		// Two were refused, asked again when they were told, and were told of the answer.
		if answer, wakes, _ := different.got(); wakes != 4 || answer.Err != nil {
			t.Errorf("two that were refused are told %d times and get %+v", wakes, answer)
		}
		if answer, wakes, _ := same.got(); wakes != 1 || answer.Err != nil {
			t.Errorf("who asked for what failed is told %d times and gets %+v", wakes, answer)
		}
		if pass(time.Hour); p.count() != opensAfter+7 {
			t.Errorf("asked %d times", p.count())
		}
	})
}

func TestWhoseFailuresGaveAHostUpIsToldWhenItAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		failures, wakes int
	}{
		"given up":     {failures: opensAfter, wakes: 2},
		"not given up": {failures: opensAfter - 1, wakes: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &peer{answer: fails(sources.Unreachable)}
				a := newAsker(t, p, fast())
				callers := make([]caller, test.failures)
				for i := range callers {
					q := ask("a.example", fmt.Sprint(i))
					q.AsOf, q.Waiter = time.Now(), fmt.Sprint("ns/", i)
					callers[i].ask(a, q)
					pass(time.Millisecond)
				}
				p.answers(nil)
				// Somebody else's answer tells that the host is there, or else the try does.
				if test.failures < opensAfter {
					_, _ = a.Resolve(t.Context(), ask("a.example", "other"))
				}
				pass(time.Minute)
				for i := range callers {
					if _, wakes, _ := callers[i].got(); wakes != test.wakes {
						t.Errorf("caller %d was woken %d times, want %d", i, wakes, test.wakes)
					}
				}
				if a.refused != 0 || a.waiting != 0 {
					t.Errorf("%d are remembered, %d wait", a.refused, a.waiting)
				}
			})
		})
	}
}

func TestAWrongCertificateOfOneKeepsNobodyElseOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{answer: fails(sources.Certificate)}
		a := newAsker(t, p, fast())
		for i := range mostWays + 10 {
			for range opensAfter {
				q := ask("a.example", "a")
				q.Query.Access.CertificatesPEM = [][]byte{[]byte(fmt.Sprint(i))}
				_, _ = a.Resolve(t.Context(), q)
				pass(time.Nanosecond)
			}
		}
		if got := len(a.hosts["a.example"].circuits); got != mostWays {
			t.Errorf("%d ways are known", got)
		}
		p.answers(nil)
		if _, err := a.Resolve(t.Context(), ask("a.example", "a")); err != nil {
			t.Error(err)
		}
	})
}

func TestIndependentKindsAreJudgedByThemselves(t *testing.T) {
	for _, kind := range []sources.Kind{sources.Unreachable, sources.RateLimited} {
		synctest.Test(t, func(t *testing.T) {
			p := &peer{answer: fails(kind)}
			a := New(Config{Resolvers: map[string]sources.Resolver{testKind: p}, Limits: fast(), Independent: []string{testKind}, Clock: clock.RealClock{}})
			t.Cleanup(a.Close)
			for i := range 2 * opensAfter {
				_, _ = a.Resolve(t.Context(), ask("a.example", fmt.Sprint(i)))
			}
			if p.count() != 2*opensAfter {
				t.Errorf("asked %d times", p.count())
			}
		})
	}
}

func TestAHostThatNobodyAsksForIsNotTriedForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{answer: fails(sources.Unreachable)}
		a := newAsker(t, p, fast())
		for i := range opensAfter {
			_, _ = a.Resolve(t.Context(), ask("a.example", fmt.Sprint(i)))
		}
		q := ask("a.example", "a")
		q.Waiter = "ns/a"
		a.Ask(q, func() {})
		pass(forgetAfter + lastProbe)
		tried := p.count()
		if pass(24 * time.Hour); p.count() != tried || len(a.hosts["a.example"].circuits) != 0 || a.refused != 0 {
			t.Errorf("tried %d times more", p.count()-tried)
		}
	})
}

func TestCloseEndsTries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{answer: fails(sources.Unreachable)}
		a := New(Config{Resolvers: map[string]sources.Resolver{testKind: p}, Limits: fast(), Clock: clock.RealClock{}})
		for i := range opensAfter {
			_, _ = a.Resolve(t.Context(), ask("a.example", fmt.Sprint(i)))
		}
		begin := time.Now()
		a.Close()
		if pass(time.Hour); p.count() != opensAfter || time.Since(begin) != time.Hour {
			t.Errorf("asked %d times", p.count())
		}
	})
}

func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, registry := NewMetrics(), metrics.NewKubeRegistry()
		registry.MustRegister(m.requests, m.remaining, m.questions, m.waiting, m.open)
		for i := range 3 * mostRegistries {
			m.Observe(sources.Exchange{Registry: fmt.Sprintf("%d.example", i), Method: "BREW", Code: 1000 + i, Remaining: -1})
		}
		m.Observe(sources.Exchange{Registry: "0.example", Method: "HEAD", Code: 429, Remaining: 7})
		m.Observe(sources.Exchange{Registry: "1.example", Method: "GET", Remaining: -1})
		m.Observe(sources.Exchange{Registry: "new.example", Method: "GET", Code: 200, Remaining: 9})
		p := &peer{answer: fails(sources.Unreachable)}
		a := New(Config{Resolvers: map[string]sources.Resolver{testKind: p}, Limits: Limits{PerSecond: 1, Burst: opensAfter}, Clock: clock.RealClock{}, Rand: half, Metrics: m})
		var c caller
		for i := range opensAfter + 3 {
			c.ask(a, ask("0.example", fmt.Sprint(i)))
			c.ask(a, ask("0.example", fmt.Sprint(i)))
		}
		synctest.Wait()
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		series := 0
		for _, family := range families {
			if strings.HasSuffix(family.GetName(), "registry_requests_total") {
				series = len(family.GetMetric())
			}
		}
		if want := mostRegistries + 1 + 2 + 1; series != want {
			t.Errorf("%d series, want %d", series, want)
		}
		expect := `
# HELP golden_image_registry_ratelimit_remaining [ALPHA] How many requests a registry said last that it grants until it limits them.
# TYPE golden_image_registry_ratelimit_remaining gauge
golden_image_registry_ratelimit_remaining{registry="0.example"} 7
# HELP golden_image_source_circuit_open [ALPHA] Whether a host failed so often that it is not asked but now and then; more than 1 if it is so by several ways.
# TYPE golden_image_source_circuit_open gauge
golden_image_source_circuit_open{registry="0.example"} 1
# HELP golden_image_source_questions_waiting [ALPHA] Questions that wait to be asked, by host.
# TYPE golden_image_source_questions_waiting gauge
golden_image_source_questions_waiting{registry="0.example"} 0
`
		if err := testutil.GatherAndCompare(registry, strings.NewReader(expect), "golden_image_registry_ratelimit_remaining", "golden_image_source_circuit_open",
			"golden_image_source_questions_waiting"); err != nil {
			t.Error(err)
		}
		a.Close()
	})
}

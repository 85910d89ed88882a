// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package polite

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/utils/clock"

	"goldenimage.dev/pkg/sources"
)

const testKind = "test"

// peer is a Resolver whose answers a test chooses.
type peer struct {
	mu sync.Mutex
	// calls are when which location was asked for.
	calls []call
	took  time.Duration
	// answer is called for each question; nil answers with a digest.
	answer      func(location string) error
	under, most int
}

type call struct {
	location string
	at       time.Time
}

func (p *peer) Resolve(ctx context.Context, q sources.Query) (sources.Revision, error) {
	p.mu.Lock()
	p.calls = append(p.calls, call{location: q.Location, at: time.Now()})
	p.under++
	p.most = max(p.most, p.under)
	took, answer, n := p.took, p.answer, len(p.calls)
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.under--
		p.mu.Unlock()
	}()
	if took > 0 {
		select {
		case <-time.After(took):
		case <-ctx.Done():
			return sources.Revision{}, fmt.Errorf("resolve: %w", ctx.Err())
		}
	}
	if answer != nil {
		if err := answer(q.Location); err != nil {
			return sources.Revision{}, err
		}
	}
	return sources.Revision{Digest: fmt.Sprintf("sha256:%d", n)}, nil
}

func (p *peer) answers(answer func(string) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

func (p *peer) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.calls)
}

func fails(kind sources.Kind) func(string) error {
	return func(location string) error { return sources.Errorf(kind, "no answer for %s", location) }
}

// fast has no limits that a test would notice.
func fast() Limits { return Limits{PerSecond: 1e6, Burst: 1e6, Concurrent: 1000} }

// half makes pauses the middle of what they may be.
func half() float64 { return 0.5 }

// newAsker returns an Asker that ends with the test, which then sees to it that nothing is left.
func newAsker(t *testing.T, p *peer, limits Limits) *Asker {
	t.Helper()
	a := New(Config{Resolvers: map[string]sources.Resolver{testKind: p}, Limits: limits, Clock: clock.RealClock{}, Rand: half})
	t.Cleanup(a.Close)
	return a
}

func ask(host, location string) Question {
	return Question{Kind: testKind, Host: host, Query: sources.Query{Location: location}, AsOf: time.Now()}
}

// caller asks again when woken, as controllers do.
type caller struct {
	mu     sync.Mutex
	wakes  int
	answer *Answer
	// at is when the answer came.
	at time.Time
}

func (c *caller) ask(a *Asker, q Question) {
	answer, ok := a.Ask(q, func() {
		c.mu.Lock()
		c.wakes++
		c.mu.Unlock()
		c.ask(a, q)
	})
	if ok {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.answer, c.at = &answer, time.Now()
	}
}

// got returns the answer and how often the caller was woken.
func (c *caller) got() (Answer, int, bool) {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answer == nil {
		return Answer{}, c.wakes, false
	}
	return *c.answer, c.wakes, true
}

func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestAnswersAreShared(t *testing.T) {
	tests := map[string]struct {
		change func(*Question)
		asked  int
	}{
		"the same question":            {change: func(*Question) {}, asked: 1},
		"another revision is known":    {change: func(q *Question) { q.Query.Known.Digest = "sha256:old" }, asked: 1},
		"somebody else asks":           {change: func(q *Question) { q.Waiter = "somebody/else" }, asked: 1},
		"as of before":                 {change: func(q *Question) { q.AsOf = q.AsOf.Add(-time.Minute) }, asked: 1},
		"another kind":                 {change: func(q *Question) { q.Kind = "another" }, asked: 2},
		"another location":             {change: func(q *Question) { q.Query.Location = "b" }, asked: 2},
		"another architecture":         {change: func(q *Question) { q.Query.Access.Architecture = "arm64" }, asked: 2},
		"another password":             {change: func(q *Question) { q.Query.Access.Password = "b" }, asked: 2},
		"other credentials":            {change: func(q *Question) { q.Query.Access.DockerConfig = []byte("b") }, asked: 2},
		"other certificates":           {change: func(q *Question) { q.Query.Access.CertificatesPEM = [][]byte{[]byte("b")} }, asked: 2},
		"without verification":         {change: func(q *Question) { q.Query.Access.Insecure = true }, asked: 2},
		"another proxy":                {change: func(q *Question) { q.Query.Access.Proxy.HTTPS = "http://proxy.example" }, asked: 2},
		"another header":               {change: func(q *Question) { q.Query.Access.Header = map[string][]string{"X-A": {"b"}} }, asked: 2},
		"the same header, made anew":   {change: func(q *Question) { q.Query.Access.Header = map[string][]string{} }, asked: 2},
		"a host that is named another": {change: func(q *Question) { q.Host = "b.example" }, asked: 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &peer{took: time.Second}
				a := New(Config{Resolvers: map[string]sources.Resolver{testKind: p, "another": p}, Limits: fast(), Clock: clock.RealClock{}})
				t.Cleanup(a.Close)
				q := ask("a.example", "a")
				other := q
				test.change(&other)
				var one, two, late caller
				one.ask(a, q)
				two.ask(a, other)
				pass(time.Second)
				late.ask(a, other)
				first, wakes, ok := one.got()
				second, _, _ := two.got()
				if !ok || wakes != 1 || p.count() != test.asked || (first == second) != (test.asked == 1) {
					t.Errorf("asked %d times, woken %d times, got %+v and %+v", p.count(), wakes, first, second)
				}
				if again, wakes, ok := late.got(); !ok || wakes != 0 || again != second {
					t.Errorf("who comes later gets %+v, woken %d times", again, wakes)
				}
			})
		})
	}
}

func TestAFresherAnswerIsAskedForOnceForAllWhoWantIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{took: 10 * time.Second}
		a := newAsker(t, p, fast())
		var first, second, third, old caller
		early := ask("a.example", "a")
		first.ask(a, early)
		pass(time.Second)
		second.ask(a, ask("a.example", "a"))
		pass(time.Second)
		third.ask(a, ask("a.example", "a"))
		old.ask(a, early)
		pass(8 * time.Second)
		if _, _, ok := second.got(); ok || p.count() != 2 || p.most != 1 {
			t.Fatalf("asked %d times, %d at once", p.count(), p.most)
		}
		if answer, _, ok := old.got(); !ok || answer.Revision.Digest != "sha256:1" {
			t.Errorf("who does not mind got %+v", answer)
		}
		pass(10 * time.Second)
		x, _, _ := second.got()
		y, _, _ := third.got()
		if x != y || x.Revision.Digest != "sha256:2" || p.count() != 2 {
			t.Errorf("asked %d times, got %+v and %+v", p.count(), x, y)
		}
	})
}

func TestAnswersAreKeptForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{answer: fails(sources.NotFound)}
		a := newAsker(t, p, fast())
		q := ask("a.example", "a")
		expect := func(asked int) {
			t.Helper()
			var c caller
			c.ask(a, q)
			if answer, _, ok := c.got(); !ok || sources.KindOf(answer.Err) != sources.NotFound || p.count() != asked {
				t.Errorf("asked %d times, got %+v", p.count(), answer)
			}
		}
		expect(1)
		pass(answersLast)
		expect(1)
		pass(time.Second)
		expect(2)
		for i := range mostAnswers {
			a.answers.put(key{1, byte(i), byte(i >> 8)}, at(time.Now(), nil))
		}
		expect(3)
	})
}

func TestWhatIsAnsweredFromMemoryWaitsForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{}
		a := newAsker(t, p, Limits{})
		for i := range 100 {
			if answer, ok := a.Ask(ask("", "a"), nil); !ok || answer.Err != nil || p.count() != i+1 {
				t.Fatalf("got %+v %v after %d", answer, ok, p.count())
			}
		}
		if _, err := a.Resolve(t.Context(), Question{Kind: testKind}); err != nil || p.count() != 101 {
			t.Errorf("asked %d times, error %v", p.count(), err)
		}
	})
}

func TestResolveWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{took: time.Second}
		a := newAsker(t, p, fast())
		if got, err := a.Resolve(t.Context(), Question{Kind: testKind, Host: "a.example"}); err != nil || got.Digest != "sha256:1" {
			t.Errorf("got %+v, error %v", got, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := a.Resolve(ctx, Question{Kind: testKind, Host: "a.example"}); err == nil || a.waiting != 0 {
			t.Errorf("error %v with %d waiting", err, a.waiting)
		}
	})
}

func TestOddQuestionsAndResolvers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{answer: func(string) error { panic("secret") }}
		a := newAsker(t, p, fast())
		for range 2 * opensAfter {
			var c caller
			c.ask(a, ask("a.example", "a"))
			if answer, _, ok := c.got(); !ok || sources.KindOf(answer.Err) != sources.Transient || answer.Err.Error() != "The source could not be asked: internal error" {
				t.Errorf("panic is %v", answer.Err)
			}
			pass(time.Millisecond)
		}
		if p.count() != 2*opensAfter {
			t.Errorf("a host is blamed for our mistake after %d", p.count())
		}
		q := ask("a.example", "a")
		q.Kind = "unheard"
		if _, err := a.Resolve(t.Context(), q); sources.KindOf(err) != sources.Invalid {
			t.Errorf("unknown kind is %v", err)
		}
		// Who asks as of the future gets what is known when it is told.
		p.answers(nil)
		q = ask("a.example", "b")
		q.AsOf = q.AsOf.Add(time.Hour)
		var c caller
		c.ask(a, q)
		if _, wakes, ok := c.got(); !ok || wakes != 1 {
			t.Errorf("woken %d times, answer %v", wakes, ok)
		}
	})
}

func TestCloseLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{took: time.Hour}
		a := New(Config{Resolvers: map[string]sources.Resolver{testKind: p}, Clock: clock.RealClock{}, Timeout: 2 * time.Hour})
		var one, two caller
		for i := range 20 {
			one.ask(a, ask("a.example", fmt.Sprint(i)))
		}
		done := make(chan error)
		go func() {
			_, err := a.Resolve(t.Context(), ask("a.example", "z"))
			done <- err
		}()
		synctest.Wait()
		begin := time.Now()
		a.Close()
		if err := <-done; err == nil || time.Since(begin) != 0 {
			t.Errorf("Resolve returns %v after %s", err, time.Since(begin))
		}
		two.ask(a, ask("b.example", "a"))
		answer, _, ok := two.got()
		if _, wakes, _ := one.got(); !ok || answer.Err == nil || wakes != 0 {
			t.Errorf("woken %d times; got %+v afterwards", wakes, answer)
		}
		a.Close()
	})
}

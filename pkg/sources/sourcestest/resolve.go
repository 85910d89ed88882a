// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package sourcestest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"goldenimage.dev/pkg/sources"
)

const (
	// patience is how long a caller waits for a source that is silent.
	patience = 100 * time.Millisecond
	// hung is when a test gives up. It is far above what any answer takes.
	hung = 30 * time.Second
)

func ask(ctx context.Context, f Fixture, location string, access sources.Access) (sources.Revision, error) {
	ctx, cancel := context.WithTimeout(ctx, hung)
	defer cancel()
	return f.Resolver.Resolve(ctx, sources.Query{Location: location, Access: access})
}

func resolve(t *testing.T, f Fixture) sources.Revision {
	t.Helper()
	if f.Resolver == nil {
		t.Skip("the kind has no Resolver")
	}
	revision, err := ask(t.Context(), f, f.Location, f.Access)
	if err != nil {
		t.Fatal(err)
	}
	if revision.Digest == "" || revision.Location == "" {
		t.Fatalf("incomplete revision %+v", revision)
	}
	return revision
}

func stable(t *testing.T, f Fixture) {
	if first, second := resolve(t, f), resolve(t, f); first != second {
		t.Errorf("%+v and then %+v", first, second)
	}
}

func together(t *testing.T, f Fixture) {
	want := resolve(t, f)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if got, err := ask(t.Context(), f, f.Location, f.Access); err != nil || got != want {
				t.Errorf("got %+v %v, want %+v", got, err, want)
			}
		})
	}
	all.Wait()
}

// knownBefore asks with what is true of the source, and with what was never true of it.
func knownBefore(t *testing.T, f Fixture) {
	want := resolve(t, f)
	other := want
	other.Digest, other.Content = want.Digest+"0", "sha256:"+strings.Repeat("0", 64)
	for name, known := range map[string]sources.Revision{"the same revision": want, "another digest": other, "a location alone": {Location: want.Location}} {
		got, err := f.Resolver.Resolve(t.Context(), sources.Query{Location: f.Location, Access: f.Access, Known: known})
		if err != nil || got != want {
			t.Errorf("with %s: got %+v %v, want %+v", name, got, err, want)
		}
	}
}

func changed(t *testing.T, f Fixture) {
	before := resolve(t, f)
	f.Change()
	after := resolve(t, f)
	if after.Digest == before.Digest {
		t.Errorf("still %s", after.Digest)
	}
	known, err := f.Resolver.Resolve(t.Context(), sources.Query{Location: f.Location, Access: f.Access, Known: before})
	if err != nil || known != after {
		t.Errorf("who knows the old one is told %+v %v, want %+v", known, err, after)
	}
}

func notFound(t *testing.T, f Fixture) {
	_, err := ask(t.Context(), f, f.Missing, f.Access)
	wantKind(t, err, sources.NotFound)
	resolve(t, f)
}

func unauthorized(t *testing.T, f Fixture) {
	_, err := ask(t.Context(), f, f.Location, *f.WrongAccess)
	wantKind(t, err, sources.Unauthorized)
	if err != nil && f.WrongAccess.Password != "" && strings.Contains(err.Error(), f.WrongAccess.Password) {
		t.Errorf("error %q holds the password", err)
	}
	resolve(t, f)
}

func canceledResolve(t *testing.T, f Fixture) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ask(ctx, f, f.Location, f.Access); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// healed checks that a fault leaves nothing behind in the Resolver.
func healed(t *testing.T, f Fixture, want sources.Revision) {
	t.Helper()
	if f.Heal == nil {
		t.Fatal("the fixture lacks Heal")
	}
	f.Heal()
	if got := resolve(t, f); got != want {
		t.Errorf("after it healed got %+v, want %+v", got, want)
	}
}

func silent(t *testing.T, f Fixture) {
	want := resolve(t, f)
	f.Silence()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, err := ask(ctx, f, f.Location, f.Access)
	wantKind(t, err, sources.Unreachable)
	healed(t, f, want)
}

func canceledSilence(t *testing.T, f Fixture) {
	want := resolve(t, f)
	f.Silence()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	time.AfterFunc(patience, cancel)
	if _, err := ask(ctx, f, f.Location, f.Access); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	healed(t, f, want)
}

func cutAnswer(t *testing.T, f Fixture) {
	want := resolve(t, f)
	f.Cut()
	_, err := ask(t.Context(), f, f.Location, f.Access)
	wantKind(t, err, sources.Transient, sources.Unreachable, sources.Mismatch)
	healed(t, f, want)
}

func oversized(t *testing.T, f Fixture) {
	want := resolve(t, f)
	f.Oversize()
	_, err := ask(t.Context(), f, f.Location, f.Access)
	wantKind(t, err, sources.Invalid, sources.Transient)
	if errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it was read until the caller gave up: %v", err)
	}
	healed(t, f, want)
}

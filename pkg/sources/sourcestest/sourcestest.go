// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package sourcestest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"goldenimage.dev/pkg/sources"
)

// A Fixture is a source with one disk, set up anew for each test. A kind that lacks an
// ability leaves its fields zero, and the tests about it do not run.
type Fixture struct {
	Resolver sources.Resolver
	Opener   sources.Opener
	// Location of the disk with Access.
	Location string
	Access   sources.Access
	// Disk is what Opener has to yield.
	Disk []byte
	// Missing is a location that does not exist.
	Missing string
	// WrongAccess is refused; its password must not show in an error.
	WrongAccess *sources.Access
	// Change makes Location hold something else from then on.
	Change func()
	// Corrupt changes a byte of what is transferred, Truncate leaves its end out, and Stall
	// lets the transfer begin and then hang.
	Corrupt, Truncate, Stall func()
}

// Run checks the contract. setup is called once for each part of it.
func Run(t *testing.T, setup func(t *testing.T) Fixture) {
	t.Helper()
	for name, check := range map[string]func(*testing.T, Fixture){
		"the same content has the same revision":       stable,
		"a location that is missing is NotFound":       missing,
		"credentials that are wrong are Unauthorized":  unauthorized,
		"resolving ends when it is canceled":           canceledResolve,
		"a changed content has another revision":       changed,
		"the disk is what was put in":                  whole,
		"a pinned location does not follow a change":   pinned,
		"a corrupted transfer does not end with EOF":   corrupted,
		"a truncated transfer does not end with EOF":   truncated,
		"reading ends when it is canceled":             canceledRead,
		"opening ends when it is canceled":             canceledOpen,
		"a stream that was closed early can be closed": closedEarly,
	} {
		t.Run(name, func(t *testing.T) { check(t, setup(t)) })
	}
}

func resolve(t *testing.T, f Fixture) sources.Revision {
	t.Helper()
	if f.Resolver == nil {
		t.Skip("the kind has no Resolver")
	}
	revision, err := f.Resolver.Resolve(t.Context(), sources.Query{Location: f.Location, Access: f.Access})
	if err != nil {
		t.Fatal(err)
	}
	if revision.Digest == "" || revision.Location == "" {
		t.Fatalf("incomplete revision %+v", revision)
	}
	return revision
}

func open(t *testing.T, f Fixture) (*sources.Content, error) {
	t.Helper()
	if f.Opener == nil {
		t.Skip("the kind has no Opener")
	}
	content, err := f.Opener.Open(t.Context(), resolve(t, f).Location, f.Access)
	if err == nil {
		t.Cleanup(func() { content.Close() }) //nolint:errcheck // the tests that look at it close it themselves
	}
	return content, err
}

func stable(t *testing.T, f Fixture) {
	if first, second := resolve(t, f), resolve(t, f); first != second {
		t.Errorf("%+v and then %+v", first, second)
	}
}

func missing(t *testing.T, f Fixture) {
	if f.Missing == "" {
		t.Skip("nothing can be missing")
	}
	_ = wantKind(t, f, f.Missing, f.Access, sources.NotFound) // it has been reported
}

func unauthorized(t *testing.T, f Fixture) {
	if f.WrongAccess == nil {
		t.Skip("the kind has no credentials")
	}
	err := wantKind(t, f, f.Location, *f.WrongAccess, sources.Unauthorized)
	if err != nil && f.WrongAccess.Password != "" && strings.Contains(err.Error(), f.WrongAccess.Password) {
		t.Errorf("error %q holds the password", err)
	}
}

func wantKind(t *testing.T, f Fixture, location string, access sources.Access, want sources.Kind) error {
	t.Helper()
	_, err := f.Resolver.Resolve(t.Context(), sources.Query{Location: location, Access: access})
	var typed *sources.Error
	if !errors.As(err, &typed) || typed.Kind != want {
		t.Errorf("got %v, want an error of kind %s", err, want)
	}
	return err
}

func canceledResolve(t *testing.T, f Fixture) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Resolver.Resolve(ctx, sources.Query{Location: f.Location, Access: f.Access}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func changed(t *testing.T, f Fixture) {
	before := resolve(t, f)
	f.Change()
	if after := resolve(t, f); after.Digest == before.Digest {
		t.Errorf("still %s", after.Digest)
	}
}

func whole(t *testing.T, f Fixture) {
	content, err := open(t, f)
	if err != nil {
		t.Fatal(err)
	}
	if content.Size != 0 && content.Size != int64(len(f.Disk)) {
		t.Errorf("size %d, want %d", content.Size, len(f.Disk))
	}
	// It checks also that an end stays an end and that small reads work.
	if err := iotest.TestReader(content, f.Disk); err != nil {
		t.Error(err)
	}
	if err := content.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func pinned(t *testing.T, f Fixture) {
	if f.Opener == nil {
		t.Skip("the kind has no Opener")
	}
	revision := resolve(t, f)
	f.Change()
	content, err := f.Opener.Open(t.Context(), revision.Location, f.Access)
	if err != nil {
		// A source that keeps no old contents may say that it is gone.
		if kind := sources.KindOf(err); kind != sources.NotFound && kind != sources.Mismatch {
			t.Errorf("got %v", err)
		}
		return
	}
	defer content.Close() //nolint:errcheck // only its bytes matter here
	if got, err := io.ReadAll(content); err == nil && !bytes.Equal(got, f.Disk) {
		t.Error("another content was read without an error")
	}
}

func corrupted(t *testing.T, f Fixture) {
	if f.Corrupt == nil {
		t.Skip("nothing can be corrupted")
	}
	f.Corrupt()
	wantBroken(t, f, sources.Mismatch)
}

func truncated(t *testing.T, f Fixture) {
	if f.Truncate == nil {
		t.Skip("nothing can be truncated")
	}
	f.Truncate()
	wantBroken(t, f, sources.Mismatch)
}

func wantBroken(t *testing.T, f Fixture, want sources.Kind) {
	t.Helper()
	content, err := open(t, f)
	if err == nil {
		_, err = io.Copy(io.Discard, content)
	}
	var typed *sources.Error
	if !errors.As(err, &typed) || typed.Kind != want {
		t.Errorf("got %v, want an error of kind %s", err, want)
	}
}

func canceledRead(t *testing.T, f Fixture) {
	if f.Stall == nil || f.Opener == nil {
		t.Skip("nothing stalls")
	}
	location := resolve(t, f).Location
	f.Stall()
	ctx, cancel := context.WithCancel(t.Context())
	content, err := f.Opener.Open(ctx, location, f.Access)
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close() //nolint:errcheck // only the error of reading matters here
	if _, err := io.ReadFull(content, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.Copy(io.Discard, content); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func canceledOpen(t *testing.T, f Fixture) {
	if f.Opener == nil {
		t.Skip("the kind has no Opener")
	}
	location := resolve(t, f).Location
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	content, err := f.Opener.Open(ctx, location, f.Access)
	if err == nil {
		_, err = io.Copy(io.Discard, content)
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func closedEarly(t *testing.T, f Fixture) {
	content, err := open(t, f)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := content.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if _, err := io.ReadAll(content); err == nil {
		t.Error("a closed stream ends as if it were whole")
	}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package sourcestest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"goldenimage.dev/pkg/sources"
)

func open(t *testing.T, f Fixture) (*sources.Content, error) {
	t.Helper()
	content, err := f.Opener.Open(t.Context(), resolve(t, f).Location, f.Access)
	if err == nil {
		t.Cleanup(func() { content.Close() }) //nolint:errcheck // the tests that look at it close it themselves
	}
	return content, err
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
	revision := resolve(t, f)
	f.Change()
	content, err := f.Opener.Open(t.Context(), revision.Location, f.Access)
	if err != nil {
		// A source that keeps no old contents may say that it is gone.
		wantKind(t, err, sources.NotFound, sources.Mismatch)
		return
	}
	defer content.Close() //nolint:errcheck // only its bytes matter here
	if got, err := io.ReadAll(content); err == nil && !bytes.Equal(got, f.Disk) {
		t.Error("another content was read without an error")
	}
}

func corrupted(t *testing.T, f Fixture) {
	f.Corrupt()
	wantKind(t, brokenTransfer(t, f), sources.Mismatch)
}

func truncated(t *testing.T, f Fixture) {
	f.Truncate()
	wantKind(t, brokenTransfer(t, f), sources.Mismatch)
}

func brokenTransfer(t *testing.T, f Fixture) error {
	t.Helper()
	content, err := open(t, f)
	if err == nil {
		_, err = io.Copy(io.Discard, content)
	}
	return err
}

func canceledRead(t *testing.T, f Fixture) {
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

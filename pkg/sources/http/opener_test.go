// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"crypto/md5"  //nolint:gosec // as in checksum.go
	"crypto/sha1" //nolint:gosec // likewise
	"crypto/sha512"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"goldenimage.dev/pkg/sources"
)

// read opens what a resolver finds, or the location if that is given, and reads it.
func read(t *testing.T, s *site, options Options, location string) ([]byte, error) {
	t.Helper()
	opener := NewOpener(options)
	t.Cleanup(opener.transports.close)
	content, err := opener.Open(t.Context(), location, s.access())
	if err != nil {
		return nil, err
	}
	defer content.Close() //nolint:errcheck // only its bytes matter here
	return io.ReadAll(content)
}

func TestTransfersAreResumed(t *testing.T) {
	const size = 300 << 10
	disk := noise(size)
	tests := map[string]struct {
		change func(f *file)
		sums   bool
		// kind of the error, and what it says, "" for none.
		kind sources.Kind
		says string
	}{
		"after a cut":                       {change: func(f *file) { f.stopAt, f.cuts = 100<<10, 1 }},
		"after a few cuts":                  {change: func(f *file) { f.stopAt, f.cuts = 100<<10, 3 }},
		"after a cut, by the time":          {change: func(f *file) { f.stopAt, f.cuts, f.etag = 100<<10, 1, "" }},
		"after a cut, by the checksum":      {change: func(f *file) { f.stopAt, f.cuts, f.etag, f.modified = 100<<10, 1, "", time.Time{} }, sums: true},
		"never, if nothing tells it apart":  {change: func(f *file) { f.stopAt, f.cuts, f.etag, f.modified = 100<<10, 1, "", time.Time{} }, says: "does not resume"},
		"a few times, and then no more":     {change: func(f *file) { f.stopAt = 100 << 10 }, kind: sources.Mismatch, says: "less than the 307200 bytes"},
		"not, if the checksum is another's": {change: func(f *file) { f.damaged = damage(disk) }, sums: true, kind: sources.Mismatch, says: "instead of sha256:"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, false)
			f := s.put(imagePath, disk)
			location := s.URL + imagePath
			if test.sums {
				location = Pin(location, "", "sha256:"+sumOf(disk))
			}
			test.change(f)
			got, err := read(t, s, quick(), location)
			if test.says == "" {
				if err != nil || !bytes.Equal(got, disk) {
					t.Errorf("%d bytes, %v", len(got), err)
				}
				return
			}
			if err == nil || sources.KindOf(err) != test.kind || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want kind %s", err, test.kind)
			}
		})
	}
}

func TestAFileThatChangesInTheMiddle(t *testing.T) {
	s := newSite(t, false)
	disk := noise(300 << 10)
	s.put(imagePath, disk).stopAt = 100 << 10
	parts := 0
	s.before = func(http.ResponseWriter, *http.Request) bool {
		if parts++; parts == 2 {
			s.put(imagePath, bytes.ToUpper(disk))
		}
		return false
	}
	_, err := read(t, s, quick(), s.URL+imagePath)
	if sources.KindOf(err) != sources.Mismatch || !strings.Contains(err.Error(), "was changed while it was read") {
		t.Errorf("got %v", err)
	}
}

// TestAMirrorThatWasBegunWithGoesOn lets a host redirect elsewhere after a cut.
func TestAMirrorThatWasBegunWithGoesOn(t *testing.T) {
	one, two, front := newSite(t, false), newSite(t, false), newSite(t, false)
	disk := noise(300 << 10)
	f := one.put(imagePath, disk)
	f.etag, f.stopAt, f.cuts = `"one"`, 100<<10, 1
	two.put(imagePath, disk).etag = `"two"`
	turns := []*site{one, two}
	front.before = func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, turns[0].URL+imagePath, http.StatusFound)
		turns = turns[1:]
		return true
	}
	got, err := read(t, front, quick(), front.URL+imagePath)
	if err != nil || !bytes.Equal(got, disk) || len(two.requests()) > 0 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestChecksums(t *testing.T) {
	s := newSite(t, false)
	disk := noise(10 << 10)
	s.put(imagePath, disk)
	for algorithm, sum := range map[string]string{
		"md5": fmt.Sprintf("%x", md5.Sum(disk)), "sha1": fmt.Sprintf("%x", sha1.Sum(disk)), //nolint:gosec // see the imports
		"sha256": strings.ToUpper(sumOf(disk)), "sha512": fmt.Sprintf("%x", sha512.Sum512(disk)),
	} {
		t.Run(algorithm, func(t *testing.T) {
			if _, err := read(t, s, quick(), Pin(s.URL+imagePath, "etag:of another file, which does not matter then", algorithm+":"+sum)); err != nil {
				t.Error(err)
			}
			wrong := strings.Repeat("0", len(sum))
			if _, err := read(t, s, quick(), Pin(s.URL+imagePath, "", algorithm+":"+wrong)); sources.KindOf(err) != sources.Mismatch {
				t.Errorf("got %v", err)
			}
			if _, err := read(t, s, quick(), Pin(s.URL+imagePath, "", algorithm+":"+sum[1:])); sources.KindOf(err) != sources.Invalid {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestOpenFailures(t *testing.T) {
	tests := map[string]struct {
		change func(s *site, f *file)
		kind   sources.Kind
		says   string
	}{
		"a login":                 {func(_ *site, f *file) { f.kind = "text/html" }, sources.Invalid, "a web page"},
		"an ETag of another file": {func(_ *site, f *file) { f.etag, f.modified = `"another"`, published.Add(1) }, sources.Mismatch, "is another file"},
		"a server that is busy": {func(s *site, _ *file) {
			s.before = func(w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("Retry-After", "60")
				w.WriteHeader(http.StatusServiceUnavailable)
				return true
			}
		}, sources.RateLimited, "left alone"},
		"a server that fails": {func(s *site, _ *file) {
			s.before = func(w http.ResponseWriter, _ *http.Request) bool {
				w.WriteHeader(http.StatusBadGateway)
				return true
			}
		}, sources.Transient, "failed to answer"},
		"an end that nobody can tell": {func(_ *site, f *file) {
			f.handler = func(w http.ResponseWriter, _ *http.Request) {
				c, _, err := http.NewResponseController(w).Hijack()
				if err == nil {
					_, _ = io.WriteString(c, "HTTP/1.0 200 OK\r\n\r\na disk")
					_ = c.Close()
				}
			}
		}, sources.Mismatch, "is another file"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, false)
			f := s.put(imagePath, []byte("a disk"))
			location := resolve(t, s, sources.Revision{}).Location
			test.change(s, f)
			_, err := read(t, s, quick(), location)
			if err == nil || sources.KindOf(err) != test.kind || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want kind %s", err, test.kind)
			}
			if name == "an end that nobody can tell" {
				if _, err := read(t, s, quick(), s.URL+imagePath); sources.KindOf(err) != sources.Invalid || !strings.Contains(err.Error(), "how long the file is") {
					t.Errorf("got %v", err)
				}
				if _, err := read(t, s, quick(), Pin(s.URL+imagePath, "", "sha256:"+sumOf([]byte("a disk")))); err != nil {
					t.Errorf("with a checksum: %v", err)
				}
			}
		})
	}
}

func TestAFailureThatPasses(t *testing.T) {
	s := newSite(t, false)
	s.put(imagePath, []byte("a disk"))
	failures := 3
	s.before = func(w http.ResponseWriter, _ *http.Request) bool {
		failures--
		if failures >= 0 {
			w.WriteHeader(http.StatusBadGateway)
		}
		return failures >= 0
	}
	if got, err := read(t, s, quick(), s.URL+imagePath); err != nil || string(got) != "a disk" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestStallsAreResumed(t *testing.T) {
	s := newSite(t, false)
	disk := noise(300 << 10)
	s.put(imagePath, disk).stallAt = 100 << 10
	s.before = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Range") != "" {
			s.change(func() { s.files[imagePath].stallAt = 0 })
		}
		return false
	}
	options := quick()
	options.StallTimeout = 50 * time.Millisecond
	if got, err := read(t, s, options, s.URL+imagePath); err != nil || !bytes.Equal(got, disk) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestPins(t *testing.T) {
	target, got, err := parsePin(Pin("https://images.example/a b?x=1#old", "etag:1", "md5:2"))
	if err != nil || target.String() != "https://images.example/a%20b?x=1" || got != (pin{"etag:1", "md5:2"}) {
		t.Errorf("%s %+v %v", target, got, err)
	}
	if _, got, err = parsePin(Pin("https://images.example/", "sha256:1", "")); err != nil || got.checksum != "sha256:1" {
		t.Errorf("%+v %v", got, err)
	}
}

func FuzzChecksumFiles(f *testing.F) {
	sum := sumOf(nil)
	f.Add(sum+"  disk", "disk", false)
	f.Add("SHA256 (disk) = "+sum, "disk", false)
	f.Add(sum, "disk", true)
	f.Fuzz(func(t *testing.T, content, name string, own bool) {
		found := checksumFile{own: own}.find(content, name)
		if found == "" {
			return
		}
		if _, err := parseChecksum(found); err != nil || !strings.Contains(strings.ToLower(content), strings.TrimPrefix(found, bySHA256)) {
			t.Errorf("found %q", found)
		}
	})
}

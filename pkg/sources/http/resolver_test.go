// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"goldenimage.dev/pkg/sources"
)

func newResolver(t *testing.T) *Resolver {
	t.Helper()
	r := NewResolver(quick())
	t.Cleanup(r.Close)
	return r
}

func resolve(t *testing.T, s *site, known sources.Revision) sources.Revision {
	t.Helper()
	got, err := newResolver(t).Resolve(t.Context(), sources.Query{Location: s.URL + imagePath, Access: s.access(), Known: known})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestIdentity(t *testing.T) {
	content := []byte("a disk")
	sum := "sha256:" + sumOf(content)
	tests := map[string]struct {
		change func(s *site, f *file)
		// algorithm of the Digest.
		algorithm string
		content   string
	}{
		"a strong ETag":                     {func(*site, *file) {}, byETag, ""},
		"no ETag":                           {func(_ *site, f *file) { f.etag = "" }, byModified, ""},
		"a weak ETag":                       {func(_ *site, f *file) { f.etag = `W/"1"` }, byModified, ""},
		"a weak ETag alone":                 {func(_ *site, f *file) { f.etag, f.modified = `W/"1"`, time.Time{} }, byETag, ""},
		"a checksum file and an ETag":       {func(s *site, _ *file) { s.sums("/fedora/") }, byETag, sum},
		"a checksum file and a weak ETag":   {func(s *site, f *file) { f.etag, f.modified = `W/"1"`, time.Time{}; s.sums("/fedora/") }, bySHA256, sum},
		"a checksum file alone":             {func(s *site, f *file) { f.etag, f.modified = "", time.Time{}; s.sums("/fedora/") }, bySHA256, sum},
		"a checksum file of its own":        {func(s *site, _ *file) { s.put(imagePath+".sha256", []byte(sumOf(content)+"\n")) }, byETag, sum},
		"a checksum file of another suffix": {func(s *site, _ *file) { s.put(imagePath+".sha256sum", []byte(sumOf(content)+"  /build/fedora.raw\n")) }, byETag, sum},
		"a checksum file as BSD makes it": {func(s *site, _ *file) {
			s.put("/fedora/CHECKSUM", []byte("# fedora\nSHA256 (fedora.raw) = "+sumOf(content)+"\n"))
		}, byETag, sum},
		"a checksum file of other files": {func(s *site, _ *file) { s.put("/fedora/SHA256SUMS", []byte(sumOf(content)+"  debian.raw\n")) }, byETag, ""},
		"a checksum file of last week": {func(s *site, _ *file) {
			s.sums("/fedora/")
			s.files["/fedora/SHA256SUMS"].modified = published.Add(-time.Hour)
		}, byETag, ""},
		"a checksum file of no time": {func(s *site, _ *file) {
			s.sums("/fedora/")
			s.files["/fedora/SHA256SUMS"].modified = time.Time{}
		}, byETag, ""},
		"a checksum file without an end": {func(s *site, _ *file) { s.put("/fedora/SHA256SUMS", make([]byte, maxChecksumFile+1)) }, byETag, ""},
		"a page for all that is not there": {func(s *site, _ *file) {
			s.put("/fedora/SHA256SUMS", []byte(sumOf(content)+"  fedora.raw\n")).kind = "text/html"
		}, byETag, ""},
		"a server without HEAD": {func(s *site, _ *file) {
			s.before = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodHead {
					w.WriteHeader(http.StatusMethodNotAllowed)
				}
				return r.Method == http.MethodHead
			}
		}, byETag, ""},
		"a signature that is good for GET alone": {func(s *site, f *file) {
			f.etag = ""
			s.before = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodHead {
					w.WriteHeader(http.StatusForbidden)
				}
				return r.Method == http.MethodHead
			}
		}, byModified, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, false)
			test.change(s, s.put(imagePath, content))
			got := resolve(t, s, sources.Revision{})
			algorithm, digits, _ := strings.Cut(got.Digest, ":")
			if algorithm+":" != test.algorithm || len(digits) != 64 || got.Content != test.content || got.Size != int64(len(content)) {
				t.Errorf("got %+v, want algorithm %s and content %q", got, test.algorithm, test.content)
			}
			if again := resolve(t, s, got); again != got {
				t.Errorf("%+v and then %+v", got, again)
			}
		})
	}
}

func TestAPollOfWhatIsKnownIsOneRequest(t *testing.T) {
	s := newSite(t, false)
	s.put(imagePath, []byte("a disk"))
	s.sums("/fedora/")
	first := resolve(t, s, sources.Revision{})
	s.requests()
	resolve(t, s, first)
	if diff := cmp.Diff([]string{"HEAD " + imagePath}, s.requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestTheSameContentPublishedAgain(t *testing.T) {
	s := newSite(t, false)
	f := s.put(imagePath, []byte("a disk"))
	s.sums("/fedora/")
	first := resolve(t, s, sources.Revision{})
	s.change(func() { f.etag = `"another"` })
	second := resolve(t, s, first)
	if second.Digest == first.Digest || second.Content != first.Content || second.Content == "" {
		t.Errorf("%+v and then %+v", first, second)
	}
}

// TestMirrors lets a host redirect to two mirrors in turn, which differ in their ETags.
func TestMirrors(t *testing.T) {
	one, two, front := newSite(t, false), newSite(t, false), newSite(t, false)
	one.put(imagePath, []byte("a disk")).etag = `"one"`
	two.put(imagePath, []byte("a disk")).etag = `"two"`
	front.password = "hunter2"
	turn := one
	front.before = func(w http.ResponseWriter, r *http.Request) bool {
		// A mirror under the name of this machine would be refused.
		if r.URL.Path == imagePath {
			http.Redirect(w, r, turn.URL+imagePath+"?signature=hunter2", http.StatusFound)
		}
		return r.URL.Path == imagePath
	}
	resolver, access := newResolver(t), front.access()
	access.Header = map[string][]string{"X-Token": {"hunter2"}}
	query := sources.Query{Location: front.URL + imagePath, Access: access}
	first, err := resolver.Resolve(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	turn = two
	second, err := resolver.Resolve(t.Context(), query)
	if err != nil || first != second || !strings.HasPrefix(first.Digest, byModified) {
		t.Errorf("%+v and then %+v %v", first, second, err)
	}
	for _, header := range append(one.headers, two.headers...) {
		if header.Get("Authorization") != "" || header.Get("X-Token") != "" || header.Get("Referer") != "" {
			t.Errorf("a mirror was told %v", header)
		}
	}
	if got := front.headers[0]; got.Get("X-Token") != "hunter2" || got.Get("Authorization") == "" {
		t.Errorf("the host was told %v", got)
	}
}

func TestFailures(t *testing.T) {
	status := func(code int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
		}
	}
	later := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	tests := map[string]struct {
		handler http.HandlerFunc
		kind    sources.Kind
		says    string
		// notBefore is how long the server asked to be left alone, 0 for not.
		notBefore time.Duration
	}{
		"401":                              {status(401), sources.Unauthorized, "refuses anonymous access", 0},
		"403":                              {status(403), sources.Unauthorized, "refuses anonymous access", 0},
		"404":                              {status(404), sources.NotFound, "does not exist", 0},
		"410":                              {status(410), sources.NotFound, "does not exist", 0},
		"407":                              {status(407), sources.Unreachable, "the proxy", 0},
		"429":                              {status(429), sources.RateLimited, "left alone", 0},
		"429 for an hour":                  {status(429, "Retry-After", "3600"), sources.RateLimited, "left alone", time.Hour},
		"429 until a time":                 {status(429, "Retry-After", later.Format(http.TimeFormat)), sources.RateLimited, "left alone", time.Hour},
		"429 for ever":                     {status(429, "Retry-After", "99999999"), sources.RateLimited, "left alone", maxRetryAfter},
		"503 for an hour":                  {status(503, "Retry-After", "3600"), sources.RateLimited, "left alone", time.Hour},
		"503":                              {status(503), sources.Transient, "failed to answer", 0},
		"500":                              {status(500), sources.Transient, "failed to answer", 0},
		"a login":                          {status(200, "Content-Type", "text/html; charset=utf-8"), sources.Invalid, "a web page", 0},
		"nothing to tell it apart by":      {status(200, "Content-Type", "application/octet-stream"), sources.Invalid, "cannot be polled", 0},
		"a redirect to itself":             {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, imagePath, http.StatusFound) }, sources.Unreachable, "redirects too often", 0},
		"a redirect to this machine":       {status(302, "Location", "http://localhost:1/"), sources.Unreachable, "redirects to localhost:1", 0},
		"a redirect to a cloud's metadata": {status(302, "Location", "http://169.254.169.254/latest"), sources.Unreachable, "metadata service", 0},
		"a redirect with a user name":      {status(302, "Location", "http://user:hunter2@images.example/"), sources.Unreachable, "with a user name", 0},
		"a connection that is cut":         {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, sources.Transient, "reading", 0},
		"a checksum file that fails":       {nil, sources.Transient, "failed to answer", 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, false)
			if test.handler == nil {
				s.put(imagePath, []byte("a disk"))
				s.put(imagePath+".sha256", nil).handler = status(500)
			} else {
				s.before = func(w http.ResponseWriter, r *http.Request) bool {
					if r.URL.Path == imagePath {
						test.handler(w, r)
					}
					return r.URL.Path == imagePath
				}
			}
			_, err := newResolver(t).Resolve(t.Context(), sources.Query{Location: s.URL + imagePath + "?signature=hunter2"})
			known, ok := errors.AsType[*sources.Error](err)
			if !ok || known.Kind != test.kind || !strings.Contains(known.Message, test.says) || strings.Contains(known.Message, "hunter2") {
				t.Fatalf("got %v, want kind %s", err, test.kind)
			}
			left := time.Duration(0)
			if !known.NotBefore.IsZero() {
				left = time.Until(known.NotBefore)
			}
			if left > test.notBefore || left < test.notBefore-time.Minute {
				t.Errorf("it asks to be left alone for %s, want %s", left, test.notBefore)
			}
		})
	}
}

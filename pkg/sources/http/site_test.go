// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/pem"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"goldenimage.dev/pkg/sources"
)

// quick keeps tests of failures short.
func quick() Options {
	return Options{RequestTimeout: 5 * time.Second, StallTimeout: time.Minute, RetryDelay: time.Millisecond}
}

// noise is a disk that does not compress, so that offsets in the file mean something.
func noise(size int) []byte {
	content := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(content) // it never fails
	return content
}

func sumOf(content []byte) string { return fmt.Sprintf("%x", sha256.Sum256(content)) }

// A file of a site.
type file struct {
	content  []byte
	etag     string
	modified time.Time
	kind     string
	// damaged is sent in the place of content, if it is not nil.
	damaged []byte
	// stopAt is after how many bytes of the file the connection is cut, and stallAt after how
	// many nothing follows; 0 for not.
	stopAt, stallAt int
	// cuts is how often stopAt counts; 0 for always.
	cuts int
	// handler answers for it instead, unless it is nil.
	handler http.HandlerFunc
}

// A site is a web server whose files can be changed.
type site struct {
	*httptest.Server
	mu       sync.Mutex
	files    map[string]*file
	password string
	asked    []string
	headers  []http.Header
	// before answers instead if it returns true.
	before func(http.ResponseWriter, *http.Request) bool
}

func newSite(t *testing.T, tls bool) *site {
	t.Helper()
	s := &site{files: map[string]*file{}}
	if s.Server = httptest.NewUnstartedServer(s); tls {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

var published = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// put publishes a file with an ETag.
func (s *site) put(path string, content []byte) *file {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &file{content: content, etag: `"` + sumOf(content)[:8] + `"`, modified: published, kind: "application/octet-stream"}
	s.files[path] = f
	return f
}

// sums publishes a SHA256SUMS of what is in its folder.
func (s *site) sums(folder string) {
	text := ""
	s.mu.Lock()
	for path, f := range s.files {
		if name, ok := strings.CutPrefix(path, folder); ok {
			text += sumOf(f.content) + " *" + name + "\n"
		}
	}
	s.mu.Unlock()
	s.put(folder+"SHA256SUMS", []byte(text)).kind = "text/plain"
}

func (s *site) change(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
}

func (s *site) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r.Method+" "+r.URL.Path)
	s.headers = append(s.headers, r.Header.Clone())
	f, before, password := s.files[r.URL.Path], s.before, s.password
	s.mu.Unlock()
	if before != nil && before(w, r) {
		return
	}
	if _, got, _ := r.BasicAuth(); got != password {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if f == nil {
		http.NotFound(w, r)
		return
	}
	s.serve(w, r, *f)
}

func (s *site) serve(w http.ResponseWriter, r *http.Request, f file) {
	w.Header().Set("Content-Type", f.kind)
	if f.etag != "" {
		w.Header().Set("ETag", f.etag)
	}
	if f.handler != nil {
		f.handler(w, r)
		return
	}
	content := f.content
	if f.damaged != nil && r.Method == http.MethodGet {
		content = f.damaged
	}
	if r.Method == http.MethodHead {
		f.stopAt, f.stallAt = 0, 0
	}
	reader := &faulty{ReadSeeker: bytes.NewReader(content), file: f, request: r}
	if f.stopAt > 0 && f.cuts > 0 {
		s.change(func() {
			if left := s.files[r.URL.Path]; left.cuts == 1 {
				left.stopAt = 0
			} else {
				left.cuts--
			}
		})
	}
	http.ServeContent(w, r, "", f.modified, reader)
}

// faulty breaks off where its file says.
type faulty struct {
	io.ReadSeeker
	file    file
	request *http.Request
}

func (f *faulty) Read(p []byte) (int, error) {
	offset, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, err
	}
	at := int(offset)
	limit := len(p)
	for _, stop := range []int{f.file.stopAt, f.file.stallAt} {
		if stop > 0 {
			limit = min(limit, max(stop-at, 0))
		}
	}
	if limit == 0 && len(p) > 0 && f.file.stopAt > 0 {
		panic(http.ErrAbortHandler)
	}
	if limit == 0 && len(p) > 0 && f.file.stallAt > 0 {
		<-f.request.Context().Done()
		panic(http.ErrAbortHandler)
	}
	return f.ReadSeeker.Read(p[:limit])
}

func (s *site) access() sources.Access {
	a := sources.Access{}
	if s.Certificate() != nil {
		a.CertificatesPEM = [][]byte{pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})}
	}
	if s.password != "" {
		a.Username, a.Password = "ada", s.password
	}
	return a
}

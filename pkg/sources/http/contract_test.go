// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"goldenimage.dev/pkg/sources/sourcestest"
)

const imagePath = "/fedora/fedora.raw"

func TestContract(t *testing.T) {
	for name, tls := range map[string]bool{"plain HTTP": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			sourcestest.Run(t, func(t *testing.T) sourcestest.Fixture { return fixture(t, tls) })
		})
	}
}

func fixture(t *testing.T, tls bool) sourcestest.Fixture {
	s := newSite(t, tls)
	s.password = "hunter2"
	disk := noise(300 << 10)
	s.put(imagePath, disk)
	s.sums("/fedora/")
	access := s.access()
	wrong := access
	wrong.Password = "letmein"
	options := quick()
	options.RequestTimeout = time.Minute
	resolver, opener := NewResolver(options), NewOpener(options)
	t.Cleanup(resolver.Close)
	t.Cleanup(opener.transports.close)
	// fault sets what answers for a path before anything else does.
	fault := func(path string, handler http.HandlerFunc) func() {
		return func() {
			s.change(func() {
				s.before = func(w http.ResponseWriter, r *http.Request) bool {
					if handler != nil && r.URL.Path == path {
						handler(w, r)
						return true
					}
					return false
				}
			})
		}
	}
	return sourcestest.Fixture{
		Resolver: resolver, Opener: opener, Location: s.URL + imagePath, Access: access, Disk: disk,
		Missing: s.URL + "/fedora/gone", WrongAccess: &wrong,
		Change: func() {
			s.put(imagePath, bytes.ToUpper(disk))
			s.sums("/fedora/")
		},
		Silence: fault(imagePath, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }),
		Cut: fault("/fedora/SHA256SUMS", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, "0123") // it ends here
		}),
		Oversize: fault(imagePath, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Endless", strings.Repeat("x", 1<<20))
		}),
		Heal:     fault("", nil),
		Corrupt:  func() { s.change(func() { s.files[imagePath].damaged = damage(disk) }) },
		Truncate: func() { s.change(func() { s.files[imagePath].stopAt = 150 << 10 }) },
		Stall:    func() { s.change(func() { s.files[imagePath].stallAt = 150 << 10 }) },
	}
}

func damage(content []byte) []byte {
	damaged := bytes.Clone(content)
	damaged[len(damaged)/2] ^= 1
	return damaged
}

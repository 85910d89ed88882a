// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"goldenimage.dev/pkg/sources"
)

func TestConnectionsThatFail(t *testing.T) {
	plain, secure := newSite(t, false), newSite(t, true)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for name, test := range map[string]struct {
		location string
		access   sources.Access
		kind     sources.Kind
		says     string
	}{
		"nobody listens":             {gone.URL + imagePath, sources.Access{}, sources.Unreachable, "cannot be reached"},
		"no such name":               {"http://images.invalid/disk", sources.Access{}, sources.Unreachable, "images.invalid"},
		"another authority":          {secure.URL + imagePath, sources.Access{}, sources.Certificate, "not trusted"},
		"no TLS":                     {strings.Replace(plain.URL, "http", "https", 1) + imagePath, sources.Access{}, sources.Unreachable, "offers no TLS"},
		"a link-local address":       {"http://169.254.169.254/disk", sources.Access{}, sources.Unreachable, "metadata service"},
		"one of IPv6":                {"http://[fe80::1]/disk", sources.Access{}, sources.Unreachable, "metadata service"},
		"a proxy that is gone":       {"http://images.invalid/disk", sources.Access{Proxy: sources.Proxy{HTTP: strings.Replace(gone.URL, "//", "//user:hunter2@", 1)}}, sources.Unreachable, "cannot be reached"},
		"certificates that are none": {secure.URL, sources.Access{CertificatesPEM: [][]byte{[]byte("hello")}}, sources.Certificate, "holds no certificate"},
		"another scheme":             {"ftp://images.example/disk", sources.Access{}, sources.Invalid, `"ftp"`},
		"no host":                    {"http:///disk", sources.Access{}, sources.Invalid, "no host"},
		"a password in it":           {"http://user:hunter2@images.example/disk", sources.Access{}, sources.Invalid, "secretRef"},
		"a blank in it":              {"http://user:hunter2@images example/disk", sources.Access{}, sources.Invalid, "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newResolver(t).Resolve(t.Context(), sources.Query{Location: test.location, Access: test.access})
			if err == nil || sources.KindOf(err) != test.kind || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, want kind %s", err, test.kind)
			}
		})
	}
}

func TestInsecureReadsAnyCertificate(t *testing.T) {
	s := newSite(t, true)
	s.put(imagePath, []byte("a disk"))
	if _, err := newResolver(t).Resolve(t.Context(), sources.Query{Location: s.URL + imagePath, Access: sources.Access{Insecure: true}}); err != nil {
		t.Error(err)
	}
}

func TestNoWayFromTLSToPlainHTTP(t *testing.T) {
	plain, secure := newSite(t, false), newSite(t, true)
	secure.before = func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, plain.URL+imagePath, http.StatusFound)
		return true
	}
	_, err := newResolver(t).Resolve(t.Context(), sources.Query{Location: secure.URL + imagePath, Access: secure.access()})
	if sources.KindOf(err) != sources.Unreachable || !strings.Contains(err.Error(), "from TLS") || len(plain.requests()) > 0 {
		t.Errorf("got %v", err)
	}
}

func TestProxyIsUsed(t *testing.T) {
	proxy := newSite(t, false)
	proxy.before = func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("ETag", `"`+r.URL.Host+`"`)
		return true
	}
	access := sources.Access{Proxy: sources.Proxy{HTTP: proxy.URL}}
	if _, err := newResolver(t).Resolve(t.Context(), sources.Query{Location: "http://images.invalid/disk", Access: access}); err != nil {
		t.Error(err)
	}
}

func TestObserver(t *testing.T) {
	s := newSite(t, false)
	s.put(imagePath, []byte("a disk"))
	s.before = func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("RateLimit-Remaining", "7")
		return false
	}
	var told []sources.Exchange
	options := quick()
	options.Observe = func(e sources.Exchange) { told = append(told, e) }
	resolver := NewResolver(options)
	t.Cleanup(resolver.Close)
	if _, err := resolver.Resolve(t.Context(), sources.Query{Location: s.URL + imagePath}); err != nil {
		t.Fatal(err)
	}
	host := strings.TrimPrefix(s.URL, "http://")
	if want := (sources.Exchange{Registry: host, Method: http.MethodHead, Code: 200, Remaining: 7}); len(told) != 6 || told[0] != want {
		t.Errorf("told %+v, want first %+v and five for checksum files", told, want)
	}
}

func TestConnectionsAreKept(t *testing.T) {
	s := newSite(t, true)
	s.put(imagePath, []byte("a disk"))
	resolver := newResolver(t)
	for range 3 {
		if _, err := resolver.Resolve(t.Context(), sources.Query{Location: s.URL + imagePath, Access: s.access()}); err != nil {
			t.Fatal(err)
		}
	}
	if len(resolver.transports.of) != 1 {
		t.Errorf("%d sets of connections", len(resolver.transports.of))
	}
}

func TestSetsOfConnectionsAreBounded(t *testing.T) {
	kept, now := transports{}, time.Now()
	for i := range 2 * maxTransports {
		access := sources.Access{Proxy: sources.Proxy{No: strings.Repeat("a", i)}}
		if _, err := kept.get(access, now.Add(time.Duration(i)*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
	}
	if len(kept.of) != maxTransports {
		t.Errorf("%d are kept", len(kept.of))
	}
	if _, err := kept.get(sources.Access{}, now.Add(time.Hour)); err != nil || len(kept.of) != 1 {
		t.Errorf("%d are kept after an hour, %v", len(kept.of), err)
	}
}

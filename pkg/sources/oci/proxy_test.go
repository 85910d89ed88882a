// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"goldenimage.dev/pkg/apis/cdi/reference"
	"goldenimage.dev/pkg/sources"
	"goldenimage.dev/test/registry"
)

// proxied is a name that the fake registry's certificate has, and no name server knows.
const proxied = "example.com:5000"

// newProxy starts a proxy that connects to one registry whatever it is asked for, for those who
// have the password. It counts the connections, and returns its host:port.
func newProxy(t *testing.T, r *registry.Registry) (host string, connected *atomic.Int32) {
	t.Helper()
	connected = &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if request.Method != http.MethodConnect || request.Host != proxied {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		// ada:hunter2
		if request.Header.Get("Proxy-Authorization") != "Basic YWRhOmh1bnRlcjI=" {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		connected.Add(1)
		tunnel(request.Context(), w, r.Host)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://"), connected
}

func tunnel(ctx context.Context, w http.ResponseWriter, target string) {
	var dialer net.Dialer
	to, err := dialer.DialContext(ctx, "tcp", target)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	w.WriteHeader(http.StatusOK)
	from, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		_ = to.Close() // the test fails already
		return
	}
	copyAll := func(to, from net.Conn) {
		_, _ = io.Copy(to, from) // whoever reads notices
		_ = to.Close()
	}
	go copyAll(to, from)
	copyAll(from, to)
}

func TestResolveThroughAProxy(t *testing.T) {
	r := registry.New(t, registry.Config{})
	digest := r.Push(t, fedora, "latest", registry.ContainerDisk(t, "disk.img", []byte("disk")))
	host, connected := newProxy(t, r)
	resolver := NewResolver(quick)
	defer resolver.Close()
	query := sources.Query{Location: "docker://" + proxied + "/" + fedora + ":latest", Access: trusted(r)}
	query.Access.Proxy = sources.Proxy{HTTPS: "http://ada:hunter2@" + host}
	if got := mustResolve(t, resolver, query); got.Digest != digest || connected.Load() != 1 {
		t.Errorf("got %+v by %d connections of the proxy", got, connected.Load())
	}
	// What came by one proxy's connections does not serve who has to take another.
	query.Access.Proxy.HTTPS = "http://ada:sesame@" + host
	_, err := resolver.Resolve(t.Context(), query)
	checkError(t, err, sources.Unreachable, proxied, "407", "importProxy")

	query.Access.Proxy = sources.Proxy{HTTPS: "http://ada:hunter2@" + host, No: "example.com"}
	_, err = resolver.Resolve(t.Context(), query)
	checkError(t, err, sources.Unreachable)
	if connected.Load() != 1 {
		t.Errorf("%d connections of the proxy", connected.Load())
	}
}

func TestProxyFailures(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for name, test := range map[string]struct {
		proxy string
		want  sources.Kind
		says  string
	}{
		"a proxy that is down":        {"http://ada:hunter2@" + strings.TrimPrefix(closed.URL, "http://"), sources.Unreachable, "proxy"},
		"a proxy that does not exist": {"http://ada:hunter2@proxy.invalid:3128", sources.Unreachable, "proxy.invalid"},
		"a malformed URL":             {"http://ada:hunter2@[::1", sources.Invalid, "spec.importProxy.HTTPSProxy"},
		"another scheme":              {"ftp://ada:hunter2@a", sources.Invalid, "spec.importProxy.HTTPSProxy"},
		"no host":                     {"http://ada:hunter2@", sources.Invalid, "spec.importProxy.HTTPSProxy"},
	} {
		t.Run(name, func(t *testing.T) {
			resolver := NewResolver(quick)
			defer resolver.Close()
			access := sources.Access{Proxy: sources.Proxy{HTTPS: test.proxy}}
			_, err := resolver.Resolve(t.Context(), sources.Query{Location: "docker://" + proxied + "/a", Access: access})
			checkError(t, err, test.want, test.says)
		})
	}
}

func TestEndpointsAreToldApart(t *testing.T) {
	ref, err := reference.Parse("docker://quay.io/a")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[endpointKey]int{}
	for i, access := range []sources.Access{
		{},
		{Insecure: true},
		{CertificatesPEM: [][]byte{[]byte("ab"), []byte("c")}},
		{CertificatesPEM: [][]byte{[]byte("a"), []byte("bc")}},
		{Proxy: sources.Proxy{HTTPS: "http://a"}},
		{Proxy: sources.Proxy{HTTP: "http://a"}},
		{Proxy: sources.Proxy{HTTPS: "http://a", No: "b"}},
	} {
		key := endpointOf(ref, access)
		if before, ok := seen[key]; ok {
			t.Errorf("access %d is as %d", i, before)
		}
		seen[key] = i
	}
}

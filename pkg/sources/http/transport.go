// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/net/http/httpproxy"

	"goldenimage.dev/pkg/sources"
)

const (
	dialTimeout   = 10 * time.Second
	headerTimeout = 30 * time.Second
	// transportIdle is how long connections are kept without use.
	transportIdle = 15 * time.Minute
	// maxTransports bounds the sets of connections that are kept.
	maxTransports = 256
)

var errStalled = errors.New("no data arrived")

// A transportKey is what connections can be shared by. Credentials are not part of it: they
// are sent with each request.
type transportKey [sha256.Size]byte

type usedTransport struct {
	transport *http.Transport
	last      time.Time
}

// transports keeps connections between calls. The zero value is ready, and safe for concurrent
// use.
type transports struct {
	mu sync.Mutex
	of map[transportKey]*usedTransport
}

// get returns the transport for an access.
func (t *transports) get(access sources.Access, now time.Time) (*http.Transport, error) {
	// A struct of strings, bytes and a bool always encodes.
	encoded, _ := json.Marshal(struct { //nolint:errchkjson // see above
		Certificates [][]byte
		Insecure     bool
		Proxy        sources.Proxy
	}{access.CertificatesPEM, access.Insecure, access.Proxy})
	key := transportKey(sha256.Sum256(encoded))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.evict(now)
	entry, ok := t.of[key]
	if !ok {
		made, err := newTransport(access)
		if err != nil {
			return nil, err
		}
		if t.of == nil {
			t.of = map[transportKey]*usedTransport{}
		}
		entry = &usedTransport{transport: made}
		t.of[key] = entry
	}
	entry.last = now
	return entry.transport, nil
}

// evict drops what is idle, and the least recently used above the bound. Who still uses one
// keeps it: only its idle connections are closed.
func (t *transports) evict(now time.Time) {
	oldest := slices.SortedFunc(maps.Keys(t.of), func(a, b transportKey) int { return t.of[a].last.Compare(t.of[b].last) })
	for i, key := range oldest {
		if now.Sub(t.of[key].last) > transportIdle || len(oldest)-i >= maxTransports {
			t.of[key].transport.CloseIdleConnections()
			delete(t.of, key)
		}
	}
}

func (t *transports) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, entry := range t.of {
		entry.transport.CloseIdleConnections()
	}
	clear(t.of)
}

func newTransport(access sources.Access) (*http.Transport, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	for _, pem := range access.CertificatesPEM {
		if !roots.AppendCertsFromPEM(pem) {
			return nil, sources.Errorf(sources.Certificate,
				"a value of the ConfigMap named by certConfigMap holds no certificate: put the server's authority there, PEM encoded")
		}
	}
	return &http.Transport{
		Proxy:       proxyOf(access.Proxy),
		DialContext: (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second, ControlContext: refuseDial}).DialContext,
		TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS12,
			RootCAs:    roots,
			// Only for sources whose user asked for it.
			InsecureSkipVerify: access.Insecure, //nolint:gosec // see above
		},
		TLSHandshakeTimeout:   dialTimeout,
		ResponseHeaderTimeout: headerTimeout,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   4,
		ForceAttemptHTTP2:     true,
		// Checksums are those of the bytes on the wire.
		DisableCompression:     true,
		MaxResponseHeaderBytes: 256 << 10,
	}, nil
}

func proxyOf(p sources.Proxy) func(*http.Request) (*url.URL, error) {
	if p == (sources.Proxy{}) {
		return http.ProxyFromEnvironment
	}
	find := (&httpproxy.Config{HTTPProxy: p.HTTP, HTTPSProxy: p.HTTPS, NoProxy: p.No}).ProxyFunc()
	return func(request *http.Request) (*url.URL, error) { return find(request.URL) }
}

// exchange sends a client's requests. It adds the credentials where they belong, tells the
// observer, and ends bodies that stall.
type exchange struct {
	inner  http.RoundTripper
	origin *url.URL
	access sources.Access
	// observe is told of each request, unless it is nil.
	observe sources.Observer
	// stall is how long a body may be silent.
	stall time.Duration
}

func (e *exchange) RoundTrip(request *http.Request) (*http.Response, error) {
	if err := refuseHost(request.URL.Hostname()); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(request.Context())
	request = request.Clone(ctx)
	request.Header.Set("User-Agent", userAgent)
	// From plain HTTP to TLS of the same host is no other place.
	if request.URL.Host == e.origin.Host {
		e.authenticate(request)
	}
	response, err := e.inner.RoundTrip(request)
	if e.observe != nil {
		e.observe(e.exchanged(request.Method, response))
	}
	if err != nil {
		cancel(nil)
		return nil, err
	}
	response.Body = &watchedBody{ReadCloser: response.Body, cancel: cancel, ctx: ctx, stall: e.stall}
	return response, nil
}

func (e *exchange) authenticate(request *http.Request) {
	if e.access.Username != "" || e.access.Password != "" {
		request.SetBasicAuth(e.access.Username, e.access.Password)
	}
	for name, values := range e.access.Header {
		switch name {
		case "Range", "If-Range", "Accept-Encoding":
			// They would change which bytes arrive.
		case "Host":
			request.Host = values[0]
		default:
			request.Header[name] = values
		}
	}
}

func (e *exchange) exchanged(method string, response *http.Response) sources.Exchange {
	told := sources.Exchange{Registry: e.origin.Host, Method: method, Remaining: -1}
	if response == nil {
		return told
	}
	told.Code = response.StatusCode
	for _, name := range []string{"RateLimit-Remaining", "X-RateLimit-Remaining"} {
		if left, err := strconv.ParseUint(response.Header.Get(name), 10, 31); err == nil {
			told.Remaining = int64(left)
			break
		}
	}
	return told
}

// watchedBody cancels its request when one Read takes too long. Time that the reader spends
// elsewhere, such as writing to a slow disk, does not count.
type watchedBody struct {
	io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	stall  time.Duration
}

func (b *watchedBody) Read(p []byte) (int, error) {
	timer := time.AfterFunc(b.stall, func() { b.cancel(errStalled) })
	n, err := b.ReadCloser.Read(p)
	timer.Stop()
	if err != nil && !errors.Is(err, io.EOF) && errors.Is(context.Cause(b.ctx), errStalled) {
		err = fmt.Errorf("%w for %s", errStalled, b.stall)
	}
	return n, err
}

func (b *watchedBody) Close() error {
	// Before the body: what is left of it need not arrive.
	b.cancel(nil)
	return b.ReadCloser.Close()
}

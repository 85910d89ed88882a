// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"goldenimage.dev/pkg/sources"
)

// userAgent names the project to registries, the worker's requests included.
const userAgent = "golden-image-apiserver"

const (
	dialTimeout   = 10 * time.Second
	headerTimeout = 30 * time.Second
	// keptConnections to a registry are as many as it is asked by at a time if it has no limits:
	// polls that are due together come each minute anew. Of others there are fewer.
	keptConnections = 64
)

var (
	errPlainHTTP = errors.New("plain HTTP is not allowed")
	errStalled   = errors.New("no data arrived")
)

// newTransport makes the part that connections belong to.
func newTransport(access sources.Access) (*http.Transport, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	for _, pem := range access.CertificatesPEM {
		if !roots.AppendCertsFromPEM(pem) {
			return nil, sources.Errorf(sources.Certificate,
				"a value of the ConfigMap named by certConfigMap holds no certificate: put the registry's authority there, PEM encoded")
		}
	}
	proxy, err := proxyFunc(access.Proxy)
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}
	if !access.Insecure {
		dialer.Control = checkAddress
	}
	return &http.Transport{
		Proxy:                  proxy,
		OnProxyConnectResponse: onProxyResponse,
		DialContext:            dialer.DialContext,
		TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS12,
			RootCAs:    roots,
			// Only for registries that the administrator listed as insecure.
			InsecureSkipVerify: access.Insecure, //nolint:gosec // see above
		},
		TLSHandshakeTimeout:   dialTimeout,
		ResponseHeaderTimeout: headerTimeout,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   keptConnections,
		ForceAttemptHTTP2:     true,
		// Layers are compressed already, and their digests are those of the bytes on the wire.
		DisableCompression:     true,
		MaxResponseHeaderBytes: 256 << 10,
	}, nil
}

// guard stands between go-containerregistry and the network. It refuses plain HTTP, which
// that library would use by itself for private addresses, and hosts that are no registry's;
// notes when a registry wants to be asked again; tells of each exchange; and ends bodies that
// stall.
type guard struct {
	inner http.RoundTripper
	// registry is the host[:port] that it is for.
	registry string
	insecure bool
	options  Options
	now      func() time.Time
}

func newGuard(inner http.RoundTripper, registry string, insecure bool, o Options) http.RoundTripper {
	return transport.NewUserAgent(&guard{inner: inner, registry: registry, insecure: insecure, options: o, now: time.Now}, userAgent)
}

func (g *guard) RoundTrip(request *http.Request) (*http.Response, error) {
	if !g.insecure {
		if request.URL.Scheme != "https" {
			return nil, errPlainHTTP
		}
		if err := checkHost(request.URL.Hostname(), hostOf(g.registry)); err != nil {
			return nil, err
		}
	}
	if request.Method == http.MethodHead {
		// There is no body to watch, and most requests are these.
		return g.send(request)
	}
	ctx, cancel := context.WithCancelCause(request.Context())
	response, err := g.send(request.WithContext(ctx))
	if err != nil {
		cancel(nil)
		return nil, err
	}
	response.Body = &watchedBody{ReadCloser: response.Body, cancel: cancel, ctx: ctx, stall: g.options.StallTimeout}
	return response, nil
}

func (g *guard) send(request *http.Request) (*http.Response, error) {
	response, err := g.inner.RoundTrip(request)
	g.observe(request.Method, response)
	if err != nil {
		return nil, err
	}
	if noted, ok := request.Context().Value(notesKey{}).(*notes); ok {
		noted.add(response, g.now())
	}
	return response, nil
}

func (g *guard) observe(method string, response *http.Response) {
	if g.options.Observe == nil {
		return
	}
	exchange := sources.Exchange{Registry: g.registry, Method: method, Remaining: -1}
	if response != nil {
		exchange.Code, exchange.Remaining = response.StatusCode, remaining(response.Header)
	}
	g.options.Observe(exchange)
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
	err := b.ReadCloser.Close()
	b.cancel(nil)
	return err
}

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
	"strconv"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"goldenimage.dev/pkg/sources"
)

// userAgent names the project to registries, the worker's requests included.
const userAgent = "golden-image-apiserver"

const (
	dialTimeout   = 10 * time.Second
	headerTimeout = 30 * time.Second
	// maxRetryAfter bounds how long a registry may keep us away.
	maxRetryAfter = 24 * time.Hour
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
	return &http.Transport{
		Proxy:       http.ProxyFromEnvironment,
		DialContext: (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS12,
			RootCAs:    roots,
			// Only for registries that the administrator listed as insecure.
			InsecureSkipVerify: access.Insecure, //nolint:gosec // see above
		},
		TLSHandshakeTimeout:   dialTimeout,
		ResponseHeaderTimeout: headerTimeout,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   4,
		ForceAttemptHTTP2:     true,
		// Layers are compressed already, and their digests are those of the bytes on the wire.
		DisableCompression:     true,
		MaxResponseHeaderBytes: 256 << 10,
	}, nil
}

// guard stands between go-containerregistry and the network. It refuses plain HTTP, which
// that library would use by itself for private addresses; notes when a registry wants to be
// asked again; and ends bodies that stall.
type guard struct {
	inner    http.RoundTripper
	insecure bool
	// stall is how long a body may be silent.
	stall time.Duration
	now   func() time.Time
}

func newGuard(inner http.RoundTripper, insecure bool, o Options) http.RoundTripper {
	return transport.NewUserAgent(&guard{inner: inner, insecure: insecure, stall: o.StallTimeout, now: time.Now}, userAgent)
}

func (g *guard) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.Scheme != "https" && !g.insecure {
		return nil, errPlainHTTP
	}
	ctx, cancel := context.WithCancelCause(request.Context())
	response, err := g.inner.RoundTrip(request.WithContext(ctx))
	if err != nil {
		cancel(nil)
		return nil, err
	}
	if noted, ok := request.Context().Value(notesKey{}).(*notes); ok {
		noted.add(response, g.now())
	}
	response.Body = &watchedBody{ReadCloser: response.Body, cancel: cancel, ctx: ctx, stall: g.stall}
	return response, nil
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

type notesKey struct{}

// notes carries what responses said past go-containerregistry's errors, which drop headers.
type notes struct {
	mu        sync.Mutex
	notBefore time.Time
}

func withNotes(ctx context.Context, n *notes) context.Context {
	return context.WithValue(ctx, notesKey{}, n)
}

func (n *notes) add(response *http.Response, now time.Time) {
	if response.StatusCode != http.StatusTooManyRequests && response.StatusCode != http.StatusServiceUnavailable {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.notBefore = retryAfter(response.Header.Get("Retry-After"), now)
}

func (n *notes) retryAt() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.notBefore
}

// retryAfter reads a Retry-After header, which is a number of seconds or a date. It returns
// the zero time if there is none or it is malformed.
func retryAfter(value string, now time.Time) time.Time {
	at, err := http.ParseTime(value)
	if seconds, numErr := strconv.ParseUint(value, 10, 31); numErr == nil {
		at, err = now.Add(time.Duration(seconds)*time.Second), nil
	}
	switch {
	case err != nil:
		return time.Time{}
	case at.Before(now):
		return now
	case at.After(now.Add(maxRetryAfter)):
		return now.Add(maxRetryAfter)
	}
	return at
}

// checkRedirect refuses to be sent to this machine or to a cloud's metadata service. Other
// private addresses are where on-site registries keep their blobs.
func checkRedirect(request *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return errors.New("more than 10 redirects")
	}
	host := request.URL.Hostname()
	if host == via[0].URL.Hostname() {
		return nil
	}
	if ip := net.ParseIP(host); host == "localhost" || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() {
		return fmt.Errorf("the registry redirects to %s, which is refused", host)
	}
	return nil
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"crypto/sha256"
	"net/http"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"goldenimage.dev/pkg/apis/cdi/reference"
	"goldenimage.dev/pkg/sources"
)

// An endpointKey is what connections can be shared by.
type endpointKey struct {
	registry     string
	insecure     bool
	certificates [sha256.Size]byte
	// proxy is a hash: its URLs may hold credentials.
	proxy [sha256.Size]byte
}

func endpointOf(ref reference.Reference, access sources.Access) endpointKey {
	return endpointKey{
		registry: ref.Registry(), insecure: access.Insecure, certificates: hashOf(access.CertificatesPEM...),
		proxy: hashOf(access.Proxy.HTTP, access.Proxy.HTTPS, access.Proxy.No),
	}
}

// An endpoint is the way to a registry: its connections, and how it wants to be spoken to. That is
// the same for all of its repositories, and is asked once.
type endpoint struct {
	base *http.Transport
	// inner is base with its guard.
	inner http.RoundTripper
	// asking is held by who asks; a channel, so that waiting ends with ctx.
	asking chan struct{}

	mu sync.Mutex
	// challenge is what it answered; nil if that is not known.
	challenge *transport.Challenge
}

func newEndpoint(key endpointKey, access sources.Access, o Options) (*endpoint, error) {
	base, err := newTransport(access)
	if err != nil {
		return nil, err
	}
	return &endpoint{base: base, inner: newGuard(base, key.registry, key.insecure, o), asking: make(chan struct{}, 1)}, nil
}

// ask returns how the registry wants to be authenticated to, and whether with TLS.
func (e *endpoint) ask(ctx context.Context, registry name.Registry) (*transport.Challenge, error) {
	if known := e.known(); known != nil {
		return known, nil
	}
	select {
	case e.asking <- struct{}{}:
		defer func() { <-e.asking }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if known := e.known(); known != nil {
		return known, nil
	}
	found, err := transport.Ping(ctx, registry, e.inner)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.challenge = found
	return found, nil
}

func (e *endpoint) known() *transport.Challenge {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.challenge
}

// doubt has the registry asked anew, unless it was since a challenge was got.
func (e *endpoint) doubt(challenge *transport.Challenge) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.challenge == challenge {
		e.challenge = nil
	}
}

// sender returns what requests go by to a registry that answered with a challenge.
func (e *endpoint) sender(registry name.Registry, challenge *transport.Challenge) http.RoundTripper {
	if !challenge.Insecure {
		return e.inner
	}
	return plain{inner: e.inner, host: registry.RegistryStr()}
}

func byToken(challenge *transport.Challenge) bool {
	return strings.EqualFold(challenge.Scheme, "bearer")
}

// plain sends what is for one host without TLS.
type plain struct {
	inner http.RoundTripper
	host  string
}

func (p plain) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.Host == p.host && request.URL.Scheme == "https" {
		url := *request.URL
		url.Scheme = "http"
		request = request.WithContext(request.Context()) // a copy
		request.URL = &url
	}
	return p.inner.RoundTrip(request)
}

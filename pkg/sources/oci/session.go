// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"goldenimage.dev/pkg/apis/cdi/reference"
	"goldenimage.dev/pkg/sources"
)

const (
	// sessionIdle is how long a session is kept without use. Tokens live for minutes.
	sessionIdle = 15 * time.Minute
	// sweepEvery is how often what is idle is looked for: each time would be slow.
	sweepEvery = time.Minute
	// maxSessions bounds the sessions, and the endpoints, that are kept.
	maxSessions = 4096
)

// An endpoint is what connections can be shared by.
type endpoint struct {
	registry     string
	insecure     bool
	certificates [sha256.Size]byte
	// proxy is a hash: its URLs may hold credentials.
	proxy [sha256.Size]byte
}

// A sessionKey is what a token can be shared by. It holds a hash of the credential alone.
type sessionKey struct {
	endpoint
	repository string
	credential [sha256.Size]byte
}

// A session is an authenticated way to one repository.
type session struct {
	// starting is held by who does the handshake; a channel, so that waiting ends with ctx.
	starting chan struct{}
	client   *http.Client
}

type used[T any] struct {
	value T
	last  time.Time
}

// sessions keeps what can be reused between requests: connections by endpoint, tokens by
// repository and credential. It is safe for concurrent use.
type sessions struct {
	options Options

	mu        sync.Mutex
	endpoints map[endpoint]*used[*http.Transport]
	sessions  map[sessionKey]*used[*session]
	// swept is when what is idle was dropped last.
	swept time.Time
}

func newSessions(o Options) *sessions {
	return &sessions{options: o, endpoints: map[endpoint]*used[*http.Transport]{}, sessions: map[sessionKey]*used[*session]{}}
}

// A lease is a session that is ready to be used.
type lease struct {
	http *http.Client
	key  sessionKey
	// reused tells that the session was there before.
	reused bool
}

// get returns the session of a reference's repository after its handshake.
func (s *sessions) get(ctx context.Context, ref reference.Reference, auth authn.AuthConfig, access sources.Access) (lease, error) {
	key := sessionKey{endpoint: endpointOf(ref, access), repository: ref.Repository(), credential: hashOfCredential(auth)}
	base, entry, err := s.entries(key, access)
	if err != nil {
		return lease{}, err
	}
	select {
	case entry.starting <- struct{}{}:
		defer func() { <-entry.starting }()
	case <-ctx.Done():
		return lease{}, context.Cause(ctx)
	}
	if entry.client != nil {
		return lease{http: entry.client, key: key, reused: true}, nil
	}
	rt, err := s.handshake(ctx, ref, auth, newGuard(base, ref.Registry(), access.Insecure, s.options), access.Insecure)
	if err != nil {
		return lease{}, err
	}
	entry.client = &http.Client{Transport: rt, CheckRedirect: checkRedirect}
	return lease{http: entry.client, key: key}, nil
}

// handshake asks the registry how to authenticate, and for a token if it is by token.
func (s *sessions) handshake(ctx context.Context, ref reference.Reference, auth authn.AuthConfig, inner http.RoundTripper, insecure bool) (http.RoundTripper, error) {
	repository, err := ref.Remote(insecure)
	if err != nil {
		return nil, sources.Errorf(sources.Invalid, "%w", err)
	}
	authenticator := authn.Anonymous
	if auth != (authn.AuthConfig{}) {
		authenticator = authn.FromConfig(auth)
	}
	return transport.NewWithContext(ctx, repository.Registry, authenticator, inner, []string{repository.Scope(transport.PullScope)})
}

// entries returns the connections and the session of a key, new ones if there are none.
func (s *sessions) entries(key sessionKey, access sources.Access) (*http.Transport, *session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if now.Sub(s.swept) >= sweepEvery || len(s.endpoints) >= maxSessions || len(s.sessions) >= maxSessions {
		s.evict(now)
		s.swept = now
	}
	base, ok := s.endpoints[key.endpoint]
	if !ok {
		t, err := newTransport(access)
		if err != nil {
			return nil, nil, err
		}
		base = &used[*http.Transport]{value: t}
		s.endpoints[key.endpoint] = base
	}
	entry, ok := s.sessions[key]
	if !ok {
		entry = &used[*session]{value: &session{starting: make(chan struct{}, 1)}}
		s.sessions[key] = entry
	}
	base.last, entry.last = now, now
	return base.value, entry.value, nil
}

// forget drops a session whose authentication the registry no longer accepts.
func (s *sessions) forget(key sessionKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, key)
}

// evict drops what is idle, and the least recently used above the bound. Who still uses an
// entry keeps it: only its idle connections are closed.
func (s *sessions) evict(now time.Time) {
	for _, key := range stale(s.sessions, now) {
		delete(s.sessions, key)
	}
	for _, key := range stale(s.endpoints, now) {
		s.endpoints[key].value.CloseIdleConnections()
		delete(s.endpoints, key)
	}
}

// close ends all idle connections.
func (s *sessions) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.endpoints {
		e.value.CloseIdleConnections()
	}
	clear(s.endpoints)
	clear(s.sessions)
}

func stale[K comparable, V any](entries map[K]*used[V], now time.Time) []K {
	var keys []K
	for key, e := range entries {
		if now.Sub(e.last) > sessionIdle {
			keys = append(keys, key)
		}
	}
	if excess := len(entries) - len(keys) - maxSessions; excess >= 0 {
		// Make room for one more, and for some after it: sorting each time would be slow.
		oldest := slices.SortedFunc(maps.Keys(entries), func(a, b K) int { return entries[a].last.Compare(entries[b].last) })
		keys = oldest[:min(len(oldest), len(keys)+excess+cmp.Or(maxSessions/16, 1))]
	}
	return keys
}

func endpointOf(ref reference.Reference, access sources.Access) endpoint {
	return endpoint{
		registry: ref.Registry(), insecure: access.Insecure, certificates: hashOf(access.CertificatesPEM...),
		proxy: hashOf(access.Proxy.HTTP, access.Proxy.HTTPS, access.Proxy.No),
	}
}

func hashOfCredential(auth authn.AuthConfig) [sha256.Size]byte {
	return hashOf(auth.Username, auth.Password, auth.Auth, auth.IdentityToken, auth.RegistryToken)
}

// hashOf is how a key of the maps holds what must not be kept or is too long. It is zero if all
// parts are empty.
func hashOf[T string | []byte](parts ...T) [sha256.Size]byte {
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	if size == 0 {
		return [sha256.Size]byte{}
	}
	all := make([]byte, 0, size+8*len(parts))
	for _, part := range parts {
		// The length keeps what ends one part from beginning the next.
		all = append(binary.BigEndian.AppendUint64(all, uint64(len(part))), part...)
	}
	return sha256.Sum256(all)
}

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
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"goldenimage.dev/pkg/apis/cdi/reference"
	"goldenimage.dev/pkg/sources"
)

const (
	// sessionIdle is how long a session is kept without use. Tokens live for minutes.
	sessionIdle = 15 * time.Minute
	// sweepEvery is how often what is idle is looked for: each time would be slow.
	sweepEvery = time.Minute
	// maxEndpoints and maxSessions bound what is kept. A session takes about 4 KiB, and ten
	// thousand repositories that each want a token are to find theirs again.
	maxEndpoints, maxSessions = 4096, 16384
	// tokenMargin is how long before its end a token is taken to be of no use.
	tokenMargin = 5 * time.Second
)

// A sessionKey is what authentication can be shared by. It holds a hash of the credential alone.
type sessionKey struct {
	endpointKey
	// repository that a token is for; "" if the registry wants none.
	repository string
	credential [sha256.Size]byte
}

// A session is an authenticated way to a registry, or to one of its repositories.
type session struct {
	// starting is held by who authenticates; a channel, so that waiting ends with ctx.
	starting chan struct{}
	client   *http.Client
	// challenge that client is the answer to.
	challenge *transport.Challenge
	// ends is when client's token does; zero if that is not known, or it has none.
	ends time.Time
}

type used[T any] struct {
	value T
	last  time.Time
}

// sessions keeps what can be reused between requests: connections, and what is known of a
// registry, by endpoint; tokens by repository and credential. It is safe for concurrent use.
type sessions struct {
	options Options

	mu        sync.Mutex
	endpoints map[endpointKey]*used[*endpoint]
	sessions  map[sessionKey]*used[*session]
	// swept is when what is idle was dropped last.
	swept time.Time
}

func newSessions(o Options) *sessions {
	return &sessions{options: o, endpoints: map[endpointKey]*used[*endpoint]{}, sessions: map[sessionKey]*used[*session]{}}
}

// A lease is a session that is ready to be used.
type lease struct {
	http     *http.Client
	key      sessionKey
	endpoint *endpoint
	// challenge that the session is the answer to.
	challenge *transport.Challenge
	// reused tells that the session was there before.
	reused bool
}

// get returns a session for a reference's repository. It asks the registry how to authenticate,
// and for a token if it is by token, where that is not known.
func (s *sessions) get(ctx context.Context, ref reference.Reference, auth authn.AuthConfig, access sources.Access) (lease, error) {
	repository, err := ref.Remote(access.Insecure)
	if err != nil {
		return lease{}, sources.Errorf(sources.Invalid, "%w", err)
	}
	key := sessionKey{endpointKey: endpointOf(ref, access), credential: hashOfCredential(auth)}
	way, err := s.endpoint(key.endpointKey, access)
	if err != nil {
		return lease{}, err
	}
	challenge, err := way.ask(ctx, repository.Registry)
	if err != nil {
		return lease{}, err
	}
	if byToken(challenge) {
		key.repository = ref.Repository()
	}
	is := s.session(key)
	select {
	case is.starting <- struct{}{}:
		defer func() { <-is.starting }()
	case <-ctx.Done():
		return lease{}, context.Cause(ctx)
	}
	l := lease{key: key, endpoint: way, challenge: challenge, reused: is.serves(challenge, time.Now())}
	if !l.reused {
		if err := is.start(ctx, repository, auth, way, challenge); err != nil {
			// How to authenticate may have changed.
			way.doubt(challenge)
			return lease{}, err
		}
	}
	l.http = is.client
	return l, nil
}

// serves tells whether a session answers a challenge, with a token that is good if any.
func (s *session) serves(challenge *transport.Challenge, now time.Time) bool {
	return s.client != nil && s.challenge == challenge && (s.ends.IsZero() || now.Before(s.ends))
}

// start answers a challenge.
func (s *session) start(ctx context.Context, repository name.Repository, auth authn.AuthConfig, way *endpoint, challenge *transport.Challenge) error {
	authenticator := authn.Anonymous
	if auth != (authn.AuthConfig{}) {
		authenticator = authn.FromConfig(auth)
	}
	token, inner, begin := &transport.Token{Token: auth.RegistryToken}, way.sender(repository.Registry, challenge), time.Now()
	if byToken(challenge) && token.Token == "" {
		var err error
		if token, err = transport.Exchange(ctx, repository.Registry, authenticator, inner, []string{repository.Scope(transport.PullScope)}, challenge); err != nil {
			return err
		}
		// Some give it by the name that OAuth has for it.
		token.Token = cmp.Or(token.AccessToken, token.Token)
	}
	if token.RefreshToken != "" {
		authenticator = authn.FromConfig(authn.AuthConfig{IdentityToken: token.RefreshToken})
	}
	rt, err := transport.FromToken(repository.Registry, authenticator, inner, challenge, token)
	if err != nil {
		return err
	}
	s.client, s.challenge, s.ends = &http.Client{Transport: rt, CheckRedirect: checkRedirect}, challenge, time.Time{}
	if lives := time.Duration(token.ExpiresIn) * time.Second; lives > 0 {
		s.ends = begin.Add(max(lives-tokenMargin, lives/2))
	}
	return nil
}

// endpoint returns the one of a key, a new one if there is none.
func (s *sessions) endpoint(key endpointKey, access sources.Access) (*endpoint, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.sweep()
	kept, ok := s.endpoints[key]
	if !ok {
		fresh, err := newEndpoint(key, access, s.options)
		if err != nil {
			return nil, err
		}
		kept = &used[*endpoint]{value: fresh}
		s.endpoints[key] = kept
	}
	kept.last = now
	return kept.value, nil
}

// session returns the one of a key, a new one if there is none.
func (s *sessions) session(key sessionKey) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.sweep()
	kept, ok := s.sessions[key]
	if !ok {
		kept = &used[*session]{value: &session{starting: make(chan struct{}, 1)}}
		s.sessions[key] = kept
	}
	kept.last = now
	return kept.value
}

// forget drops a session whose authentication the registry no longer accepts.
func (s *sessions) forget(l lease) {
	s.mu.Lock()
	delete(s.sessions, l.key)
	s.mu.Unlock()
	l.endpoint.doubt(l.challenge)
}

// sweep drops now and then what is idle, and makes room. It returns the time. Who still uses
// what it drops keeps it: only its idle connections are closed.
func (s *sessions) sweep() time.Time {
	now := time.Now()
	if now.Sub(s.swept) < sweepEvery && len(s.endpoints) < maxEndpoints && len(s.sessions) < maxSessions {
		return now
	}
	s.swept = now
	for _, key := range stale(s.sessions, maxSessions, now) {
		delete(s.sessions, key)
	}
	for _, key := range stale(s.endpoints, maxEndpoints, now) {
		s.endpoints[key].value.base.CloseIdleConnections()
		delete(s.endpoints, key)
	}
	return now
}

// close ends all idle connections.
func (s *sessions) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.endpoints {
		e.value.base.CloseIdleConnections()
	}
	clear(s.endpoints)
	clear(s.sessions)
}

// stale returns what is idle, and, of as many as there may be or more, the least recently used.
func stale[K comparable, V any](entries map[K]*used[V], most int, now time.Time) []K {
	var keys []K
	for key, e := range entries {
		if now.Sub(e.last) > sessionIdle {
			keys = append(keys, key)
		}
	}
	if excess := len(entries) - len(keys) - most; excess >= 0 {
		// Make room for one more, and for some after it: sorting each time would be slow.
		oldest := slices.SortedFunc(maps.Keys(entries), func(a, b K) int { return entries[a].last.Compare(entries[b].last) })
		keys = oldest[:min(len(oldest), len(keys)+excess+cmp.Or(most/16, 1))]
	}
	return keys
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

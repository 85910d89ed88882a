// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"goldenimage.dev/pkg/sources"
	"goldenimage.dev/test/registry"
)

func TestSessionsAreBounded(t *testing.T) {
	s := newSessions(Options{}.withDefaults())
	first := s.session(sessionKey{repository: "0"})
	for i := 1; i < maxSessions+10; i++ {
		s.session(sessionKey{repository: strconv.Itoa(i)})
		// The first one stays in use.
		if s.session(sessionKey{repository: "0"}) != first {
			t.Fatal("the session in use was dropped")
		}
	}
	if n := len(s.sessions); n > maxSessions || n < maxSessions/2 {
		t.Errorf("%d sessions, of at most %d", n, maxSessions)
	}
}

func TestEndpointsAreBounded(t *testing.T) {
	s := newSessions(Options{}.withDefaults())
	for i := range maxEndpoints + 10 {
		if _, err := s.endpoint(endpointKey{registry: strconv.Itoa(i)}, sources.Access{}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(s.endpoints); n > maxEndpoints || n < maxEndpoints/2 {
		t.Errorf("%d endpoints, of at most %d", n, maxEndpoints)
	}
}

func TestIdleSessionsAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSessions(Options{}.withDefaults())
		add := func(registry string) {
			key := endpointKey{registry: registry}
			if _, err := s.endpoint(key, sources.Access{}); err != nil {
				t.Fatal(err)
			}
			s.session(sessionKey{endpointKey: key})
		}
		add("old")
		<-time.After(sessionIdle / 2) // the bubble's time
		add("young")
		<-time.After(sessionIdle/2 + time.Second)
		add("new")
		if len(s.sessions) != 2 || len(s.endpoints) != 2 {
			t.Errorf("%d sessions and %d endpoints, want 2 of each", len(s.sessions), len(s.endpoints))
		}
	})
}

// ask resolves the tag latest of a number of repositories, and returns what was asked for it.
func ask(t *testing.T, r *registry.Registry, resolver *Resolver, access sources.Access, repositories int) []string {
	t.Helper()
	_ = r.Requests()
	for i := range repositories {
		mustResolve(t, resolver, sources.Query{Location: r.URL(fmt.Sprintf("image-%d", i), "latest"), Access: access})
	}
	return paths(r)
}

// serveMany returns a registry of several repositories, and how to read it.
func serveMany(t *testing.T, config registry.Config) (*registry.Registry, sources.Access) {
	t.Helper()
	r := registry.New(t, config)
	for i := range 2 {
		r.Push(t, fmt.Sprintf("image-%d", i), "latest", registry.ContainerDisk(t, "disk.img", []byte("disk")))
	}
	access := sources.Access{Insecure: config.PlainHTTP, Username: config.Username, Password: config.Password}
	if !config.PlainHTTP {
		access.CertificatesPEM = trusted(r).CertificatesPEM
	}
	return r, access
}

func headOf(i int) string { return fmt.Sprintf("HEAD /v2/image-%d/manifests/latest", i) }

const ping = "GET /v2/"

func count(paths []string, path string) int {
	return len(slices.DeleteFunc(slices.Clone(paths), func(p string) bool { return p != path }))
}

func TestARegistryIsAskedOnceHowToAuthenticate(t *testing.T) {
	for name, test := range map[string]struct {
		config        registry.Config
		first, second []string
	}{
		"without authentication": {
			first: []string{ping, headOf(0), headOf(1)}, second: []string{headOf(0), headOf(1)},
		},
		"without TLS": {
			config: registry.Config{PlainHTTP: true},
			first:  []string{ping, headOf(0), headOf(1)}, second: []string{headOf(0), headOf(1)},
		},
		"with a password": {
			config: registry.Config{Username: "ada", Password: "hunter2"},
			first:  []string{ping, headOf(0), headOf(1)}, second: []string{headOf(0), headOf(1)},
		},
		"with tokens, which are for one repository each": {
			config: registry.Config{Username: "ada", Password: "hunter2", Token: true},
			first:  []string{ping, "GET /token", headOf(0), "GET /token", headOf(1)}, second: []string{headOf(0), headOf(1)},
		},
		"with tokens and without TLS": {
			config: registry.Config{Username: "ada", Password: "hunter2", Token: true, PlainHTTP: true},
			first:  []string{ping, "GET /token", headOf(0), "GET /token", headOf(1)}, second: []string{headOf(0), headOf(1)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, access := serveMany(t, test.config)
			resolver := NewResolver(quick)
			defer resolver.Close()
			if diff := cmp.Diff(test.first, ask(t, r, resolver, access, 2)); diff != "" {
				t.Errorf("first requests (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.second, ask(t, r, resolver, access, 2)); diff != "" {
				t.Errorf("next requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestManyRepositoriesAtOnceAskOnceHowToAuthenticate(t *testing.T) {
	r, access := serveMany(t, registry.Config{})
	resolver := NewResolver(quick)
	defer resolver.Close()
	var all errgroup.Group
	for i := range 20 {
		all.Go(func() error {
			_, err := resolver.Resolve(t.Context(), sources.Query{Location: r.URL(fmt.Sprintf("image-%d", i%2), "latest"), Access: access})
			return err
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	if n := count(paths(r), ping); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// TestARegistryThatMovesIsAskedAnew has one answer as it does when it gets TLS or another door.
func TestARegistryThatMovesIsAskedAnew(t *testing.T) {
	for name, step := range map[string]registry.Step{
		"a bad request":           {Path: "/manifests/", Method: http.MethodHead, Status: http.StatusBadRequest, Times: 1},
		"forbidden":               {Path: "/manifests/", Status: http.StatusForbidden, Times: 1},
		"a connection that broke": {Path: "/manifests/", Reset: true, Times: 2},
	} {
		t.Run(name, func(t *testing.T) {
			r, access := serveMany(t, registry.Config{})
			resolver := NewResolver(quick)
			defer resolver.Close()
			ask(t, r, resolver, access, 2)
			r.SetFaults(registry.Faults{Steps: []registry.Step{step}})
			_, _ = resolver.Resolve(t.Context(), sources.Query{Location: r.URL("image-0", "latest"), Access: access}) // what comes of it counts
			asked := append(paths(r), ask(t, r, resolver, access, 2)...)
			if n := count(asked, ping); n != 1 {
				t.Errorf("asked %d times how to authenticate: %q", n, asked)
			}
		})
	}
}

// TestATokenIsNotUsedBeyondItsLife spares the registry a request that it would refuse.
func TestATokenIsNotUsedBeyondItsLife(t *testing.T) {
	for name, test := range map[string]struct {
		lives time.Duration
		// ends is when it is used no more, 0 for never.
		ends time.Duration
	}{
		"for minutes":           {lives: 5 * time.Minute, ends: 5*time.Minute - tokenMargin},
		"hardly at all":         {lives: 4 * time.Second, ends: 2 * time.Second},
		"nobody knows how long": {},
	} {
		t.Run(name, func(t *testing.T) {
			r, access := serveMany(t, registry.Config{Username: "ada", Password: "hunter2", Token: true, TokenLives: test.lives})
			resolver := NewResolver(quick)
			defer resolver.Close()
			begin := time.Now()
			ask(t, r, resolver, access, 1)
			got := only(t, resolver.sessions.sessions)
			if test.ends == 0 {
				if !got.ends.IsZero() {
					t.Errorf("ends %s", got.ends)
				}
				return
			}
			if least, most := begin.Add(test.ends), time.Now().Add(test.ends); got.ends.Before(least) || got.ends.After(most) {
				t.Errorf("ends %s, not between %s and %s", got.ends, least, most)
			}
			got.ends = begin
			if diff := cmp.Diff([]string{"GET /token", headOf(0)}, ask(t, r, resolver, access, 1)); diff != "" {
				t.Errorf("requests after its end (-want +got):\n%s", diff)
			}
		})
	}
}

func only(t *testing.T, sessions map[sessionKey]*used[*session]) *session {
	t.Helper()
	if len(sessions) != 1 {
		t.Fatalf("%d sessions", len(sessions))
	}
	for _, kept := range sessions {
		return kept.value
	}
	return nil
}

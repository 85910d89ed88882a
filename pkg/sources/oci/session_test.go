// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"goldenimage.dev/pkg/sources"
)

func TestSessionsAreBounded(t *testing.T) {
	s := newSessions(Options{}.withDefaults())
	for i := range maxSessions + 10 {
		if _, _, err := s.entries(sessionKey{endpoint: endpoint{registry: fmt.Sprintf("registry-%d", i)}}, sources.Access{}); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			continue
		}
		// The first one stays in use.
		if _, _, err := s.entries(sessionKey{endpoint: endpoint{registry: "registry-0"}}, sources.Access{}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(s.sessions); n > maxSessions {
		t.Errorf("%d sessions", n)
	}
	if n := len(s.endpoints); n > maxSessions {
		t.Errorf("%d endpoints", n)
	}
	if _, ok := s.sessions[sessionKey{endpoint: endpoint{registry: "registry-0"}}]; !ok {
		t.Error("the session in use was dropped")
	}
}

func TestIdleSessionsAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSessions(Options{}.withDefaults())
		add := func(registry string) {
			if _, _, err := s.entries(sessionKey{endpoint: endpoint{registry: registry}}, sources.Access{}); err != nil {
				t.Fatal(err)
			}
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

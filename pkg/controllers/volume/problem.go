// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// recheck is when something that is watched is looked at again anyway.
const recheck = 30 * time.Second

// A problem keeps a volume from being filled until somebody mends it.
type problem struct {
	reason, message string
	// unbound: the problem is why there is no claim, and so shown as the reason of Bound too.
	unbound bool
	// again is when to look for it to be mended; 0 means recheck.
	again time.Duration
}

func (p *problem) Error() string { return p.reason + ": " + p.message }

func problemf(reason, format string, args ...any) *problem {
	return &problem{reason: reason, message: fmt.Sprintf(format, args...)}
}

// Pauses between attempts to read what is not watched.
const (
	firstPause       = 5 * time.Second
	longestPause     = 30 * time.Second
	longestNetPause  = time.Minute
	longestWishPause = 10 * time.Minute
)

// A hold is a problem that is not looked into again before a time.
type hold struct {
	uid      types.UID
	problem  *problem
	attempts int
	until    time.Time
}

// holds keep what is not watched (Secrets, registries) from being read at each event. They are
// lost when the process ends, which costs one more attempt. Safe for concurrent use.
type holds struct {
	mu sync.Mutex
	of map[types.NamespacedName]hold
}

// get returns the problem that an attempt at the moment would meet, nil if one should be made.
func (h *holds) get(dv *v1beta1.DataVolume, now time.Time) *problem {
	h.mu.Lock()
	defer h.mu.Unlock()
	held, ok := h.of[keyOf(dv)]
	if !ok || held.uid != dv.UID || !now.Before(held.until) {
		return nil
	}
	p := *held.problem
	p.again = held.until.Sub(now)
	return &p
}

// set notes that an attempt met p, and returns p with the pause before the next, which doubles
// up to longest unless notBefore asks for more.
func (h *holds) set(dv *v1beta1.DataVolume, p *problem, now, notBefore time.Time, longest time.Duration) *problem {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.of == nil {
		h.of = map[types.NamespacedName]hold{}
	}
	attempts := 0
	if before := h.of[keyOf(dv)]; before.uid == dv.UID {
		attempts = before.attempts
	}
	pause := longest
	if attempts < 8 {
		pause = min(firstPause<<attempts, longest)
	}
	pause = max(pause, min(notBefore.Sub(now), longestWishPause))
	held := *p
	held.again = pause
	h.of[keyOf(dv)] = hold{uid: dv.UID, problem: &held, attempts: attempts + 1, until: now.Add(pause)}
	return &held
}

func (h *holds) clear(key types.NamespacedName) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.of, key)
}

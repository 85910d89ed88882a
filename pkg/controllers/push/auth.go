// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package push

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

const (
	// minToken is the length of the shortest token that counts.
	minToken = 16
	// maxSenders bounds the names in metrics, and the work for each request.
	maxSenders = 100
	// fresh is how long the Secret is believed, and retry how long a failure to read it.
	fresh, retry = 30 * time.Second, 2 * time.Second
	// stale is how long it is believed if it cannot be read again.
	stale = 5 * time.Minute
	// readTimeout bounds one read of it.
	readTimeout = 5 * time.Second

	signatureHeader = "X-Hub-Signature-256"
	signaturePrefix = "sha256="
)

// A SecretReader reads the Secret of tokens.
type SecretReader func(ctx context.Context) (*corev1.Secret, error)

type sender struct {
	name  string
	token []byte
}

// senders are who may send.
type senders struct {
	read  SecretReader
	clock clock.PassiveClock

	mu    sync.Mutex
	next  time.Time
	known time.Time
	all   []sender
}

// list returns the senders as the Secret named them lately.
func (s *senders) list(ctx context.Context) ([]sender, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	var err error
	if !now.Before(s.next) {
		// A sender that hangs up does not decide what the others are told.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
		defer cancel()
		var secret *corev1.Secret
		secret, err = s.read(ctx)
		switch {
		case apierrors.IsNotFound(err):
			s.all, s.known, s.next, err = nil, now, now.Add(fresh), nil
		case err != nil:
			s.next = now.Add(retry)
		default:
			s.all, s.known, s.next = sendersOf(ctx, secret), now, now.Add(fresh)
		}
	}
	if s.known.IsZero() || now.Sub(s.known) > stale {
		return nil, fmt.Errorf("the Secret of tokens could not be read: %w", err)
	}
	return s.all, nil
}

func sendersOf(ctx context.Context, secret *corev1.Secret) []sender {
	var all []sender
	for name, value := range secret.Data {
		token := []byte(strings.TrimSpace(string(value)))
		if len(token) < minToken {
			klog.FromContext(ctx).Info("Token of a sender of registry events is too short and does not count", "sender", name, "atLeast", minToken)
			continue
		}
		all = append(all, sender{name: name, token: token})
	}
	slices.SortFunc(all, func(a, b sender) int { return strings.Compare(a.name, b.name) })
	return all[:min(len(all), maxSenders)]
}

// signed tells whether a request is to be known by the signature of its body.
func signed(r *http.Request) bool { return r.Header.Get(signatureHeader) != "" }

// byToken returns whose token a request holds.
func byToken(all []sender, r *http.Request) (string, bool) {
	token := r.Header.Get("Authorization")
	scheme, rest, _ := strings.Cut(token, " ")
	switch {
	case token == "":
		token = r.URL.Query().Get("token")
	case strings.EqualFold(scheme, "Bearer"):
		token = strings.TrimSpace(rest)
	case strings.EqualFold(scheme, "Basic"):
		_, token, _ = r.BasicAuth()
	}
	given := sha256.Sum256([]byte(token))
	return first(all, func(s sender) bool {
		want := sha256.Sum256(s.token)
		return subtle.ConstantTimeCompare(given[:], want[:]) == 1
	})
}

// bySignature returns whose token a body was signed with.
func bySignature(all []sender, r *http.Request, body []byte) (string, bool) {
	text, ok := strings.CutPrefix(r.Header.Get(signatureHeader), signaturePrefix)
	given, err := hex.DecodeString(text)
	if !ok || err != nil {
		return "", false
	}
	return first(all, func(s sender) bool {
		mac := hmac.New(sha256.New, s.token)
		mac.Write(body)
		return hmac.Equal(given, mac.Sum(nil))
	})
}

// first looks at all, so that time does not tell which one it was.
func first(all []sender, is func(sender) bool) (name string, found bool) {
	for _, s := range all {
		if is(s) && !found {
			name, found = s.name, true
		}
	}
	return name, found
}

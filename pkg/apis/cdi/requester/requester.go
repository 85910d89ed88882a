// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package requester

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// MaxSize of an encoded CloneRequester in bytes: a quarter of what all annotations of an object
// may have together. It holds some thousand groups.
const MaxSize = 64 << 10

// A CloneRequester is who asked for a DataVolume, as authorizers know them, and what they were
// allowed to clone at the time. It holds nothing to authenticate with.
type CloneRequester struct {
	// Username of the user; never empty.
	Username string `json:"username"`
	// UID of the user; empty if the authenticator gave none.
	UID string `json:"uid,omitempty"`
	// Groups that the user was in.
	Groups []string `json:"groups,omitempty"`
	// Extra is what else the authenticator said. Encode leaves out what is secret by its name.
	Extra map[string][]string `json:"extra,omitempty"`
	// Allowed is what lies in other namespaces and was allowed when the DataVolume was made.
	Allowed []Source `json:"allowed,omitempty"`
}

// ServiceAccount returns the requester that a Pod with a ServiceAccount would be. An empty name
// means the one named default.
func ServiceAccount(namespace, name string) CloneRequester {
	const prefix = "system:serviceaccount"
	return CloneRequester{
		Username: prefix + ":" + namespace + ":" + cmp.Or(name, "default"),
		Groups:   []string{prefix + "s", prefix + "s:" + namespace, "system:authenticated"},
	}
}

// Allows tells whether a source was allowed when the DataVolume was made.
func (r *CloneRequester) Allows(source Source) bool {
	return slices.Contains(r.Allowed, source)
}

// Encode returns the annotation's value. It fails if there is no user name, or if the value
// would be larger than MaxSize: a list of groups that was cut would be somebody else's.
func Encode(r CloneRequester) (string, error) {
	if r.Username == "" {
		return "", errNobody
	}
	r.Extra = public(r.Extra)
	text, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("encode requester: %w", err)
	}
	if len(text) > MaxSize {
		return "", fmt.Errorf("user %.100s is described by %d bytes (%d groups): at most %d can be remembered", r.Username, len(text), len(r.Groups), MaxSize)
	}
	return string(text), nil
}

var errNobody = errors.New("requester has no user name")

// Decode reads the annotation's value. Any error means that nobody is known to have asked.
func Decode(text string) (CloneRequester, error) {
	if len(text) > MaxSize {
		return CloneRequester{}, fmt.Errorf("requester has %d bytes: at most %d are accepted", len(text), MaxSize)
	}
	var r CloneRequester
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return CloneRequester{}, fmt.Errorf("decode requester: %w", err)
	}
	if r.Username == "" {
		return CloneRequester{}, errNobody
	}
	return r, nil
}

// public returns extra without what could be used to authenticate: everybody who may read the
// DataVolume reads it. Scopes stay whatever they are named, since they narrow what a user may.
func public(extra map[string][]string) map[string][]string {
	kept := map[string][]string{}
	for key, values := range extra {
		if !secretName(key) && !slices.ContainsFunc(values, looksLikeToken) {
			kept[key] = values
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}

func secretName(key string) bool {
	key = strings.ToLower(key)
	if strings.Contains(key, "scope") {
		return false
	}
	return slices.ContainsFunc([]string{
		"token", "credential", "assertion", "secret", "password", "cookie", "bearer", "jwt", "session", "accesskey", "access-key", "apikey", "api-key",
	}, func(word string) bool { return strings.Contains(key, word) })
}

// looksLikeToken tells whether a value is a JSON Web Token, or an Authorization header's.
func looksLikeToken(value string) bool {
	lower := strings.ToLower(value)
	return strings.HasPrefix(value, "eyJ") && strings.Count(value, ".") >= 2 ||
		strings.HasPrefix(lower, "bearer ") || strings.HasPrefix(lower, "basic ")
}

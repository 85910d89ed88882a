// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package tables

import (
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
)

const (
	none = "<none>"
	// digits of a digest that are shown: those that imports are named by.
	digits = 12
)

// A moment is when a table is made.
type moment time.Time

// since returns the time that has passed, "" for no time.
func (m moment) since(t *metav1.Time) string {
	if t.IsZero() {
		return ""
	}
	return duration.HumanDuration(time.Time(m).Sub(t.Time))
}

// until returns the time to come, "now" if it has come already, "" for no time.
func (m moment) until(t *metav1.Time) string {
	if t.IsZero() {
		return ""
	}
	left := t.Sub(time.Time(m))
	if left < time.Second {
		return "now"
	}
	return "in " + duration.HumanDuration(left)
}

func orNone(value string) string {
	if value == "" {
		return none
	}
	return value
}

// short cuts a digest such as sha256:0123… to the digits that tell it from others.
func short(digest string) string {
	if _, hex, ok := strings.Cut(digest, ":"); ok {
		digest = hex
	}
	return digest[:min(len(digest), digits)]
}

// path joins the parts of a name.
func path(parts ...string) string {
	return strings.Join(parts, "/")
}

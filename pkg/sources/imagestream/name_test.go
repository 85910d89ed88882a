// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package imagestream

import (
	"errors"
	"strings"
	"testing"
	"unicode"

	"goldenimage.dev/pkg/sources"
)

func TestParse(t *testing.T) {
	for name, test := range map[string]struct {
		location string
		want     tagName
		// message of the error, if there is to be one.
		message string
	}{
		"a name":                 {location: "ns/rhel8-is", want: tagName{namespace: "ns", name: "rhel8-is"}},
		"a name and a tag":       {location: "ns/rhel8-is:8.10", want: tagName{namespace: "ns", name: "rhel8-is", tag: "8.10"}},
		"two colons":             {location: "ns/a:b:c", message: "Illegal ImageStream name a:b:c: give name or name:tag"},
		"an empty tag":           {location: "ns/a:", message: "Illegal ImageStream name a:: give name or name:tag"},
		"an empty name":          {location: "ns/:b", message: "Illegal ImageStream name :b: give name or name:tag"},
		"nothing":                {location: "", message: "Illegal ImageStream name : give name or name:tag"},
		"no namespace":           {location: "/a", message: "Illegal ImageStream name a: give name or name:tag"},
		"another namespace":      {location: "ns/other/a", message: "Illegal ImageStream name other/a: give name or name:tag"},
		"a path in the tag":      {location: "ns/a:b/c", message: "Illegal ImageStream name a:b/c: give name or name:tag"},
		"a way out of the names": {location: "ns/..", message: "Illegal ImageStream name ..: give name or name:tag"},
		"a line break":           {location: "ns/a\nb", message: `Illegal ImageStream name "a\nb": give name or name:tag`},
		"a blank":                {location: "ns/a b", message: `Illegal ImageStream name a b: give name or name:tag`},
		"no end": {location: "ns/" + strings.Repeat("a:", 1000), message: "Illegal ImageStream name " +
			strings.Repeat("a:", 148) + "a…: give name or name:tag"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parse(test.location)
			if test.message == "" {
				if err != nil || got != test.want {
					t.Errorf("got %+v %v, want %+v", got, err, test.want)
				}
				return
			}
			var typed *sources.Error
			if !errors.As(err, &typed) || typed.Kind != sources.Invalid || typed.Message != test.message {
				t.Errorf("got %+v %v, want %q", got, err, test.message)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, location := range []string{"ns/a", "ns/a:b", "ns/a:b:c", "ns/:", "", "a/b/c", "\x00/\xff:", "ns/%2e"} {
		f.Add(location)
	}
	f.Fuzz(func(t *testing.T, location string) {
		name, err := parse(location)
		if err != nil {
			if text := err.Error(); len(text) > maxMessage || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("the error is no short line: %q", text)
			}
			return
		}
		again := name.namespace + "/" + name.name
		if name.tag != "" {
			again += ":" + name.tag
		}
		if again != location || strings.ContainsAny(name.name+name.namespace+name.tag, ":/") || name.name == "" || name.namespace == "" {
			t.Errorf("%q was read as %+v", location, name)
		}
	})
}

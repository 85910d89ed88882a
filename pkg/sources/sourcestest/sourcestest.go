// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package sourcestest

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"goldenimage.dev/pkg/sources"
)

// maxMessage bounds the text of an error, in bytes: it stands in a condition and in events.
const maxMessage = 1024

// A Fixture is a source with one disk, set up anew for each test. A kind without a Resolver or
// without an Opener leaves that nil, and the tests about it do not run. What else is left zero
// has to be in Cannot.
type Fixture struct {
	Resolver sources.Resolver
	Opener   sources.Opener
	// Location of the disk with Access.
	Location string
	Access   sources.Access
	// Disk is what Opener has to yield.
	Disk []byte
	// Cannot says why the kind cannot have a case, by the name of the field of this struct that
	// is left zero for that, such as "WrongAccess".
	Cannot map[string]string

	// Missing is a location that does not exist.
	Missing string
	// WrongAccess is refused; its password must not show in an error.
	WrongAccess *sources.Access
	// Change makes Location hold something else from then on.
	Change func()

	// Faults of what the Resolver is told, until Heal. Silence takes its questions and leaves
	// them without an answer, Cut ends the answer in its middle, and Oversize sends one that is
	// larger than any true one, or endless.
	Silence, Cut, Oversize func()
	// Heal undoes them. It is needed with any of them.
	Heal func()

	// Faults of what the Opener is sent. Corrupt changes a byte of what is transferred,
	// Truncate leaves its end out, and Stall lets the transfer begin and then hang.
	Corrupt, Truncate, Stall func()
}

// A check is a part of the contract.
type check struct {
	// needs are the fields of a Fixture that it cannot do without.
	needs []string
	run   func(*testing.T, Fixture)
}

const (
	resolver = "Resolver"
	opener   = "Opener"
	missing  = "Missing"
	wrong    = "WrongAccess"
	change   = "Change"
	silence  = "Silence"
	cut      = "Cut"
	oversize = "Oversize"
	corrupt  = "Corrupt"
	truncate = "Truncate"
	stall    = "Stall"
)

func checks() map[string]check {
	return map[string]check{
		"the same content has the same revision":                 {[]string{resolver}, stable},
		"many may ask at once":                                   {[]string{resolver}, together},
		"resolving ends when it is canceled":                     {[]string{resolver}, canceledResolve},
		"what is known does not change the answer":               {[]string{resolver}, knownBefore},
		"a changed content has another revision":                 {[]string{resolver, change}, changed},
		"a location that is missing is NotFound":                 {[]string{resolver, missing}, notFound},
		"credentials that are wrong are Unauthorized":            {[]string{resolver, wrong}, unauthorized},
		"a source that is silent is Unreachable":                 {[]string{resolver, silence}, silent},
		"resolving a source that is silent ends when canceled":   {[]string{resolver, silence}, canceledSilence},
		"an answer that breaks off is an error that may go away": {[]string{resolver, cut}, cutAnswer},
		"an answer that is too large is not read to its end":     {[]string{resolver, oversize}, oversized},
		"the disk is what was put in":                            {[]string{opener}, whole},
		"opening ends when it is canceled":                       {[]string{opener}, canceledOpen},
		"a stream that was closed early can be closed":           {[]string{opener}, closedEarly},
		"a pinned location does not follow a change":             {[]string{opener, change}, pinned},
		"a corrupted transfer does not end with EOF":             {[]string{opener, corrupt}, corrupted},
		"a truncated transfer does not end with EOF":             {[]string{opener, truncate}, truncated},
		"reading ends when it is canceled":                       {[]string{opener, stall}, canceledRead},
	}
}

// Run checks the contract. setup is called once for each part of it.
func Run(t *testing.T, setup func(t *testing.T) Fixture) {
	t.Helper()
	for name, c := range checks() {
		t.Run(name, func(t *testing.T) {
			f := setup(t)
			for _, field := range c.needs {
				skip, problem := missingField(f, field)
				if problem != "" {
					t.Fatal(problem)
				}
				if skip != "" {
					t.Skip(skip)
				}
			}
			c.run(t, f)
		})
	}
}

// missingField returns why a check that needs a field of the fixture is left out, "" if it is
// there; or what is wrong with the fixture.
func missingField(f Fixture, field string) (skip, problem string) {
	zero := reflect.ValueOf(f).FieldByName(field).IsZero()
	reason, excused := f.Cannot[field]
	switch {
	case !zero && excused:
		return "", "the fixture has " + field + " and says in Cannot that there can be none"
	case !zero:
		return "", ""
	case field == resolver || field == opener:
		return "the kind has no " + field, ""
	case reason == "":
		return "", "the fixture lacks " + field + ": set it, or say in Cannot why the kind cannot have it"
	}
	return "the kind cannot have " + field + ": " + reason, ""
}

// wantKind checks an error's type, and that its text can be shown to the user.
func wantKind(t *testing.T, err error, want ...sources.Kind) {
	t.Helper()
	typed, ok := errors.AsType[*sources.Error](err)
	if !ok {
		t.Errorf("got %v, which is no sources.Error", err)
		return
	}
	found := false
	for _, kind := range want {
		found = found || typed.Kind == kind
	}
	if !found {
		t.Errorf("got kind %s, want %s: %v", typed.Kind, want, err)
	}
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	if text := err.Error(); text == "" || len(text) > maxMessage || strings.ContainsFunc(text, unprintable) {
		t.Errorf("message %.2000q is empty, longer than %d bytes, or not one printable line", text, maxMessage)
	}
}

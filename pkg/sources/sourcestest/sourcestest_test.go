// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package sourcestest

import (
	"reflect"
	"strings"
	"testing"
)

func TestWhatAKindLacksIsSaid(t *testing.T) {
	for name, test := range map[string]struct {
		fixture       Fixture
		field         string
		skip, problem string
	}{
		"what is there":                       {fixture: Fixture{Missing: "a"}, field: missing},
		"a kind without a Resolver":           {field: resolver, skip: "no Resolver"},
		"a kind without an Opener":            {field: opener, skip: "no Opener"},
		"what is forgotten":                   {field: wrong, problem: "lacks WrongAccess"},
		"what is left out without a reason":   {fixture: Fixture{Cannot: map[string]string{wrong: ""}}, field: wrong, problem: "lacks WrongAccess"},
		"what cannot be":                      {fixture: Fixture{Cannot: map[string]string{wrong: "it is public"}}, field: wrong, skip: "it is public"},
		"what is there and cannot be at once": {fixture: Fixture{Missing: "a", Cannot: map[string]string{missing: "never"}}, field: missing, problem: "there can be none"},
	} {
		t.Run(name, func(t *testing.T) {
			skip, problem := missingField(test.fixture, test.field)
			if (skip == "") != (test.skip == "") || !strings.Contains(skip, test.skip) {
				t.Errorf("skips with %q, want %q", skip, test.skip)
			}
			if (problem == "") != (test.problem == "") || !strings.Contains(problem, test.problem) {
				t.Errorf("problem %q, want %q", problem, test.problem)
			}
		})
	}
}

func TestEachNeedIsAField(t *testing.T) {
	for name, c := range checks() {
		for _, field := range c.needs {
			if _, ok := reflect.TypeFor[Fixture]().FieldByName(field); !ok {
				t.Errorf("%s needs %s, which is no field", name, field)
			}
		}
	}
}

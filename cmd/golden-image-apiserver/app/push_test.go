// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import "testing"

func TestPushOptions(t *testing.T) {
	for name, test := range map[string]struct {
		options pushOptions
		wrong   int
	}{
		"off needs no Secret":         {options: pushOptions{}},
		"on with a Secret":            {options: pushOptions{Port: 8444, Secret: "s"}},
		"on without a Secret":         {options: pushOptions{Port: 8444}, wrong: 1},
		"a port that there is not":    {options: pushOptions{Port: 70000, Secret: "s"}, wrong: 1},
		"a port below any, no Secret": {options: pushOptions{Port: -1}, wrong: 2},
	} {
		t.Run(name, func(t *testing.T) {
			if errs := test.options.Validate(); len(errs) != test.wrong {
				t.Errorf("got %v, want %d errors", errs, test.wrong)
			}
		})
	}
}

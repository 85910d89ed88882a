// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package sources

import (
	"strings"
	"testing"
)

func TestParseHeader(t *testing.T) {
	tests := map[string]struct {
		line, name, value string
		bad               bool
	}{
		"a header":                   {line: "x-token: abc", name: "X-Token", value: "abc"},
		"a colon in the value":       {line: "Authorization: Basic a:b", name: "Authorization", value: "Basic a:b"},
		"a line end, as echo makes":  {line: "X-A: b\r\n", name: "X-A", value: "b"},
		"no blank":                   {line: "X-A:b", name: "X-A", value: "b"},
		"an empty value":             {line: "X-A:", name: "X-A"},
		"no colon":                   {line: "hunter2", bad: true},
		"no name":                    {line: ": hunter2", bad: true},
		"a blank in the name":        {line: "X A: hunter2", bad: true},
		"a letter that is no ASCII":  {line: "Ä: hunter2", bad: true},
		"a second line in the value": {line: "X-A: b\r\nhunter2: c", bad: true},
		"a value that has no end":    {line: "X-A: " + strings.Repeat("hunter2", maxHeader), bad: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			name, value, err := ParseHeader(test.line)
			if name != test.name || value != test.value || (err != nil) != test.bad {
				t.Errorf("got %q %q %v", name, value, err)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error %q repeats the line", err)
			}
		})
	}
}

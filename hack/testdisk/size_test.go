// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSizeSet(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want size // 0 = refused
	}{
		"plain bytes":                      {text: "512", want: 512},
		"a binary suffix":                  {text: "96Mi", want: 96 << 20},
		"the largest":                      {text: "1024Gi", want: 1 << 40},
		"more than the largest is refused": {text: "1025Gi"},
		"an overflow is refused":           {text: "9223372036854775807Gi"},
		"zero is refused":                  {text: "0"},
		"a negative number is refused":     {text: "-1Ki"},
		"a decimal suffix is refused":      {text: "1G"},
		"an empty text is refused":         {text: ""},
	} {
		t.Run(name, func(t *testing.T) {
			var got size
			err := got.Set(test.text)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("size (-want +got):\n%s", diff)
			}
			if (err != nil) != (test.want == 0) {
				t.Errorf("error = %v", err)
			}
		})
	}
}

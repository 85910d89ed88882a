// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"goldenimage.dev/pkg/apis/cdi"
)

func TestValidateHeaders(t *testing.T) {
	const malformed = "header is not valid: give one line of the form Name: value"
	for name, test := range map[string]struct {
		source cdi.DataVolumeSourceHTTP
		want   []fault
	}{
		"none":                      {},
		"a header":                  {cdi.DataVolumeSourceHTTP{ExtraHeaders: []string{"X-Token: a: b", "X-Empty:", "x:\ty"}}, nil},
		"no colon":                  {cdi.DataVolumeSourceHTTP{ExtraHeaders: []string{"X-A: b", "hunter2"}}, []fault{invalid("http.extraHeaders[1]", malformed)}},
		"no name":                   {cdi.DataVolumeSourceHTTP{ExtraHeaders: []string{": hunter2"}}, []fault{invalid("http.extraHeaders[0]", malformed)}},
		"a blank in the name":       {cdi.DataVolumeSourceHTTP{ExtraHeaders: []string{"X A: hunter2"}}, []fault{invalid("http.extraHeaders[0]", malformed)}},
		"a second header in it":     {cdi.DataVolumeSourceHTTP{ExtraHeaders: []string{"X-A: b\r\nHost: hunter2"}}, []fault{invalid("http.extraHeaders[0]", malformed)}},
		"a line end behind it":      {cdi.DataVolumeSourceHTTP{ExtraHeaders: []string{"X-A: hunter2\n"}}, []fault{invalid("http.extraHeaders[0]", malformed)}},
		"one that is long":          {cdi.DataVolumeSourceHTTP{ExtraHeaders: []string{"X-A: " + strings.Repeat("b", maxHeaderLength)}}, []fault{invalid("http.extraHeaders[0]", "header is not valid: it is longer than 8192 bytes")}},
		"many headers":              {cdi.DataVolumeSourceHTTP{ExtraHeaders: slices.Repeat([]string{"X-A: b"}, maxHeaders)}, nil},
		"many Secrets":              {cdi.DataVolumeSourceHTTP{SecretExtraHeaders: slices.Repeat([]string{"a"}, maxHeaderSecrets)}, nil},
		"a URL that cannot be read": {cdi.DataVolumeSourceHTTP{URL: "images.example/disk"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			errs := validateFile(&test.source, field.NewPath("http"))
			compare(t, test.want, errs)
			if text := fmt.Sprint(errs); strings.Contains(text, "hunter2") {
				t.Errorf("%v repeats a header", errs)
			}
		})
	}
}

func TestTooManyHeaders(t *testing.T) {
	errs := validateFile(&cdi.DataVolumeSourceHTTP{
		ExtraHeaders: slices.Repeat([]string{"X-A: b"}, maxHeaders+1), SecretExtraHeaders: slices.Repeat([]string{"a"}, maxHeaderSecrets+1),
	}, field.NewPath("http"))
	if len(errs) != 2 || errs[0].Type != field.ErrorTypeTooMany || errs[1].Type != field.ErrorTypeTooMany {
		t.Errorf("got %v", errs)
	}
}

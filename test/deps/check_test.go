// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package deps

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMatch(t *testing.T) {
	for name, test := range map[string]struct {
		pattern, path string
		want          bool
	}{
		"the same":                     {"pkg/disk", "pkg/disk", true},
		"another":                      {"pkg/disk", "pkg/disks", false},
		"one below":                    {"pkg/disk", "pkg/disk/raw", false},
		"one element":                  {"pkg/sources/*", "pkg/sources/oci", true},
		"one element is not none":      {"pkg/sources/*", "pkg/sources", false},
		"one element is not two":       {"pkg/sources/*", "pkg/sources/oci/internal", false},
		"any number is none":           {"pkg/disk/**", "pkg/disk", true},
		"any number is two":            {"pkg/disk/**", "pkg/disk/a/b", true},
		"any number is not another":    {"pkg/disk/**", "pkg/disks", false},
		"any number in front":          {"**/fake", "k8s.io/client-go/kubernetes/fake", true},
		"any number in front, another": {"**/fake", "a/faker", false},
		"everything":                   {"**", "a/b", true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := match(test.pattern, test.path); got != test.want {
				t.Errorf("match(%q, %q) is %v", test.pattern, test.path, got)
			}
		})
	}
}

func TestCheckFindsWhatIsForbidden(t *testing.T) {
	g := graph{
		"goldenimage.dev/pkg/a":          {imports: []string{"fmt", "goldenimage.dev/pkg/a/internal", "goldenimage.dev/pkg/b", "k8s.io/api/core/v1"}},
		"goldenimage.dev/pkg/a/internal": {imports: []string{"fmt"}},
		"goldenimage.dev/pkg/b":          {imports: []string{"goldenimage.dev/pkg/c"}},
		"goldenimage.dev/pkg/c":          {imports: []string{"k8s.io/client-go/rest"}},
		"k8s.io/client-go/rest":          {},
		"k8s.io/api/core/v1":             {},
		"fmt":                            {standard: true},
	}
	for name, test := range map[string]struct {
		rule rule
		want []string
	}{
		"everything is allowed":          {rule{}, nil},
		"all that is imported is listed": {rule{direct: []string{"std", "pkg/b", "k8s.io/api/**"}}, nil},
		"one import is not listed": {rule{direct: []string{"std", "k8s.io/**"}},
			[]string{"pkg/a imports pkg/b: it may import [std k8s.io/**] alone"}},
		"an import is forbidden":                   {rule{never: []string{"pkg/*"}}, []string{"pkg/a imports pkg/b, which is forbidden"}},
		"its own packages are not":                 {rule{never: []string{"ours"}, except: []string{"pkg/b"}}, nil},
		"what others import is not the own import": {rule{never: []string{"k8s.io/client-go/**"}}, nil},
		"what is reached by way of others is in the way": {rule{reach: []string{"k8s.io/client-go/**"}},
			[]string{"pkg/a reaches k8s.io/client-go/rest, which is forbidden: pkg/a → pkg/b → pkg/c → k8s.io/client-go/rest"}},
		"what is excepted may be reached": {rule{reach: []string{"pkg/*"}, except: []string{"pkg/b"}},
			[]string{"pkg/a reaches pkg/c, which is forbidden: pkg/a → pkg/b → pkg/c"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, g.check("pkg/a", test.rule)); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

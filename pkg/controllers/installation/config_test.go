// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package installation

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

func list(cpu, memory string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}
}

func TestConfigStatus(t *testing.T) {
	type shares = map[string]v1beta1.Percent
	for name, test := range map[string]struct {
		spec    v1beta1.CDIConfigSpec
		classes []string
		want    func(*v1beta1.CDIConfigStatus)
	}{
		"nothing was set": {classes: []string{"a", "b"}, want: func(s *v1beta1.CDIConfigStatus) {
			s.FilesystemOverhead.StorageClass = shares{"a": "0.06", "b": "0.06"}
		}},
		"there are no classes": {want: func(*v1beta1.CDIConfigStatus) {}},
		"the share of a class, and of one that does not exist": {
			spec:    v1beta1.CDIConfigSpec{FilesystemOverhead: &v1beta1.FilesystemOverhead{StorageClass: shares{"a": "0.1", "gone": "0.2"}}},
			classes: []string{"a", "b"},
			want:    func(s *v1beta1.CDIConfigStatus) { s.FilesystemOverhead.StorageClass = shares{"a": "0.1", "b": "0.06"} },
		},
		"the share of all classes, and of one": {
			spec:    v1beta1.CDIConfigSpec{FilesystemOverhead: &v1beta1.FilesystemOverhead{Global: "0", StorageClass: shares{"a": "1"}}},
			classes: []string{"a", "b"},
			want: func(s *v1beta1.CDIConfigStatus) {
				s.FilesystemOverhead.Global, s.FilesystemOverhead.StorageClass = "0", shares{"a": "1", "b": "0"}
			},
		},
		"shares that are none": {
			spec:    v1beta1.CDIConfigSpec{FilesystemOverhead: &v1beta1.FilesystemOverhead{Global: "1.5", StorageClass: shares{"a": "0.0001"}}},
			classes: []string{"a"},
			want:    func(s *v1beta1.CDIConfigStatus) { s.FilesystemOverhead.StorageClass = shares{"a": "0.06"} },
		},
		"preallocation, pull secrets and the upload proxy": {
			spec: v1beta1.CDIConfigSpec{
				Preallocation: new(true), ImagePullSecrets: []corev1.LocalObjectReference{{Name: "pull"}}, UploadProxyURLOverride: new("https://u:p@uploads.example"),
			},
			want: func(s *v1beta1.CDIConfigStatus) {
				s.Preallocation, s.ImagePullSecrets, s.UploadProxyURL = true, []corev1.LocalObjectReference{{Name: "pull"}}, new("https://uploads.example")
			},
		},
		"scratch space is not used": {
			spec: v1beta1.CDIConfigSpec{ScratchSpaceStorageClass: new("fast")}, want: func(*v1beta1.CDIConfigStatus) {},
		},
		"a proxy with passwords": {
			spec: v1beta1.CDIConfigSpec{ImportProxy: &v1beta1.ImportProxy{
				HTTPProxy: new("http://user:pass@proxy:3128"), HTTPSProxy: new("https://proxy:3129"), NoProxy: new("a@b,c"), TrustedCAProxy: new("ca"),
			}},
			want: func(s *v1beta1.CDIConfigStatus) {
				s.ImportProxy = &v1beta1.ImportProxy{
					HTTPProxy: new("http://proxy:3128"), HTTPSProxy: new("https://proxy:3129"), NoProxy: new("a@b,c"), TrustedCAProxy: new("ca"),
				}
			},
		},
		"a limit that was set": {
			spec: v1beta1.CDIConfigSpec{PodResourceRequirements: &corev1.ResourceRequirements{
				Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("2G"), corev1.ResourceEphemeralStorage: resource.MustParse("1G")},
			}},
			want: func(s *v1beta1.CDIConfigStatus) {
				s.DefaultPodResourceRequirements.Limits = list("750m", "2G")
				s.DefaultPodResourceRequirements.Limits[corev1.ResourceEphemeralStorage] = resource.MustParse("1G")
			},
		},
		"a request above the limit that is usual": {
			spec: v1beta1.CDIConfigSpec{PodResourceRequirements: &corev1.ResourceRequirements{Requests: list("1", "1G")}},
			want: func(s *v1beta1.CDIConfigStatus) {
				s.DefaultPodResourceRequirements = &corev1.ResourceRequirements{Requests: list("1", "1G"), Limits: list("1", "1G")}
			},
		},
		"a limit below the request that is usual": {
			spec: v1beta1.CDIConfigSpec{PodResourceRequirements: &corev1.ResourceRequirements{Limits: list("50m", "30M")}},
			want: func(s *v1beta1.CDIConfigStatus) {
				s.DefaultPodResourceRequirements = &corev1.ResourceRequirements{Requests: list("50m", "30M"), Limits: list("50m", "30M")}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := v1beta1.CDIConfigStatus{
				FilesystemOverhead:             &v1beta1.FilesystemOverhead{Global: "0.06", StorageClass: shares{}},
				DefaultPodResourceRequirements: &corev1.ResourceRequirements{Requests: list("100m", "60M"), Limits: list("750m", "600M")},
			}
			test.want(&want)
			if diff := cmp.Diff(want, configStatus(&test.spec, test.classes, "0.06")); diff != "" {
				t.Errorf("status (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPercent(t *testing.T) {
	for share, want := range map[float64]v1beta1.Percent{0: "0", 0.06: "0.06", 0.07: "0.07", 0.055: "0.055", 0.0625: "0.063", 0.9999: "1", 0.5: "0.5"} {
		if got := percent(share); got != want || valid(got) == "" {
			t.Errorf("%v is %s, want %s", share, got, want)
		}
	}
}

func TestPublic(t *testing.T) {
	for address, want := range map[string]string{
		"http://proxy:3128":               "http://proxy:3128",
		"http://user@proxy":               "http://proxy",
		"http://user:pass@proxy:3128/x":   "http://proxy:3128/x",
		"http://user:p@ss@proxy":          "http://proxy",
		"http://user:p/ss?#@proxy":        "http://proxy",
		"http://user:://@proxy":           "http://proxy",
		"user:pass@proxy:3128":            "proxy:3128",
		"http://user:p%zz@proxy":          "http://proxy",
		"":                                "",
		"socks5://user:http://x@proxy:80": "socks5://proxy:80",
	} {
		if got := *public(&address); got != want {
			t.Errorf("%s is shown as %s, want %s", address, got, want)
		}
	}
}

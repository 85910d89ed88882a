// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/test/gen"
)

func sized(size string, block bool, disk string) *corev1.PersistentVolumeClaim {
	claim := filling("src", gen.Namespace, block)
	claim.Spec.Resources.Requests[corev1.ResourceStorage] = resource.MustParse(size)
	if disk != "" {
		claim.Annotations = map[string]string{v1beta1.AnnVirtualSize: disk}
	}
	return claim
}

func TestSizes(t *testing.T) {
	grown := sized("1Gi", true, "")
	grown.Status.Capacity = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("2Gi")}
	tests := map[string]struct {
		asked  string
		pvc    bool
		block  bool
		source *corev1.PersistentVolumeClaim
		want   string
		// problem is the reason, "" for none.
		problem string
	}{
		"a disk on a file system":                          {asked: "5Gi", want: "5690831668"},
		"a disk of no whole mebibyte":                      {asked: "1048577", want: "2222982"},
		"a disk on a device":                               {asked: "5Gi", block: true, want: "5Gi"},
		"a claim as it was asked for":                      {asked: "5Gi", pvc: true, want: "5Gi"},
		"a clone of a known disk":                          {source: sized("6Gi", false, "5368709120"), want: "5690831668"},
		"a clone of a known disk to a device":              {source: sized("6Gi", false, "5368709120"), block: true, want: "5Gi"},
		"a clone of an unknown file system":                {source: sized("6Gi", false, ""), want: "6Gi"},
		"a clone of an unknown file system to a device":    {source: sized("6Gi", false, "no number"), block: true, want: "6Gi"},
		"a clone of a device":                              {source: grown, block: true, want: "2Gi"},
		"a clone of a device to a file system":             {source: grown, want: "2276332667"},
		"a clone that is as large as the disk":             {asked: "5Gi", source: sized("6Gi", false, "5368709120"), want: "5690831668"},
		"a clone that is smaller than the disk":            {asked: "4Gi", source: sized("6Gi", false, "5368709120"), want: "4552665334", problem: "VolumeTooSmall"},
		"a clone that is smaller than the device":          {asked: "1Gi", block: true, source: grown, want: "1Gi", problem: "VolumeTooSmall"},
		"a clone as large as the unknown file system":      {asked: "5Gi", source: sized("5690831668", false, ""), want: "5690831668"},
		"a clone smaller than the unknown file system":     {asked: "5Gi", source: sized("6Gi", false, ""), want: "5690831668", problem: "VolumeTooSmall"},
		"a clone of a smaller disk than was asked to have": {asked: "10Gi", block: true, source: sized("6Gi", false, "5368709120"), want: "10Gi"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			mode := corev1.PersistentVolumeFilesystem
			if tc.block {
				mode = corev1.PersistentVolumeBlock
			}
			resources := corev1.VolumeResourceRequirements{}
			if tc.asked != "" {
				resources.Requests = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(tc.asked)}
			}
			in := &input{source: tc.source, volume: importVolume("csi", func(dv *v1beta1.DataVolume) {
				dv.Spec.Storage.Resources, dv.Spec.Storage.VolumeMode = resources, &mode
				if tc.pvc {
					dv.Spec.Storage, dv.Spec.PVC = nil, &corev1.PersistentVolumeClaimSpec{Resources: resources, VolumeMode: &mode}
				}
			})}
			want := resource.MustParse(tc.want)
			if got := claimSize(in, mode, 0.06); got != want.Value() {
				t.Errorf("claim of %d, want %d", got, want.Value())
			}
			if tc.source == nil {
				return
			}
			p, err := asProblem(fits(in, mode, 0.06))
			if err != nil {
				t.Fatal(err)
			}
			if got := reasonOf(p); got != tc.problem {
				t.Errorf("problem %q, want %q", got, tc.problem)
			}
		})
	}
}

func reasonOf(p *problem) string {
	if p == nil {
		return ""
	}
	return p.reason
}

func TestDefaultClass(t *testing.T) {
	mark := func(name string, age time.Duration, annotations ...string) *storagev1.StorageClass {
		c := class(name, "csi.example", false)
		c.CreationTimestamp = metav1.NewTime(gen.Epoch().Add(-age))
		c.Annotations = map[string]string{}
		for _, annotation := range annotations {
			c.Annotations[annotation] = "true"
		}
		return c
	}
	tests := map[string]struct {
		all  []*storagev1.StorageClass
		virt bool
		want string
	}{
		"none":                        {all: []*storagev1.StorageClass{mark("a", 0)}},
		"the cluster's":               {all: []*storagev1.StorageClass{mark("a", 0), mark("b", 0, annDefaultClass)}, virt: true, want: "b"},
		"the one for machines first":  {all: []*storagev1.StorageClass{mark("a", 0, annDefaultClass), mark("b", 0, annDefaultVirtClass)}, virt: true, want: "b"},
		"not for a claim as it is":    {all: []*storagev1.StorageClass{mark("a", 0, annDefaultClass), mark("b", 0, annDefaultVirtClass)}, want: "a"},
		"the newest of several":       {all: []*storagev1.StorageClass{mark("a", time.Hour, annDefaultClass), mark("b", time.Minute, annDefaultClass)}, want: "b"},
		"by name if of the same time": {all: []*storagev1.StorageClass{mark("b", 0, annDefaultClass), mark("a", 0, annDefaultClass)}, want: "a"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := defaultClass(tc.all, tc.virt)
			if p, other := asProblem(err); other != nil || (p == nil) != (tc.want != "") {
				t.Errorf("error %v", err)
			}
			if name := ptr.Deref(got, storagev1.StorageClass{}).Name; name != tc.want {
				t.Errorf("got %q, want %q", name, tc.want)
			}
		})
	}
}

func TestChosenMethod(t *testing.T) {
	csi, plain := class("csi", "csi.example", false), class("plain", "plain.example", false)
	annotated := func(value string) func(*v1beta1.DataVolume) {
		return func(dv *v1beta1.DataVolume) { dv.Annotations[annUsePopulator] = value }
	}
	tests := map[string]struct {
		in   input
		csi  bool
		want string
	}{
		"a CSI driver":                         {in: input{volume: importVolume("csi"), home: gen.Namespace, class: csi}, csi: true, want: "hand-over early"},
		"another provisioner":                  {in: input{volume: importVolume("plain"), home: gen.Namespace, class: plain}, want: "direct early"},
		"no class":                             {in: input{volume: importVolume(""), home: gen.Namespace}, want: "direct early"},
		"across, a CSI driver":                 {in: input{volume: importVolume("csi"), home: "os-images", class: csi}, csi: true, want: "hand-over early"},
		"across, another provisioner":          {in: input{volume: importVolume("plain"), home: "os-images", class: plain}, want: "hand-over late"},
		"a CSI driver, as annotated":           {in: input{volume: importVolume("csi", annotated("false")), home: gen.Namespace, class: csi}, csi: true, want: "direct early"},
		"another provisioner, as annotated":    {in: input{volume: importVolume("plain", annotated("true")), home: gen.Namespace, class: plain}, want: "hand-over late"},
		"a CSI driver, but a volume was named": {in: input{volume: importVolume("csi", func(dv *v1beta1.DataVolume) { dv.Spec.Storage.VolumeName = "pv" }), home: gen.Namespace, class: csi}, csi: true, want: "direct early"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			m, err := choose(&tc.in, tc.csi)
			if err != nil {
				t.Fatal(err)
			}
			got := m.name + " late"
			if m.early {
				got = m.name + " early"
			}
			if got != tc.want || m.reason == "" {
				t.Errorf("got %s (%s), want %s", got, m.reason, tc.want)
			}
		})
	}
}

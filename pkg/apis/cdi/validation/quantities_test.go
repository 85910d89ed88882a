// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"goldenimage.dev/pkg/apis/cdi"
)

// These quantities are a few characters long, and would keep the server busy for hours if it
// compared them with anything.
func TestAbsurdQuantitiesAreToldAtOnce(t *testing.T) {
	const huge = "1e999999999"
	list := func(quantity string) corev1.ResourceList {
		return corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(quantity)}
	}
	const path = "spec.storage.resources."
	tooLarge := invalid(path+"requests.storage", "Storage size is larger than any volume: at most 4Ei is accepted")
	for name, test := range map[string]struct {
		resources corev1.VolumeResourceRequirements
		want      []fault
	}{
		"a size":                       {corev1.VolumeResourceRequirements{Requests: list(huge)}, []fault{tooLarge}},
		"a size below 0":               {corev1.VolumeResourceRequirements{Requests: list("-" + huge)}, []fault{invalid(path+"requests.storage", "Storage size can't be equal or less than zero: give one such as 10Gi")}},
		"nothing, at size":             {corev1.VolumeResourceRequirements{Requests: list("0e999999999")}, []fault{invalid(path+"requests.storage", "Storage size can't be equal or less than zero: give one such as 10Gi")}},
		"a limit":                      {corev1.VolumeResourceRequirements{Requests: list("5Gi"), Limits: list(huge)}, []fault{invalid(path+"limits.storage", "the limit is larger than any volume: leave it out")}},
		"a size, and its limit is not": {corev1.VolumeResourceRequirements{Requests: list(huge), Limits: list("5Gi")}, []fault{tooLarge}},
		"both":                         {corev1.VolumeResourceRequirements{Requests: list(huge), Limits: list("2e999999999")}, []fault{tooLarge, invalid(path+"limits.storage", "the limit is larger than any volume: leave it out")}},
		"just below what is absurd":    {corev1.VolumeResourceRequirements{Requests: list("1e40")}, []fault{tooLarge}},
		"just above":                   {corev1.VolumeResourceRequirements{Requests: list("1e41")}, []fault{tooLarge}},
	} {
		t.Run(name, func(t *testing.T) {
			volume := fedoraImport()
			volume.Spec.Storage.Resources = test.resources
			quick(t, func() {
				compare(t, test.want, ValidateDataVolume(volume))
				if diff := cmp.Diff([]string(nil), WarningsForDataVolume(volume)); diff != "" {
					t.Errorf("warnings (-want +got):\n%s", diff)
				}
			})
		})
	}
	t.Run("what pods are given", func(t *testing.T) {
		config := theConfig()
		config.Spec = cdi.CDIConfigSpec{PodResourceRequirements: &corev1.ResourceRequirements{Requests: list(huge), Limits: list("1")}}
		quick(t, func() {
			compare(t, []fault{invalid("spec.podResourceRequirements.requests[storage]", "is more than any cluster has")}, ValidateCDIConfig(config))
		})
		config.Spec.PodResourceRequirements = &corev1.ResourceRequirements{Requests: list("1"), Limits: list(huge)}
		quick(t, func() {
			compare(t, []fault{invalid("spec.podResourceRequirements.limits[storage]", "is more than any cluster has")}, ValidateCDIConfig(config))
		})
	})
}

// quick fails unless something is done soon. It is given far more time than it needs.
func quick(t *testing.T, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); do() }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("it takes too long")
	}
}

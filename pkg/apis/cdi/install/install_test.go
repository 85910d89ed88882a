// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"k8s.io/apimachinery/pkg/api/apitesting/roundtrip"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"

	"goldenimage.dev/pkg/apis/cdi"
	"goldenimage.dev/pkg/apis/cdi/fuzzer"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

func TestRoundTripOfAllKinds(t *testing.T) {
	roundtrip.RoundTripTestForAPIGroup(t, Install, fuzzer.Funcs)
}

// TestRoundTripByWayOfMaps reads and writes objects as server-side apply and clients without
// types do, in JSON and CBOR.
func TestRoundTripByWayOfMaps(t *testing.T) {
	scheme := runtime.NewScheme()
	Install(scheme)
	others := sets.New[schema.GroupVersionKind]()
	for kind := range scheme.AllKnownTypes() {
		if kind.Group != cdi.GroupName || isMeta(kind.Kind) {
			others.Insert(kind)
		}
	}
	roundtrip.RoundtripToUnstructured(t, scheme, fuzzer.Funcs, others, nil)
}

func TestInstallRegistersTheSameKindsInBothVersions(t *testing.T) {
	scheme := runtime.NewScheme()
	Install(scheme)
	want := []string{
		"CDI", "CDIConfig", "CDIConfigList", "CDIList",
		"DataImportCron", "DataImportCronList", "DataImportCronTrigger", "DataSource", "DataSourceList", "DataVolume", "DataVolumeList",
		"ObjectTransfer", "ObjectTransferList", "StorageProfile", "StorageProfileList",
		"VolumeCloneSource", "VolumeCloneSourceList", "VolumeImportSource", "VolumeImportSourceList",
		"VolumeUploadSource", "VolumeUploadSourceList",
	}
	for name, version := range map[string]schema.GroupVersion{"internal": cdi.SchemeGroupVersion, "v1beta1": v1beta1.SchemeGroupVersion} {
		t.Run(name, func(t *testing.T) {
			kinds := slices.DeleteFunc(slices.Sorted(maps.Keys(scheme.KnownTypes(version))), isMeta)
			if diff := cmp.Diff(want, kinds); diff != "" {
				t.Errorf("kinds (-want +got):\n%s", diff)
			}
		})
	}
	if got := scheme.PrioritizedVersionsForGroup(cdi.GroupName); len(got) != 1 || got[0] != v1beta1.SchemeGroupVersion {
		t.Errorf("versions %v, want v1beta1 alone", got)
	}
}

// isMeta tells whether a kind belongs to the API machinery, which adds its own to each group.
func isMeta(kind string) bool {
	return strings.HasSuffix(kind, "Options") || strings.HasSuffix(kind, "Event")
}

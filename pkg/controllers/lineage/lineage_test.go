// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package lineage

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	listers "goldenimage.dev/pkg/generated/listers/cdi/v1beta1"
	"goldenimage.dev/test/gen"
)

func TestTravels(t *testing.T) {
	for key, want := range map[string]bool{
		"kubevirt.io/dynamic-credentials-support":        true,
		"instancetype.kubevirt.io/default-instancetype":  true,
		"cdi.kubevirt.io/storage.import.datasource-name": true,
		"cdi.kubevirt.io/dataImportCron":                 false,
		"cdi.kubevirt.io/dataImportCron.cleanup":         false,
		"cdi.kubevirt.io/dataVolumeUID":                  false,
		"notkubevirt.io/x":                               false,
		"kubevirt.io.example.com/x":                      false,
		"app.kubernetes.io/name":                         false,
		"kubevirt.io":                                    false,
		"kubevirt.io/":                                   false,
		"team":                                           false,
	} {
		if got := Travels(key); got != want {
			t.Errorf("%s travels: %t", key, got)
		}
	}
}

func TestLabels(t *testing.T) {
	cron := gen.DataImportCron("cron", gen.WithLabel("kubevirt.io/a", "1"), gen.WithLabel("team", "os"), gen.OfCron("parent"))
	want := map[string]string{"kubevirt.io/a": "1", v1beta1.LabelDataImportCron: "cron", v1beta1.LabelApp: v1beta1.LabelAppValue}
	if diff := cmp.Diff(want, Labels(cron)); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	gen.RetainNone()(cron)
	want[v1beta1.LabelDataImportCronCleanup] = "true"
	if diff := cmp.Diff(want, Labels(cron)); diff != "" {
		t.Errorf("labels of what is not retained (-want +got):\n%s", diff)
	}
}

func lost(claim *corev1.PersistentVolumeClaim) *corev1.PersistentVolumeClaim {
	claim.Status.Phase = corev1.ClaimLost
	return claim
}

func TestComplete(t *testing.T) {
	succeeded, working := gen.DataVolume("x", gen.InPhase(v1beta1.Succeeded)), gen.DataVolume("x", gen.InPhase(v1beta1.ImportInProgress))
	filling := gen.WithAnnotation(v1beta1.AnnPopulationMethod, v1beta1.MethodDirect)
	for name, test := range map[string]struct {
		volume *v1beta1.DataVolume
		claim  *corev1.PersistentVolumeClaim
		want   bool
	}{
		"nothing":                         {nil, nil, false},
		"a DataVolume without its claim":  {succeeded, nil, false},
		"an import":                       {succeeded, gen.Claim("x", gen.Populated()), true},
		"an import that is being deleted": {succeeded, gen.Claim("x", gen.Populated(), gen.BeingDeleted()), false},
		"an import in progress":           {working, gen.Claim("x", gen.Bound(), filling), false},
		"a populated claim of a DataVolume that is not done": {working, gen.Claim("x", gen.Populated()), false},
		"an import whose volume is lost":                     {succeeded, lost(gen.Claim("x", gen.Populated())), false},
		"a populated claim":                                  {nil, gen.Claim("x", gen.Populated()), true},
		"a claim that was not populated":                     {nil, gen.Claim("x", gen.Bound(), filling), false},
		"a bound claim of somebody else":                     {nil, gen.Claim("x", gen.Bound()), true},
		"a pending claim of somebody else":                   {nil, gen.Claim("x"), false},
		"a bound claim that goes with a DataVolume":          {nil, gen.Claim("x", gen.Bound(), gen.OwnedBy(working)), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Complete(test.volume, test.claim); got != test.want {
				t.Errorf("complete: %t", got)
			}
		})
	}
}

func TestCronsOfClaim(t *testing.T) {
	index := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	if err := index.Add(gen.DataVolume("x", gen.OfCron("cron"))); err != nil {
		t.Fatal(err)
	}
	crons := CronsOfClaim(listers.NewDataVolumeLister(index))
	key := []types.NamespacedName{{Namespace: gen.Namespace, Name: "cron"}}
	for name, test := range map[string]struct {
		obj  any
		want []types.NamespacedName
	}{
		"a claim with a label":              {gen.Claim("y", gen.OfCron("cron")), key},
		"a claim of a DataVolume with one":  {gen.Claim("x"), key},
		"a claim of nobody":                 {gen.Claim("y"), nil},
		"something that is not even a meta": {"x", nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, crons(test.obj)); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
		})
	}
}

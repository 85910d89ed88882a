// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package retention

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/clock"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/test/bubble"
	"goldenimage.dev/test/gen"
)

func start(t *testing.T, objects ...runtime.Object) *bubble.World {
	t.Helper()
	w := bubble.New(t, objects...)
	c, err := New(Config{
		Client: w.CDI, Kube: w.Kube,
		Crons:    w.CDIInformers.Cdi().V1beta1().DataImportCrons(),
		Volumes:  w.CDIInformers.Cdi().V1beta1().DataVolumes(),
		Sources:  w.CDIInformers.Cdi().V1beta1().DataSources(),
		Claims:   w.KubeInformers.Core().V1().PersistentVolumeClaims(),
		Recorder: w.Recorder, Clock: clock.RealClock{},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Start(c.Run)
	return w
}

// imports returns complete imports i0 to i4, of which i4 was current last.
func imports(more ...gen.Modifier) []runtime.Object {
	var objects []runtime.Object
	for i, name := range []string{"i0", "i1", "i2", "i3", "i4"} {
		used := gen.LastUsed(time.Now().Add(time.Duration(i-100) * time.Hour))
		volume := gen.DataVolume(name, append(modifiers{gen.OfCron(cronName), gen.InPhase(v1beta1.Succeeded)}, more...)...)
		objects = append(objects, volume, gen.Claim(name, append(modifiers{gen.OfCron(cronName), gen.OwnedBy(volume), gen.Populated(), used}, more...)...))
	}
	return objects
}

func publishing(more ...gen.Modifier) runtime.Object {
	return gen.DataImportCron(cronName, append(modifiers{gen.Desires(gen.Digest("a")), gen.Imports("i4", gen.Digest("a")), gen.Published("i4")}, more...)...)
}

// left returns the names of the claims that there are.
func left(t *testing.T, w *bubble.World) string {
	t.Helper()
	w.Settle()
	list, err := w.Kube.CoreV1().PersistentVolumeClaims(gen.Namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for i := range list.Items {
		names = append(names, list.Items[i].Name)
	}
	return strings.Join(names, " ")
}

func TestOutdatedImportsAreDeletedWithTheirVolumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, append(imports(), publishing())...)
		if got := left(t, w); got != "i2 i3 i4" {
			t.Errorf("left are %s", got)
		}
		if w.Volume("i0") != nil || w.Volume("i2") == nil {
			t.Error("DataVolumes do not go with their claims")
		}
		want := []string{
			"Normal ImportDeleted Deleted import i0: newer imports are kept", "Normal ImportDeleted Deleted import i1: newer imports are kept",
		}
		got := w.Events()
		if len(got) == 2 && got[0] > got[1] {
			got[0], got[1] = got[1], got[0]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		w.UpdateCron(cronName, gen.ImportsToKeep(0))
		if got := left(t, w); got != "i4" {
			t.Errorf("left are %s", got)
		}
	})
}

func TestAdoptedClaimsAreDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old := gen.Claim("old", gen.OfCron(cronName), gen.Bound(), gen.LastUsed(time.Now().Add(-1000*time.Hour)))
		// Its DataVolume is there, but did not make the claim.
		foreign := gen.Claim("foreign", gen.OfCron(cronName), gen.Bound(), gen.LastUsed(time.Now().Add(-1001*time.Hour)))
		w := start(t, append(imports(), publishing(), old, foreign, gen.DataVolume("foreign", gen.OfCron(cronName), gen.InPhase(v1beta1.Succeeded)))...)
		if got := left(t, w); got != "i2 i3 i4" {
			t.Errorf("left are %s", got)
		}
	})
}

func TestImportsInUseAreKeptUntilTheyAreNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, append(imports(), publishing(),
			gen.DataVolume("clone", gen.InNamespace("vms"), gen.Clones("golden-images/i0"), gen.InPhase(v1beta1.CloneInProgress)),
			gen.DataSource("previous", gen.InNamespace("vms"), gen.ToClaim("golden-images", "i1")),
		)...)
		if got := left(t, w); got != "i0 i1 i2 i3 i4" {
			t.Errorf("left are %s", got)
		}
		volumes := w.CDI.CdiV1beta1().DataVolumes("vms")
		clone, err := volumes.Get(t.Context(), "clone", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		clone.Status.Phase = v1beta1.Succeeded
		if _, err := volumes.UpdateStatus(t.Context(), clone, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := left(t, w); got != "i1 i2 i3 i4" {
			t.Errorf("after the clone, left are %s", got)
		}
		if err := w.CDI.CdiV1beta1().DataSources("vms").Delete(t.Context(), "previous", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := left(t, w); got != "i2 i3 i4" {
			t.Errorf("without the DataSource, left are %s", got)
		}
	})
}

func TestWhatWasJustCurrentIsDeletedAMomentLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		objects := imports()
		w := start(t, append(objects[6:8], // i3
			gen.Claim("now", gen.OfCron(cronName), gen.Populated(), gen.LastUsed(time.Now())),
			gen.Claim("before", gen.OfCron(cronName), gen.Populated(), gen.LastUsed(time.Now())),
			gen.DataImportCron(cronName, gen.ImportsToKeep(1), gen.Imports("now", gen.Digest("a")), gen.Published("now")))...)
		if got := left(t, w); got != "before now" {
			t.Errorf("left are %s", got)
		}
		w.Pass(grace)
		if got := left(t, w); got != "now" {
			t.Errorf("left are %s", got)
		}
	})
}

func TestLabelsFollowTheRetentionPolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, append(imports(), publishing())...)
		w.UpdateCron(cronName, gen.RetainNone())
		for name, labels := range map[string]map[string]string{"claim": w.Claim("i3").Labels, "volume": w.Volume("i3").Labels} {
			if labels[v1beta1.LabelDataImportCronCleanup] != "true" {
				t.Errorf("%s: labels %v", name, labels)
			}
		}
		w.UpdateCron(cronName, func(obj metav1.Object) { obj.(*v1beta1.DataImportCron).Spec.RetentionPolicy = nil })
		if _, ok := w.Claim("i3").Labels[v1beta1.LabelDataImportCronCleanup]; ok {
			t.Error("label stays")
		}
	})
}

func TestImportsGoWithTheirCron(t *testing.T) {
	for name, test := range map[string]struct {
		labels modifiers
		claims string
	}{
		"retained": {nil, "i2 i3 i4"},
		"not":      {modifiers{gen.WithLabel(v1beta1.LabelDataImportCronCleanup, "true")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cron := modifiers{}
				if test.labels != nil {
					cron = append(cron, gen.RetainNone())
				}
				source := gen.DataSource(gen.ManagedDataSource, append(modifiers{gen.OfCron(cronName), gen.ToClaim(gen.Namespace, "i4")}, test.labels...)...)
				w := start(t, append(imports(test.labels...), publishing(cron...), source)...)
				if err := w.CDI.CdiV1beta1().DataImportCrons(gen.Namespace).Delete(t.Context(), cronName, metav1.DeleteOptions{}); err != nil {
					t.Fatal(err)
				}
				if got := left(t, w); got != test.claims {
					t.Errorf("left are %q", got)
				}
				if got := w.Source(gen.ManagedDataSource) != nil; got != (test.claims != "") {
					t.Errorf("DataSource is there: %t", got)
				}
			})
		})
	}
}

func TestImportsOfACronThatWentWhileNoServerWasUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goes := gen.WithLabel(v1beta1.LabelDataImportCronCleanup, "true")
		w := start(t, append(imports(goes),
			gen.DataSource(gen.ManagedDataSource, gen.OfCron(cronName), goes),
			gen.Claim("kept", gen.OfCron("other"), gen.Populated()),
			gen.Claim("mine", gen.Bound()),
		)...)
		if got := left(t, w); got != "kept mine" || w.Source(gen.ManagedDataSource) != nil {
			t.Errorf("left are %s", got)
		}
	})
}

func TestPublishingAgainSavesAnImport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		claim := gen.Claim("i0", gen.OfCron(cronName))
		claim.ResourceVersion = "1"
		w := bubble.New(t, claim)
		claims := w.Kube.CoreV1().PersistentVolumeClaims(gen.Namespace)
		patch := []byte(`{"metadata":{"annotations":{"stamp":"now"}}}`)
		if _, err := claims.Patch(t.Context(), "i0", "application/merge-patch+json", patch, metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
		if deleted, err := remove(t.Context(), claims, claim, true); deleted || err == nil {
			t.Errorf("deleted %t, error %v", deleted, err)
		}
	})
}

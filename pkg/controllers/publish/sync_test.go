// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package publish

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/status"
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

func upToDate(cron *v1beta1.DataImportCron) v1beta1.ConditionState {
	return ptr.Deref(status.Cron(cron.Status.Conditions, v1beta1.DataImportCronUpToDate), v1beta1.ConditionState{})
}

// imported returns a cron that has imported A, and what belongs to that.
func imported(more ...gen.Modifier) []runtime.Object {
	volume := gen.DataVolume(importA, gen.OfCron(cronName), gen.InPhase(v1beta1.Succeeded), gen.WithAnnotation(v1beta1.AnnForcedBy, "r1"))
	return []runtime.Object{
		gen.DataImportCron(cronName, append(modifiers{gen.Desires(gen.Digest("a")), gen.Imports(importA, gen.Digest("a"))}, more...)...),
		volume, gen.Claim(importA, gen.OwnedBy(volume), gen.Populated()),
	}
}

func pointsTo(source *v1beta1.DataSource) string {
	if source == nil || source.Spec.Source.PVC == nil {
		return ""
	}
	return source.Spec.Source.PVC.Namespace + "/" + source.Spec.Source.PVC.Name
}

func TestPublish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		previous := gen.Claim(importB, gen.OfCron(cronName), gen.Populated())
		now := time.Now().UTC()
		w := start(t, append(imported(gen.Published(importB), gen.RetainNone()), previous, managed(importB))...)
		if got := pointsTo(w.Source(gen.ManagedDataSource)); got != "golden-images/"+importA {
			t.Errorf("DataSource points to %s", got)
		}
		claim := w.Claim(importA)
		wantAnnotations := map[string]string{
			v1beta1.AnnLastUseTime: now.Format(time.RFC3339Nano), v1beta1.AnnSourceDigest: gen.Digest("a"), v1beta1.AnnForcedBy: "r1",
			v1beta1.AnnPopulated: "true", v1beta1.AnnPopulationMethod: "direct",
		}
		if diff := cmp.Diff(wantAnnotations, claim.Annotations); diff != "" {
			t.Errorf("claim's annotations (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[string]string{v1beta1.LabelDataImportCron: cronName, v1beta1.LabelDataImportCronCleanup: "true"}, claim.Labels); diff != "" {
			t.Errorf("claim's labels (-want +got):\n%s", diff)
		}
		for name, got := range map[string]string{
			"DataVolume": w.Volume(importA).Annotations[v1beta1.AnnLastUseTime], "previous claim": w.Claim(importB).Annotations[v1beta1.AnnLastUseTime],
		} {
			if got != now.Format(time.RFC3339Nano) {
				t.Errorf("%s was last used at %s", name, got)
			}
		}
		cron := w.Cron(cronName)
		if diff := cmp.Diff(&v1beta1.DataVolumeSourcePVC{Namespace: gen.Namespace, Name: importA}, cron.Status.LastImportedPVC); diff != "" {
			t.Errorf("last imported (-want +got):\n%s", diff)
		}
		if !cron.Status.LastImportTimestamp.Time.Equal(now) || *cron.Status.SourceFormat != v1beta1.DataImportCronSourceFormatPvc {
			t.Errorf("status %+v", cron.Status)
		}
		if got := upToDate(cron); got.Reason != ReasonUpToDate || got.ObservedGeneration != 1 {
			t.Errorf("condition %+v", got)
		}
		if diff := cmp.Diff([]string{"Normal DataSourceUpdated DataSource fedora now points to PVC " + importA}, w.Events()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		writes := w.Writes()
		w.UpdateCronStatus(cronName, gen.Polled(now, gen.Digest("a"), 0))
		if got := w.Writes() - writes; got != 1 {
			t.Errorf("%d writes, want the test's own only", got)
		}
	})
}

func TestNothingIsPublishedWithoutItsClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		objects := imported()
		w := start(t, objects[:2]...)
		if got := w.Source(gen.ManagedDataSource); got != nil {
			t.Errorf("DataSource points to %s", pointsTo(got))
		}
		w.Create(objects[2])
		if got := pointsTo(w.Source(gen.ManagedDataSource)); got != "golden-images/"+importA {
			t.Errorf("DataSource points to %q", got)
		}
	})
}

func TestManagedDataSourceIsPutBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, imported()...)
		sources := w.CDI.CdiV1beta1().DataSources(gen.Namespace)
		edited := w.Source(gen.ManagedDataSource)
		gen.ToClaim("elsewhere", "mine")(edited)
		if _, err := sources.Update(t.Context(), edited, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := pointsTo(w.Source(gen.ManagedDataSource)); got != "golden-images/"+importA {
			t.Errorf("edited DataSource points to %s", got)
		}
		if err := sources.Delete(t.Context(), gen.ManagedDataSource, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := pointsTo(w.Source(gen.ManagedDataSource)); got != "golden-images/"+importA {
			t.Errorf("deleted DataSource points to %q", got)
		}
	})
}

func TestOthersDataSourceIsNotTouchedUntilItIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, append(imported(), gen.DataSource(gen.ManagedDataSource, gen.ToClaim("elsewhere", "mine")))...)
		if got := pointsTo(w.Source(gen.ManagedDataSource)); got != "elsewhere/mine" {
			t.Errorf("DataSource points to %s", got)
		}
		cron := w.Cron(cronName)
		if got := upToDate(cron); got.Reason != ReasonNotManaged || cron.Status.LastImportedPVC == nil {
			t.Errorf("condition %+v, status %+v", got, cron.Status)
		}
		if err := w.CDI.CdiV1beta1().DataSources(gen.Namespace).Delete(t.Context(), gen.ManagedDataSource, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := pointsTo(w.Source(gen.ManagedDataSource)); got != "golden-images/"+importA {
			t.Errorf("DataSource points to %q", got)
		}
		if diff := cmp.Diff([]string{"DataSourceNotManaged", "DataSourceUpdated"}, w.Reasons()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestDataSourceOfAnotherCronIsTakenOverWhenThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, append(imported(), gen.DataImportCron("other"), managed("x", gen.OfCron("other")))...)
		if got := pointsTo(w.Source(gen.ManagedDataSource)); got != "golden-images/x" {
			t.Errorf("DataSource points to %s", got)
		}
		want := []string{"Warning ErrDataSourceAlreadyManaged DataSource fedora is already managed by DataImportCron other"}
		if diff := cmp.Diff(want, w.Events()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if err := w.CDI.CdiV1beta1().DataImportCrons(gen.Namespace).Delete(t.Context(), "other", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := pointsTo(w.Source(gen.ManagedDataSource)); got != "golden-images/"+importA {
			t.Errorf("DataSource points to %s", got)
		}
		if got := upToDate(w.Cron(cronName)); got.Reason != ReasonUpToDate {
			t.Errorf("condition %+v", got)
		}
	})
}

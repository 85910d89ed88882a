// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
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
		Claims:   w.KubeInformers.Core().V1().PersistentVolumeClaims(),
		Recorder: w.Recorder, Clock: clock.RealClock{},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Start(c.Run)
	return w
}

func progressing(cron *v1beta1.DataImportCron) v1beta1.ConditionState {
	return ptr.Deref(status.Cron(cron.Status.Conditions, v1beta1.DataImportCronProgressing), v1beta1.ConditionState{})
}

func TestImportIsMadeFromTheTemplate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cron := gen.DataImportCron(cronName, gen.Desires(gen.Digest("a")), gen.RetainNone(),
			gen.WithLabel("instancetype.kubevirt.io/default-instancetype", "u1.medium"), gen.WithLabel("team", "os"),
			gen.WithTemplate(func(template *v1beta1.DataVolume) {
				template.Labels = map[string]string{"from": "template", v1beta1.LabelDataImportCron: "forged"}
				template.Annotations = map[string]string{"note": "template"}
				template.Spec.Storage.StorageClassName = new("fast")
				template.Spec.Source.Registry.PullMethod = ptr.To(v1beta1.RegistryPullNode)
			}))
		began := metav1.NewTime(time.Now())
		w := start(t, cron)
		got := w.Volume(importA)
		if got == nil {
			t.Fatal("no import")
		}
		wantLabels := map[string]string{
			"from": "template", "instancetype.kubevirt.io/default-instancetype": "u1.medium",
			v1beta1.LabelDataImportCron: cronName, v1beta1.LabelDataImportCronCleanup: "true", v1beta1.LabelApp: v1beta1.LabelAppValue,
		}
		if diff := cmp.Diff(wantLabels, got.Labels); diff != "" {
			t.Errorf("labels (-want +got):\n%s", diff)
		}
		wantAnnotations := map[string]string{
			"note": "template", v1beta1.AnnImmediateBind: "true", v1beta1.AnnSourceDigest: gen.Digest("a"),
			v1beta1.AnnLastUseTime: began.UTC().Format(time.RFC3339Nano),
		}
		if diff := cmp.Diff(wantAnnotations, got.Annotations); diff != "" {
			t.Errorf("annotations (-want +got):\n%s", diff)
		}
		wantSpec := cron.Spec.Template.Spec.DeepCopy()
		wantSpec.Source.Registry.URL = new("docker://registry.example/fedora@" + gen.Digest("a"))
		if diff := cmp.Diff(wantSpec, &got.Spec); diff != "" {
			t.Errorf("spec (-want +got):\n%s", diff)
		}
		if len(got.OwnerReferences) != 0 {
			t.Errorf("owners %v", got.OwnerReferences)
		}
		after := w.Cron(cronName)
		if after.Annotations[v1beta1.AnnStorageClass] != "fast" {
			t.Errorf("annotations %v", after.Annotations)
		}
		if diff := cmp.Diff([]v1beta1.ImportStatus{{DataVolumeName: importA, Digest: gen.Digest("a")}}, after.Status.CurrentImports); diff != "" {
			t.Errorf("current imports (-want +got):\n%s", diff)
		}
		want := v1beta1.ConditionState{
			Status: corev1.ConditionFalse, Reason: ReasonImportScheduled, Message: "Import is scheduled", ObservedGeneration: 1,
			LastTransitionTime: began, LastHeartbeatTime: began,
		}
		if diff := cmp.Diff(want, progressing(after)); diff != "" {
			t.Errorf("condition (-want +got):\n%s", diff)
		}
	})
}

func TestImportFromStartToEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, gen.DataImportCron(cronName, gen.Desires(gen.Digest("a"))))
		w.UpdateVolumeStatus(importA, gen.InPhase(v1beta1.ImportInProgress))
		if got := progressing(w.Cron(cronName)); got.Status != corev1.ConditionTrue || got.Message != "Import is progressing" {
			t.Errorf("condition %+v", got)
		}
		w.Pass(12 * time.Second)
		w.Create(claim(importA, gen.OwnedBy(w.Volume(importA)), gen.Populated()))
		w.UpdateVolumeStatus(importA, gen.InPhase(v1beta1.Succeeded))
		if got := progressing(w.Cron(cronName)); got.Reason != ReasonNoImport || got.Message != "No current import" {
			t.Errorf("condition %+v", got)
		}
		created := w.Volume(importA).CreationTimestamp
		heartbeat := progressing(w.Cron(cronName)).LastHeartbeatTime
		want := []string{
			"Normal ImportStarted Importing " + gen.Digest("a") + " into DataVolume " + importA,
			"Normal ImportSucceeded Imported " + gen.Digest("a") + " into PVC " + importA + " in " + heartbeat.Sub(created.Time).String(),
		}
		if diff := cmp.Diff(want, w.Events()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		// The image is deleted, with its claim.
		if err := w.CDI.CdiV1beta1().DataVolumes(gen.Namespace).Delete(t.Context(), importA, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := w.Volume(importA); got == nil || got.Status.Phase != v1beta1.PhaseUnset {
			t.Errorf("import after it was deleted: %v", got)
		}
		if got := progressing(w.Cron(cronName)); got.Reason != ReasonImportScheduled {
			t.Errorf("condition %+v", got)
		}
	})
}

func TestClaimThatIsMissingInTheCacheOnlyIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t,
			gen.DataImportCron(cronName, gen.Desires(gen.Digest("a")), gen.Imports(importA, gen.Digest("a"))),
			gen.DataVolume(importA, gen.OfCron(cronName)),
		)
		w.Kube.PrependReactor("get", "persistentvolumeclaims", func(clienttesting.Action) (bool, runtime.Object, error) {
			return true, claim(importA, gen.Populated()), nil
		})
		w.UpdateVolumeStatus(importA, gen.InPhase(v1beta1.Succeeded))
		if w.Volume(importA) == nil {
			t.Error("import was deleted")
		}
	})
}

func TestClaimThatWasDeletedIsImportedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t,
			gen.DataImportCron(cronName, gen.Desires(gen.Digest("a")), gen.Imports(importA, gen.Digest("a")), gen.Published(importA)),
			gen.DataVolume(importA, gen.OfCron(cronName), gen.InPhase(v1beta1.Succeeded)), claim(importA, gen.Populated()),
		)
		if err := w.Kube.CoreV1().PersistentVolumeClaims(gen.Namespace).Delete(t.Context(), importA, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := w.Volume(importA); got == nil || got.Status.Phase != v1beta1.PhaseUnset {
			t.Errorf("import %v", got)
		}
	})
}

func TestFailedImportIsShownAndMadeAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, gen.DataImportCron(cronName, gen.Desires(gen.Digest("a"))))
		fail := func(obj metav1.Object) {
			gen.InPhase(v1beta1.Failed)(obj)
			gen.Running(corev1.ConditionFalse, "VolumeTooSmall", "The image needs 10Gi.", time.Now())(obj)
		}
		var attempts int
		for began := time.Now(); time.Since(began) < 24*time.Hour; w.Pass(time.Minute) {
			if v := w.Volume(importA); v != nil && v.Status.Phase == v1beta1.PhaseUnset {
				attempts++
				w.UpdateVolumeStatus(importA, fail)
			}
		}
		if attempts < 24 || attempts > 30 {
			t.Errorf("%d attempts in a day, want about 29", attempts)
		}
		got := progressing(w.Cron(cronName))
		if got.Reason != "VolumeTooSmall" || !strings.Contains(got.Message, "The image needs 10Gi (attempt ") {
			t.Errorf("condition %+v", got)
		}
		// The import heals: what was counted is forgotten.
		w.Pass(61 * time.Minute)
		w.Create(claim(importA, gen.OwnedBy(w.Volume(importA)), gen.Populated()))
		w.UpdateVolumeStatus(importA, gen.InPhase(v1beta1.Succeeded))
		if value, ok := w.Cron(cronName).Annotations[AnnImportAttempts]; ok {
			t.Errorf("attempts %s", value)
		}
		reasons := map[string]int{}
		for _, reason := range w.Reasons() {
			reasons[reason]++
		}
		if reasons[ReasonImportFailed] == 0 || reasons[ReasonImportSucceeded] != 1 {
			t.Errorf("events %v", reasons)
		}
	})
}

func TestRefusedImportSaysSoAndIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var refuse atomic.Bool
		refuse.Store(true)
		w := bubble.New(t, gen.DataImportCron(cronName, gen.Desires(gen.Digest("a"))))
		w.CDI.PrependReactor("create", "datavolumes", func(action clienttesting.Action) (bool, runtime.Object, error) {
			return refuse.Load(), nil, apierrors.NewForbidden(action.GetResource().GroupResource(), importA, errors.New("exceeded quota"))
		})
		c, err := New(Config{
			Client: w.CDI, Kube: w.Kube, Recorder: w.Recorder, Clock: clock.RealClock{},
			Crons: w.CDIInformers.Cdi().V1beta1().DataImportCrons(), Volumes: w.CDIInformers.Cdi().V1beta1().DataVolumes(),
			Claims: w.KubeInformers.Core().V1().PersistentVolumeClaims(),
		})
		if err != nil {
			t.Fatal(err)
		}
		w.Start(c.Run)
		cron := w.Cron(cronName)
		if got := progressing(cron); got.Reason != ReasonDataVolumeRefused || !strings.Contains(got.Message, "exceeded quota") || len(cron.Status.CurrentImports) != 0 {
			t.Errorf("condition %+v, imports %v", got, cron.Status.CurrentImports)
		}
		refuse.Store(false)
		w.Pass(refusedPause)
		if w.Volume(importA) == nil {
			t.Error("no import after a minute")
		}
		if diff := cmp.Diff([]string{"ImportFailed", "ImportStarted"}, w.Reasons()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestNewerDigestTakesOverWhenTheOlderIsPublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, gen.DataImportCron(cronName, gen.Desires(gen.Digest("a"))))
		w.UpdateVolumeStatus(importA, gen.InPhase(v1beta1.ImportInProgress))
		w.UpdateCron(cronName, gen.Desires(gen.Digest("b")))
		w.Create(claim(importA, gen.OwnedBy(w.Volume(importA)), gen.Populated()))
		w.UpdateVolumeStatus(importA, gen.InPhase(v1beta1.Succeeded))
		if w.Volume(importB) != nil {
			t.Error("the newer digest did not wait")
		}
		w.UpdateCronStatus(cronName, gen.Published(importA))
		if w.Volume(importB) == nil || w.Volume(importA) == nil {
			t.Error("the newer digest is not imported, or the older import is gone")
		}
	})
}

func TestAdoption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, gen.DataImportCron(cronName, gen.Desires(gen.Digest("a")), gen.RetainNone()),
			gen.Claim(importA, gen.Bound(), gen.OfCron("one-that-is-gone")))
		if w.Volume(importA) != nil {
			t.Error("imported what is there")
		}
		got := w.Claim(importA)
		if got.Labels[v1beta1.LabelDataImportCron] != cronName || got.Labels[v1beta1.LabelDataImportCronCleanup] != "true" ||
			got.Annotations[v1beta1.AnnSourceDigest] != gen.Digest("a") {
			t.Errorf("labels %v, annotations %v", got.Labels, got.Annotations)
		}
		if diff := cmp.Diff([]string{"Normal ImportAdopted PVC " + importA + " holds " + gen.Digest("a") + " already"}, w.Events()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestOtherCronsImportIsNotTouched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, gen.DataImportCron(cronName, gen.Desires(gen.Digest("a"))), gen.DataImportCron("other"),
			gen.DataVolume(importA, gen.OfCron("other")))
		if got := progressing(w.Cron(cronName)); got.Reason != ReasonNameTaken || !strings.Contains(got.Message, "other") {
			t.Errorf("condition %+v", got)
		}
	})
}

func TestBadDigest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, gen.DataImportCron(cronName, gen.Desires("sha1:abc")))
		if got := progressing(w.Cron(cronName)); got.Reason != ReasonBadDigest || !strings.Contains(got.Message, "sha1:abc") {
			t.Errorf("condition %+v", got)
		}
		w.UpdateCron(cronName, gen.Desires(gen.Digest("a")))
		if w.Volume(importA) == nil {
			t.Error("no import")
		}
	})
}

func TestNothingIsWrittenWhenNothingChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, gen.DataImportCron(cronName, gen.Desires(gen.Digest("a"))))
		w.UpdateVolumeStatus(importA, gen.InPhase(v1beta1.ImportInProgress))
		writes := w.Writes()
		w.UpdateVolumeStatus(importA, func(obj metav1.Object) { obj.(*v1beta1.DataVolume).Status.Progress = "50%" })
		if got := w.Writes() - writes; got != 1 {
			t.Errorf("%d writes, want the test's own only", got)
		}
	})
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package datasource

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"
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
		Client:   w.CDI,
		Sources:  w.CDIInformers.Cdi().V1beta1().DataSources(),
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

func ready(source *v1beta1.DataSource) v1beta1.ConditionState {
	return ptr.Deref(status.Source(source.Status.Conditions, v1beta1.DataSourceReady), v1beta1.ConditionState{})
}

func retarget(t *testing.T, w *bubble.World, change gen.Modifier) {
	t.Helper()
	source := w.Source(name)
	change(source)
	if _, err := w.CDI.CdiV1beta1().DataSources(gen.Namespace).Update(t.Context(), source, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func TestReadinessFollowsTheImage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		volume := gen.DataVolume(image, gen.InNamespace("images"), gen.InPhase(v1beta1.ImportInProgress))
		claim := gen.Claim(image, gen.InNamespace("images"), gen.OwnedBy(volume), gen.Populated(), gen.WithLabel(typeKey, "u1.medium"))
		w := start(t, gen.DataSource(name), gen.DataSource("pointer", gen.ToSource("", name)))
		steps := []struct {
			do     func()
			reason string
		}{
			{func() {}, "NoSource"},
			{func() { retarget(t, w, gen.ToClaim("images", image)) }, "NotFound"},
			{func() { w.Create(volume) }, "ImportInProgress"},
			{func() { w.Create(claim) }, "ImportInProgress"},
			{func() {
				volumes := w.CDI.CdiV1beta1().DataVolumes("images")
				done, err := volumes.Get(t.Context(), image, metav1.GetOptions{})
				if err != nil {
					t.Fatal(err)
				}
				done.Status.Phase = v1beta1.Succeeded
				if _, err := volumes.UpdateStatus(t.Context(), done, metav1.UpdateOptions{}); err != nil {
					t.Fatal(err)
				}
			}, "Ready"},
			{func() {
				if err := w.Kube.CoreV1().PersistentVolumeClaims("images").Delete(t.Context(), image, metav1.DeleteOptions{}); err != nil {
					t.Fatal(err)
				}
			}, "NotFound"},
		}
		for _, step := range steps {
			step.do()
			for _, which := range []string{name, "pointer"} {
				source := w.Source(which)
				if got := ready(source); got.Reason != step.reason {
					t.Errorf("%s: %+v, want %s", which, got, step.reason)
				}
				if isReady := source.Status.Source.PVC != nil; isReady != (step.reason == ReasonReady) {
					t.Errorf("%s: source %+v while %s", which, source.Status.Source, step.reason)
				}
			}
		}
		if got := w.Source("pointer").Labels[typeKey]; got != "u1.medium" {
			t.Errorf("pointer's labels have %q", got)
		}
		counts := map[string]int{}
		for _, reason := range w.Reasons() {
			counts[reason]++
		}
		if diff := cmp.Diff(map[string]int{"Ready": 2, "NotFound": 2}, counts); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestTimesMoveOnlyWithTheStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		w := start(t, gen.DataSource(name, gen.ToClaim(gen.Namespace, image)),
			gen.Claim(image, gen.Populated()), gen.Claim("other", gen.Populated()))
		w.Pass(time.Hour)
		retarget(t, w, gen.ToClaim(gen.Namespace, "other"))
		source := w.Source(name)
		if got := ready(source); !got.LastTransitionTime.Time.Equal(began) || got.Status != corev1.ConditionTrue {
			t.Errorf("condition %+v", got)
		}
		if source.Status.Source.PVC.Name != "other" {
			t.Errorf("resolved to %+v", source.Status.Source.PVC)
		}
		writes := w.Writes()
		w.Pass(time.Hour)
		if got := w.Writes() - writes; got != 0 {
			t.Errorf("%d writes though nothing changed", got)
		}
	})
}

func TestPointerFollowsItsTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, gen.DataSource("pointer", gen.ToSource(gen.Namespace, name)), gen.Claim(image, gen.Populated()))
		if got := ready(w.Source("pointer")); got.Reason != ReasonNotFound {
			t.Errorf("condition %+v", got)
		}
		w.Create(gen.DataSource(name, gen.ToClaim(gen.Namespace, image)))
		if got := ready(w.Source("pointer")); got.Reason != ReasonReady {
			t.Errorf("condition %+v", got)
		}
		if err := w.CDI.CdiV1beta1().DataSources(gen.Namespace).Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := ready(w.Source("pointer")); got.Reason != ReasonNotFound {
			t.Errorf("condition %+v", got)
		}
	})
}

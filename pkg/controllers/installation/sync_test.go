// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package installation

import (
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

func withGates(gates ...string) *v1beta1.CDIConfigSpec {
	return &v1beta1.CDIConfigSpec{FeatureGates: gates}
}

func storageClass(name string) *storagev1.StorageClass {
	return &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: name}}
}

func TestBothAreMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil, nil)
		began := metav1.Now()
		installation, states := w.cdi("cdi")
		labels := map[string]string{v1beta1.LabelApp: v1beta1.LabelAppValue}
		if diff := cmp.Diff([]map[string]string{labels, labels}, []map[string]string{installation.Labels, w.config().Labels}); diff != "" {
			t.Errorf("labels (-want +got):\n%s", diff)
		}
		status := installation.Status
		if diff := cmp.Diff([]string{"Deployed", "v1.2.3", "v1.2.3", "v1.2.3"},
			[]string{string(status.Phase), status.OperatorVersion, status.TargetVersion, status.ObservedVersion}); diff != "" {
			t.Errorf("status (-want +got):\n%s", diff)
		}
		healthy := v1beta1.ConditionState{Status: corev1.ConditionFalse, Reason: ReasonDeployed, LastTransitionTime: began, LastHeartbeatTime: began, ObservedGeneration: 1}
		available := healthy
		available.Status, available.Message = corev1.ConditionTrue, messageDeployed
		want := map[v1beta1.CDIConditionType]v1beta1.ConditionState{"Available": available, "Progressing": healthy, "Degraded": healthy}
		if diff := cmp.Diff(want, states); diff != "" {
			t.Errorf("conditions (-want +got):\n%s", diff)
		}
		writes := w.Writes()
		w.Pass(time.Hour)
		if got := w.Writes() - writes; got != 0 {
			t.Errorf("%d writes though nothing changed", got)
		}
	})
}

func TestBothComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil, nil)
		before, _ := w.cdi("cdi")
		config := w.config()
		w.editCDI("cdi", func(c *v1beta1.CDI) { c.Spec.Config = withGates("A") })
		if err := w.CDI.CdiV1beta1().CDIConfigs().Delete(t.Context(), "config", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		if fresh := w.config(); fresh.UID == config.UID || !slices.Equal(fresh.Spec.FeatureGates, []string{"A"}) || fresh.Status.FilesystemOverhead == nil {
			t.Errorf("config %+v", fresh)
		}
		w.deleteCDI("cdi")
		if after, _ := w.cdi("cdi"); after.UID == before.UID || after.Status.Phase != v1beta1.CDIPhaseDeployed {
			t.Errorf("CDI %+v", after)
		}
	})
}

func TestAnInstallationOfAnotherName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, []*v1beta1.CDI{{ObjectMeta: metav1.ObjectMeta{Name: "mine"}, Spec: v1beta1.CDISpec{Config: withGates("A")}}}, nil)
		if one, _ := w.cdi("mine"); one.Status.Phase != v1beta1.CDIPhaseDeployed {
			t.Errorf("status %+v", one.Status)
		}
		if got := w.config().Spec.FeatureGates; !slices.Equal(got, []string{"A"}) {
			t.Errorf("feature gates %v", got)
		}
		list, err := w.CDI.CdiV1beta1().CDIs().List(t.Context(), metav1.ListOptions{})
		if err != nil || len(list.Items) != 1 {
			t.Errorf("%d CDI objects, %v", len(list.Items), err)
		}
	})
}

func TestTheConfigFollowsTheInstallation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil, &v1beta1.CDIConfig{ObjectMeta: metav1.ObjectMeta{Name: "config"}, Spec: *withGates("Own")})
		for _, step := range []struct {
			name string
			do   func()
			want []string
		}{
			{"as it was", func() {}, []string{"Own"}},
			{"edited while the CDI says nothing", func() { w.editConfig(func(c *v1beta1.CDIConfig) { c.Spec = *withGates("Mine") }) }, []string{"Mine"}},
			{"the CDI says something", func() { w.editCDI("cdi", func(c *v1beta1.CDI) { c.Spec.Config = withGates("A", "B") }) }, []string{"A", "B"}},
			{"edited though", func() { w.editConfig(func(c *v1beta1.CDIConfig) { c.Spec = *withGates("Mine") }) }, []string{"A", "B"}},
			{"the CDI says nothing any more", func() { w.editCDI("cdi", func(c *v1beta1.CDI) { c.Spec.Config = nil }) }, []string{"A", "B"}},
			{"edited then", func() { w.editConfig(func(c *v1beta1.CDIConfig) { c.Spec = *withGates("Mine") }) }, []string{"Mine"}},
			{"the CDI says that there is nothing", func() { w.editCDI("cdi", func(c *v1beta1.CDI) { c.Spec.Config = &v1beta1.CDIConfigSpec{} }) }, nil},
		} {
			step.do()
			if got := w.config().Spec.FeatureGates; !slices.Equal(got, step.want) {
				t.Errorf("%s: feature gates %v, want %v", step.name, got, step.want)
			}
		}
	})
}

func TestSeveralInstallations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := func(gate string) v1beta1.CDISpec { return v1beta1.CDISpec{Config: withGates(gate)} }
		w := newWorld(t, []*v1beta1.CDI{
			{ObjectMeta: metav1.ObjectMeta{Name: "z"}, Spec: config("Z")}, {ObjectMeta: metav1.ObjectMeta{Name: "a"}, Spec: config("A")},
		}, nil)
		began := metav1.Now()
		const message = "There are several CDI objects, of which z counts: delete a"
		for name, phase := range map[string]v1beta1.CDIPhase{"z": v1beta1.CDIPhaseDeployed, "a": v1beta1.CDIPhaseError} {
			one, states := w.cdi(name)
			if one.Status.Phase != phase || states["Degraded"].Status != corev1.ConditionTrue || states["Degraded"].Message != message {
				t.Errorf("%s: phase %s, conditions %+v", name, one.Status.Phase, states)
			}
		}
		if got := w.config().Spec.FeatureGates; !slices.Equal(got, []string{"Z"}) {
			t.Errorf("feature gates %v", got)
		}
		w.Pass(time.Hour)
		w.deleteCDI("z")
		one, states := w.cdi("a")
		if one.Status.Phase != v1beta1.CDIPhaseDeployed || states["Degraded"].Status != corev1.ConditionFalse {
			t.Errorf("phase %s, conditions %+v", one.Status.Phase, states)
		}
		since := map[v1beta1.CDIConditionType]bool{}
		for kind, state := range states {
			since[kind] = state.LastTransitionTime.Equal(&began)
		}
		if diff := cmp.Diff(map[v1beta1.CDIConditionType]bool{"Available": false, "Progressing": true, "Degraded": false}, since); diff != "" {
			t.Errorf("states that are as they began (-want +got):\n%s", diff)
		}
		if got := w.config().Spec.FeatureGates; !slices.Equal(got, []string{"A"}) {
			t.Errorf("feature gates %v", got)
		}
	})
}

func TestOneThatIsBeingDeletedIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		going := installation("cdi", 0, beingDeleted)
		going.Spec.Config = withGates("A")
		w := newWorld(t, []*v1beta1.CDI{going}, nil)
		if one, _ := w.cdi("cdi"); one.Status.Phase != "" {
			t.Errorf("status %+v", one.Status)
		}
		if got := w.config().Spec.FeatureGates; got != nil {
			t.Errorf("feature gates %v", got)
		}
	})
}

func TestSharesFollowTheClasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil, nil, storageClass("a"))
		classes := w.Kube.StorageV1().StorageClasses()
		names := func() []string { return slices.Sorted(maps.Keys(w.config().Status.FilesystemOverhead.StorageClass)) }
		if diff := cmp.Diff([]string{"a"}, names()); diff != "" {
			t.Errorf("classes (-want +got):\n%s", diff)
		}
		if _, err := classes.Create(t.Context(), storageClass("b"), metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"a", "b"}, names()); diff != "" {
			t.Errorf("classes (-want +got):\n%s", diff)
		}
		if err := classes.Delete(t.Context(), "a", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"b"}, names()); diff != "" {
			t.Errorf("classes (-want +got):\n%s", diff)
		}
		w.editConfig(func(c *v1beta1.CDIConfig) { c.Spec.FilesystemOverhead = &v1beta1.FilesystemOverhead{Global: "0.1"} })
		if got := w.config().Status.FilesystemOverhead; got.Global != "0.1" || got.StorageClass["b"] != "0.1" {
			t.Errorf("shares %+v", got)
		}
	})
}

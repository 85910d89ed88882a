// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package installation

import (
	"fmt"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/clock"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/test/bubble"
)

// world is a cluster in memory with the controller in it.
type world struct {
	*bubble.World
	t *testing.T
}

// newWorld starts a controller in a bubble.
func newWorld(t *testing.T, installations []*v1beta1.CDI, config *v1beta1.CDIConfig, objects ...runtime.Object) *world {
	t.Helper()
	w := &world{World: bubble.New(t, objects...), t: t}
	version := 0
	react := func(action clienttesting.Action) (bool, runtime.Object, error) {
		version++
		return w.update(action, fmt.Sprintf("updated-%d", version))
	}
	w.CDI.PrependReactor("update", "cdis", react)
	w.CDI.PrependReactor("update", "cdiconfigs", react)
	for _, c := range installations {
		w.createCDI(c)
		w.Pass(time.Minute)
	}
	if config != nil {
		if _, err := w.CDI.CdiV1beta1().CDIConfigs().Create(t.Context(), config, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	c, err := New(Config{
		Client: w.CDI, CDIs: w.CDIInformers.Cdi().V1beta1().CDIs(), CDIConfigs: w.CDIInformers.Cdi().V1beta1().CDIConfigs(),
		Classes: w.KubeInformers.Storage().V1().StorageClasses(), Clock: clock.RealClock{}, Version: "v1.2.3", FilesystemOverhead: 0.06,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Start(c.Run)
	return w
}

// update keeps the spec of what is sent to /status, and the status of what is sent elsewhere.
func (w *world) update(action clienttesting.Action, version string) (bool, runtime.Object, error) {
	toStatus := action.GetSubresource() == "status"
	object := action.(clienttesting.UpdateAction).GetObject()
	name := object.(metav1.Object).GetName()
	stored, err := w.CDI.Tracker().Get(action.GetResource(), "", name)
	if err != nil {
		return true, nil, err
	}
	if have := stored.(metav1.Object).GetResourceVersion(); have != object.(metav1.Object).GetResourceVersion() {
		return true, nil, apierrors.NewConflict(action.GetResource().GroupResource(), name, fmt.Errorf("version is %s", have))
	}
	body, status := object, stored
	if toStatus {
		body, status = stored, object
	}
	merged := body.DeepCopyObject()
	switch merged := merged.(type) {
	case *v1beta1.CDI:
		merged.Status = status.(*v1beta1.CDI).Status
	case *v1beta1.CDIConfig:
		merged.Status = status.(*v1beta1.CDIConfig).Status
	}
	merged.(metav1.Object).SetResourceVersion(version)
	return true, merged, w.CDI.Tracker().Update(action.GetResource(), merged, "")
}

func (w *world) createCDI(c *v1beta1.CDI) {
	w.t.Helper()
	if _, err := w.CDI.CdiV1beta1().CDIs().Create(w.t.Context(), c, metav1.CreateOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) deleteCDI(name string) {
	w.t.Helper()
	if err := w.CDI.CdiV1beta1().CDIs().Delete(w.t.Context(), name, metav1.DeleteOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

// cdi returns a CDI object, with its conditions by their types.
func (w *world) cdi(name string) (*v1beta1.CDI, map[v1beta1.CDIConditionType]v1beta1.ConditionState) {
	w.t.Helper()
	w.Settle()
	c, err := w.CDI.CdiV1beta1().CDIs().Get(w.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	states := map[v1beta1.CDIConditionType]v1beta1.ConditionState{}
	for _, condition := range c.Status.Conditions {
		states[condition.Type] = condition.ConditionState
	}
	return c, states
}

func (w *world) config() *v1beta1.CDIConfig {
	w.t.Helper()
	w.Settle()
	c, err := w.CDI.CdiV1beta1().CDIConfigs().Get(w.t.Context(), "config", metav1.GetOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) editCDI(name string, change func(*v1beta1.CDI)) {
	w.t.Helper()
	c, _ := w.cdi(name)
	change(c)
	if _, err := w.CDI.CdiV1beta1().CDIs().Update(w.t.Context(), c, metav1.UpdateOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) editConfig(change func(*v1beta1.CDIConfig)) {
	w.t.Helper()
	c := w.config()
	change(c)
	if _, err := w.CDI.CdiV1beta1().CDIConfigs().Update(w.t.Context(), c, metav1.UpdateOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// TestDeletionLeavesNothing deletes the DataVolume after each step of each path.
func TestDeletionLeavesNothing(t *testing.T) {
	for name, objects := range paths() {
		for how, remove := range map[string]func(*world){
			"":                                   (*world).remove,
			", its finalizer taken away by hand": (*world).removeAtOnce,
		} {
			deletionLeavesNothing(t, name+how, objects, remove)
		}
	}
}

func deletionLeavesNothing(t *testing.T, name string, objects func() []runtime.Object, remove func(*world)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		for after := range 14 {
			w := newWorld(t, objects()...)
			for range after {
				if _, err := w.step(nil); err != nil {
					t.Fatal(err)
				}
			}
			remove(w)
			var left []string
			for _, claim := range w.allClaims() {
				left = append(left, "claim "+claim.Name)
			}
			for _, pv := range w.allVolumes() {
				left = append(left, fmt.Sprintf("volume %s %v", pv.Spec.PersistentVolumeReclaimPolicy, pv.Annotations))
			}
			for _, pod := range w.allPods() {
				left = append(left, "pod "+pod.Name)
			}
			var want []string
			if sourceOf(objects()) != nil {
				want = []string{"claim src", "volume Delete map[]"}
			}
			if diff := cmp.Diff(want, left); diff != "" {
				t.Fatalf("left after %d steps (-want +got):\n%s", after, diff)
			}
		}
	})
}

// remove deletes the DataVolume as an API server does, and lets the controller follow.
func (w *world) remove() {
	w.t.Helper()
	volumes := w.cdi.CdiV1beta1().DataVolumes(w.key.Namespace)
	if dv := w.volume(); len(dv.Finalizers) > 0 {
		dv.DeletionTimestamp = new(metav1.NewTime(w.clock.Now()))
		_, err := w.cdi.CdiV1beta1().DataVolumes(w.key.Namespace).Update(w.ctx, dv, metav1.UpdateOptions{})
		w.must(err)
		for len(w.volume().Finalizers) > 0 {
			if _, err := w.step(nil); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	w.must(volumes.Delete(w.ctx, w.key.Name, metav1.DeleteOptions{}))
	w.follow()
}

// removeAtOnce deletes the DataVolume without regard to its finalizer.
func (w *world) removeAtOnce() {
	w.t.Helper()
	w.must(w.cdi.CdiV1beta1().DataVolumes(w.key.Namespace).Delete(w.ctx, w.key.Name, metav1.DeleteOptions{}))
	w.follow()
}

func (w *world) follow() {
	w.t.Helper()
	for range 10 {
		if _, err := w.step(nil); err != nil {
			w.t.Fatal(err)
		}
	}
}

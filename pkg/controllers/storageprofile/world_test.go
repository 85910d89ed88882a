// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package storageprofile

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/clock"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/test/bubble"
)

// snapshotClasses are VolumeSnapshotClasses that a test sets.
type snapshotClasses struct {
	mu      sync.Mutex
	classes []SnapshotClass
	changes chan struct{}
}

// known are VolumeSnapshotClasses that are known from the beginning.
func known(classes ...SnapshotClass) *snapshotClasses {
	s := &snapshotClasses{changes: make(chan struct{}, 8)}
	s.set(classes...)
	return s
}

func (s *snapshotClasses) set(classes ...SnapshotClass) {
	s.mu.Lock()
	s.classes = classes
	s.mu.Unlock()
	s.changes <- struct{}{}
}

func (s *snapshotClasses) List() []SnapshotClass {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.classes)
}

func (s *snapshotClasses) Watch(ctx context.Context, changed func()) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.changes:
			changed()
		}
	}
}

// world is a cluster in memory with the controller in it.
type world struct {
	*bubble.World
	t         *testing.T
	snapshots *snapshotClasses
}

// newWorld starts a controller in a bubble, where there are objects of Kubernetes' and profiles.
func newWorld(t *testing.T, snapshots *snapshotClasses, profiles []*v1beta1.StorageProfile, objects ...runtime.Object) *world {
	t.Helper()
	w := &world{World: bubble.New(t, objects...), t: t, snapshots: snapshots}
	version := 0
	w.CDI.PrependReactor("update", "storageprofiles", func(action clienttesting.Action) (bool, runtime.Object, error) {
		version++
		return w.update(action, version)
	})
	for _, p := range profiles {
		w.createProfile(p)
	}
	c, err := New(Config{
		Client: w.CDI, Kube: w.Kube, Profiles: w.CDIInformers.Cdi().V1beta1().StorageProfiles(),
		Classes: w.KubeInformers.Storage().V1().StorageClasses(), Volumes: w.KubeInformers.Core().V1().PersistentVolumes(),
		Snapshots: snapshots, Recorder: w.Recorder, Clock: clock.RealClock{},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Start(c.Run)
	return w
}

// update keeps the spec of what is sent to /status, and the status of what is sent elsewhere.
func (w *world) update(action clienttesting.Action, version int) (bool, runtime.Object, error) {
	sent, ok := action.(clienttesting.UpdateAction).GetObject().(*v1beta1.StorageProfile)
	if !ok {
		return false, nil, nil
	}
	obj, err := w.CDI.Tracker().Get(action.GetResource(), "", sent.Name)
	if err != nil {
		return true, nil, err
	}
	current := obj.(*v1beta1.StorageProfile)
	if sent.ResourceVersion != current.ResourceVersion {
		return true, nil, apierrors.NewConflict(action.GetResource().GroupResource(), sent.Name, fmt.Errorf("version is %s", current.ResourceVersion))
	}
	merged := sent.DeepCopy()
	if action.GetSubresource() == "status" {
		merged = current.DeepCopy()
		merged.Status = sent.Status
	} else if merged.Status = current.Status; !equality.Semantic.DeepEqual(sent.Spec, current.Spec) {
		merged.Generation = current.Generation + 1
	}
	merged.ResourceVersion = fmt.Sprintf("updated-%d", version)
	return true, merged, w.CDI.Tracker().Update(action.GetResource(), merged, "")
}

func (w *world) createProfile(p *v1beta1.StorageProfile) {
	w.t.Helper()
	if _, err := w.CDI.CdiV1beta1().StorageProfiles().Create(w.t.Context(), p, metav1.CreateOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

// profile returns the one that the tests are about, nil if there is none.
func (w *world) profile() *v1beta1.StorageProfile {
	w.t.Helper()
	w.Settle()
	p, err := w.CDI.CdiV1beta1().StorageProfiles().Get(w.t.Context(), className, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// edit changes the profile as an administrator does.
func (w *world) edit(change func(*v1beta1.StorageProfile)) {
	w.t.Helper()
	p := w.profile()
	change(p)
	if _, err := w.CDI.CdiV1beta1().StorageProfiles().Update(w.t.Context(), p, metav1.UpdateOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) createClass(c *storagev1.StorageClass) {
	w.t.Helper()
	if _, err := w.Kube.StorageV1().StorageClasses().Create(w.t.Context(), c, metav1.CreateOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) deleteClass() {
	w.t.Helper()
	if err := w.Kube.StorageV1().StorageClasses().Delete(w.t.Context(), className, metav1.DeleteOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

func recognized(p *v1beta1.StorageProfile) v1beta1.ConditionState {
	for _, c := range p.Status.Conditions {
		if c.Type == v1beta1.StorageProfileRecognized {
			return c.ConditionState
		}
	}
	return v1beta1.ConditionState{}
}

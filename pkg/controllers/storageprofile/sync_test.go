// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package storageprofile

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

func rbdSnapshots() SnapshotClass { return SnapshotClass{Name: "rbd", Driver: rook} }

// firstWords returns the type and the reason of an event.
func firstWords(event string) string {
	return strings.Join(strings.Fields(event)[:2], " ")
}

func TestAProfileIsMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, known(rbdSnapshots()), nil, class(rook))
		began := time.Now()
		p := w.profile()
		if diff := cmp.Diff(map[string]string{v1beta1.LabelApp: v1beta1.LabelAppValue}, p.Labels); diff != "" {
			t.Errorf("labels (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]metav1.OwnerReference{owner(class(rook))}, p.OwnerReferences); diff != "" {
			t.Errorf("owner (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(v1beta1.StorageProfileSpec{}, p.Spec); diff != "" {
			t.Errorf("spec (-want +got):\n%s", diff)
		}
		want := v1beta1.StorageProfileStatus{
			StorageClass: new(className), Provisioner: new(rook), CloneStrategy: new(csiClone),
			ClaimPropertySets:          properties([]set{rwxBlock, rwoBlock, rwoFile}),
			DataImportCronSourceFormat: new(v1beta1.DataImportCronSourceFormatSnapshot), SnapshotClass: new("rbd"),
			Conditions: []v1beta1.StorageProfileCondition{{Type: v1beta1.StorageProfileRecognized, ConditionState: v1beta1.ConditionState{
				Status: corev1.ConditionTrue, Reason: ReasonRecognized, Message: "It is known what provisioner " + rook + " can do",
				LastTransitionTime: metav1.NewTime(began), LastHeartbeatTime: metav1.NewTime(began), ObservedGeneration: 1,
			}}},
		}
		if diff := cmp.Diff(want, p.Status); diff != "" {
			t.Errorf("status (-want +got):\n%s", diff)
		}
		if events := w.Events(); len(events) > 0 {
			t.Errorf("events %v", events)
		}
		writes := w.Writes()
		w.Pass(time.Hour)
		if got := w.Writes() - writes; got != 0 {
			t.Errorf("%d writes though nothing changed", got)
		}
	})
}

func TestTheSpecIsTheAdministrators(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, known(), nil, class(foreign))
		began := recognized(w.profile()).LastTransitionTime
		spec := v1beta1.StorageProfileSpec{ClaimPropertySets: properties([]set{rwxFile}), CloneStrategy: new(csiClone)}
		w.Pass(time.Minute)
		w.edit(func(p *v1beta1.StorageProfile) { p.Spec = spec })
		p := w.profile()
		if diff := cmp.Diff(spec, p.Spec); diff != "" {
			t.Errorf("spec (-want +got):\n%s", diff)
		}
		if got := sets(p.Status.ClaimPropertySets); got != "RWX/Filesystem" || *p.Status.CloneStrategy != csiClone {
			t.Errorf("status: %s, %s", got, *p.Status.CloneStrategy)
		}
		now := recognized(p)
		if now.ObservedGeneration != 2 || !now.LastTransitionTime.Equal(&began) || now.LastHeartbeatTime.Equal(&began) {
			t.Errorf("condition %+v, status since %s", now, began)
		}
		w.edit(func(p *v1beta1.StorageProfile) { p.Spec = v1beta1.StorageProfileSpec{} })
		if got := sets(w.profile().Status.ClaimPropertySets); got != "RWO/Filesystem" {
			t.Errorf("sets %s after the spec was emptied", got)
		}
	})
}

func TestSnapshotClassesComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, known(), nil, class(rook))
		for _, step := range []struct {
			classes []SnapshotClass
			want    string
		}{
			{nil, "pvc none"},
			{[]SnapshotClass{rbdSnapshots()}, "snapshot rbd"},
			{nil, "pvc none"},
		} {
			w.snapshots.set(step.classes...)
			status := w.profile().Status
			if got := string(*status.DataImportCronSourceFormat) + " " + ptr.Deref(status.SnapshotClass, "none"); got != step.want {
				t.Errorf("%s with classes %v, want %s", got, step.classes, step.want)
			}
		}
	})
}

func TestNothingIsDecidedBeforeSnapshotClassesAreKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		snapshots := &snapshotClasses{changes: make(chan struct{}, 8)}
		w := newWorld(t, snapshots, nil, class(rook))
		w.Pass(time.Hour)
		if p := w.profile(); p != nil {
			t.Fatalf("profile %+v", p.Status)
		}
		snapshots.set(rbdSnapshots())
		if p := w.profile(); p == nil || ptr.Deref(p.Status.SnapshotClass, "") != "rbd" {
			t.Fatalf("profile %+v", p)
		}
	})
}

func TestAProfileGoesWithItsClass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, known(), nil, class(foreign))
		w.profile()
		w.deleteClass()
		if p := w.profile(); p != nil {
			t.Errorf("profile %+v is still there", p)
		}
		w.createClass(class(rook))
		if p := w.profile(); p == nil || *p.Status.Provisioner != rook {
			t.Errorf("profile %+v of the class that was made again", p)
		}
	})
}

func TestAProfileStaysWhileTheLiveClassDoes(t *testing.T) {
	for name, answer := range map[string]struct {
		obj runtime.Object
		err error
	}{
		"it was made again meanwhile": {obj: class(foreign)},
		"it cannot be asked for":      {obj: class(foreign), err: errors.New("timeout")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, known(), nil, class(foreign))
				w.profile()
				w.Kube.PrependReactor("get", "storageclasses", func(clienttesting.Action) (bool, runtime.Object, error) {
					return true, answer.obj, answer.err
				})
				w.deleteClass()
				if w.profile() == nil {
					t.Error("profile was deleted")
				}
			})
		})
	}
}

func TestAProfileThatWaitsForItsClass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ahead := profile(v1beta1.StorageProfileSpec{CloneStrategy: new(csiClone)})
		ahead.Labels = map[string]string{v1beta1.LabelApp: "Helm"}
		w := newWorld(t, known(), []*v1beta1.StorageProfile{ahead})
		if p := w.profile(); recognized(p).Reason != ReasonNoClass || p.Status.CloneStrategy != nil {
			t.Errorf("status %+v", p.Status)
		}
		w.createClass(class(rook))
		p := w.profile()
		if recognized(p).Reason != ReasonRecognized || *p.Status.CloneStrategy != csiClone {
			t.Errorf("status %+v", p.Status)
		}
		if diff := cmp.Diff(ahead.Spec, p.Spec); diff != "" {
			t.Errorf("spec (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(ahead.Labels, p.Labels); diff != "" {
			t.Errorf("labels (-want +got):\n%s", diff)
		}
		if refs := p.OwnerReferences; len(refs) != 1 || refs[0].Kind != "StorageClass" || refs[0].Name != className {
			t.Errorf("owners %+v", refs)
		}
		want := []string{
			"Warning StorageClassNotFound There is no StorageClass fast yet: the profile counts as soon as there is",
			"Normal RecognizedProvisioner It is known what provisioner " + rook + " can do",
		}
		if diff := cmp.Diff(want, w.Events()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestTheOwnerIsTheClassThatIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other := metav1.OwnerReference{APIVersion: "v1", Kind: "Namespace", Name: "n", UID: "n-uid"}
		before := class(foreign)
		before.UID = "before"
		old := profile(v1beta1.StorageProfileSpec{CloneStrategy: new(csiClone)})
		old.OwnerReferences = []metav1.OwnerReference{owner(before), other}
		w := newWorld(t, known(), []*v1beta1.StorageProfile{old}, class(foreign))
		p := w.profile()
		if diff := cmp.Diff([]metav1.OwnerReference{other, owner(class(foreign))}, p.OwnerReferences); diff != "" {
			t.Errorf("owners (-want +got):\n%s", diff)
		}
		if *p.Spec.CloneStrategy != csiClone {
			t.Errorf("spec %+v", p.Spec)
		}
	})
}

func TestAnnotationsAreOnlyAdded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const driver = "pd.csi.storage.gke.io"
		images := SnapshotClass{Name: "images", Driver: driver, Parameters: map[string]string{"snapshot-type": "images"}}
		w := newWorld(t, known(images), nil, class(driver, withParameter(paramType, "hyperdisk-balanced")))
		want := map[string]string{AnnMinimumSize: "4Gi", AnnImportReadWriteOnce: "true", AnnImportSnapshotClass: "images"}
		if diff := cmp.Diff(want, w.profile().Annotations); diff != "" {
			t.Errorf("annotations (-want +got):\n%s", diff)
		}
		w.edit(func(p *v1beta1.StorageProfile) {
			p.Annotations[AnnMinimumSize], p.Annotations[AnnImportReadWriteOnce], p.Annotations["x"] = "8Gi", "", "y"
			delete(p.Annotations, AnnImportSnapshotClass)
		})
		want = map[string]string{AnnMinimumSize: "8Gi", AnnImportReadWriteOnce: "", AnnImportSnapshotClass: "images", "x": "y"}
		if diff := cmp.Diff(want, w.profile().Annotations); diff != "" {
			t.Errorf("annotations (-want +got):\n%s", diff)
		}
	})
}

func TestVolumesOfAClassWithoutAProvisioner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		elsewhere := volume("b", new(corev1.PersistentVolumeBlock), corev1.ReadWriteMany)
		elsewhere.Spec.StorageClassName = "slow"
		w := newWorld(t, known(), nil, class(noProvisioner), elsewhere)
		if got := recognized(w.profile()).Reason; got != ReasonNoVolumes {
			t.Errorf("reason %s", got)
		}
		volumes := w.Kube.CoreV1().PersistentVolumes()
		if _, err := volumes.Create(t.Context(), volume("a", nil, corev1.ReadWriteMany), metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		if p := w.profile(); sets(p.Status.ClaimPropertySets) != "RWX/Filesystem" || recognized(p).Reason != ReasonRecognized {
			t.Errorf("status %+v", p.Status)
		}
		if err := volumes.Delete(t.Context(), "a", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := recognized(w.profile()).Reason; got != ReasonNoVolumes {
			t.Errorf("reason %s", got)
		}
		want := []string{"Warning NoVolumes", "Normal RecognizedProvisioner", "Warning NoVolumes"}
		var got []string
		for _, event := range w.Events() {
			got = append(got, firstWords(event))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestAProfileThatIsDeletedComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, known(), nil, class(foreign))
		first := w.profile()
		if err := w.CDI.CdiV1beta1().StorageProfiles().Delete(t.Context(), className, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		if second := w.profile(); second == nil || second.UID == first.UID || recognized(second).Reason != ReasonUnrecognized {
			t.Errorf("profile %+v", second)
		}
	})
}

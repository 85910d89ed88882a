// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/status"
	"goldenimage.dev/test/gen"
)

// paths are all ways to fill a volume.
func paths() map[string]func() []runtime.Object {
	with := func(dv *v1beta1.DataVolume, more ...runtime.Object) func() []runtime.Object {
		return func() []runtime.Object { return append(append(infrastructure(), dv.DeepCopy()), more...) }
	}
	tagged := func(dv *v1beta1.DataVolume) {
		dv.Spec.Source.Registry.URL = new("docker://registry.example/fedora:latest")
	}
	node := func(dv *v1beta1.DataVolume) {
		dv.Spec.Source.Registry.PullMethod = ptr.To(v1beta1.RegistryPullNode)
	}
	return map[string]func() []runtime.Object{
		"import, direct":                                      with(importVolume("plain")),
		"import, direct, late binding":                        with(importVolume("plain-late", node)),
		"import, hand-over":                                   with(importVolume("csi", node)),
		"import, hand-over, late binding":                     with(importVolume("csi-late", tagged)),
		"import of a file, direct":                            with(fileVolume("plain")),
		"import of a file, hand-over":                         with(fileVolume("csi")),
		"clone, direct":                                       with(cloneVolume("plain", gen.Namespace, "src"), sourceClaim(gen.Namespace, "src")...),
		"clone, hand-over":                                    with(cloneVolume("csi", gen.Namespace, "src"), sourceClaim(gen.Namespace, "src")...),
		"clone, other namespace":                              with(cloneVolume("csi", "os-images", "src"), sourceClaim("os-images", "src")...),
		"clone, other namespace, late binding":                with(cloneVolume("csi-late", "os-images", "src"), sourceClaim("os-images", "src")...),
		"clone, other namespace, no CSI driver":               with(cloneVolume("plain", "os-images", "src"), sourceClaim("os-images", "src")...),
		"clone, other namespace, no CSI driver, late binding": with(cloneVolume("plain-late", "os-images", "src"), sourceClaim("os-images", "src")...),
	}
}

// digest tells all that matters of a world at the end.
func (w *world) digest() []string {
	w.t.Helper()
	dv := w.volume()
	lines := []string{fmt.Sprintf("dv %s %s claim=%s finalizers=%v ready=%s", dv.Status.Phase, dv.Status.Progress, dv.Status.ClaimName, dv.Finalizers,
		status.Volume(dv.Status.Conditions, v1beta1.DataVolumeReady).Status)}
	claims := w.allClaims()
	for _, claim := range claims {
		lines = append(lines, fmt.Sprintf("claim %s/%s %s populated=%s size=%s content=%s",
			claim.Namespace, claim.Name, claim.Status.Phase, claim.Annotations[v1beta1.AnnPopulated], claim.Annotations[v1beta1.AnnVirtualSize], w.contents[claim.Spec.VolumeName]))
	}
	for _, pv := range w.allVolumes() {
		of := slices.IndexFunc(claims, func(claim corev1.PersistentVolumeClaim) bool { return claim.UID == pv.Spec.ClaimRef.UID })
		lines = append(lines, fmt.Sprintf("volume %s of %s/%s (%t) annotations=%v", pv.Spec.PersistentVolumeReclaimPolicy, pv.Spec.ClaimRef.Namespace, pv.Spec.ClaimRef.Name, of >= 0, pv.Annotations))
	}
	for _, pod := range w.allPods() {
		lines = append(lines, "pod "+pod.Name)
	}
	slices.Sort(lines)
	return append(lines, fmt.Sprintf("lost=%v", w.lost))
}

// wanted is the digest of a world whose volume was filled, whatever happened on the way.
func wanted(source *corev1.PersistentVolumeClaim) []string {
	lines := []string{
		"claim golden-images/fedora Bound populated=true size=5368709120 content=complete",
		"dv Succeeded 100.0% claim=fedora finalizers=[] ready=True",
		"volume Delete of golden-images/fedora (true) annotations=map[]",
	}
	if source != nil {
		lines = append(lines,
			fmt.Sprintf("claim %s/src Bound populated=true size=5368709120 content=", source.Namespace),
			fmt.Sprintf("volume Delete of %s/src (true) annotations=map[]", source.Namespace))
	}
	slices.Sort(lines)
	return append(lines, "lost=[]")
}

func sourceOf(objects []runtime.Object) *corev1.PersistentVolumeClaim {
	for _, object := range objects {
		if claim, ok := object.(*corev1.PersistentVolumeClaim); ok {
			return claim
		}
	}
	return nil
}

func TestVolumeIsFilled(t *testing.T) {
	for name, objects := range paths() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, objects()...)
			w.settle()
			if diff := cmp.Diff(wanted(sourceOf(objects())), w.digest()); diff != "" {
				t.Errorf("end (-want +got):\n%s", diff)
			}
		})
	}
}

// TestVolumeIsFilledWhateverFails lets each write of each path fail once, before and after it
// took effect, and the process begin anew after it.
func TestVolumeIsFilledWhateverFails(t *testing.T) {
	for name, objects := range paths() {
		for _, landed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, landed %t", name, landed), func(t *testing.T) {
				for failAt := 0; ; failAt++ {
					w := newWorld(t, objects()...)
					w.failAt, w.landed = failAt, landed
					if !w.survive() {
						if failAt < 8 {
							t.Fatalf("only %d writes were seen", failAt)
						}
						return
					}
					if diff := cmp.Diff(wanted(sourceOf(objects())), w.digest()); diff != "" {
						t.Fatalf("end after write %d failed (-want +got):\n%s", failAt, diff)
					}
				}
			})
		}
	}
}

// survive settles a world in which a write fails, and tells whether one did.
func (w *world) survive() bool {
	w.t.Helper()
	failed := false
	for range 100 {
		before := w.writes
		_, err := w.step(nil)
		if err != nil && !errors.Is(err, errInjected) {
			w.t.Fatal(err)
		}
		if err != nil {
			failed = true
			w.failAt = -1
			w.restart()
			continue
		}
		if w.writes == before {
			return failed
		}
	}
	w.t.Fatal("the volume does not settle")
	return false
}

// TestVolumeIsFilledWithStaleCaches lets each cache lag behind by chance. Of one kind of object
// changes are seen in their order, of several kinds in any.
func TestVolumeIsFilledWithStaleCaches(t *testing.T) {
	for name, objects := range paths() {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(12) {
				w := newWorld(t, objects()...)
				lot := rand.New(rand.NewPCG(seed, 1))
				for range 100 {
					// Errors are what the runner tries again after.
					_, _ = w.step(lot)
				}
				w.settle()
				if diff := cmp.Diff(wanted(sourceOf(objects())), w.digest()); diff != "" {
					t.Fatalf("end with seed %d (-want +got):\n%s", seed, diff)
				}
			}
		})
	}
}

func TestPhasesOfAnImportByHandOver(t *testing.T) {
	w := newWorld(t, append(infrastructure(), importVolume("csi"))...)
	var seen []string
	for range 40 {
		if _, err := w.step(nil); err != nil {
			t.Fatal(err)
		}
		st := w.volume().Status
		line := fmt.Sprintf("%s %s", st.Phase, st.Progress)
		for _, kind := range []v1beta1.DataVolumeConditionType{v1beta1.DataVolumeBound, v1beta1.DataVolumeRunning, v1beta1.DataVolumeReady} {
			if c := status.Volume(st.Conditions, kind); c != nil {
				line += fmt.Sprintf(" %s=%s(%s)", kind, c.Status, c.Reason)
			}
		}
		if len(seen) == 0 || seen[len(seen)-1] != line {
			seen = append(seen, line)
		}
	}
	want := []string{
		"Pending N/A Bound=False(NotFound) Running=False(Pending) Ready=False(Pending)",
		"Pending N/A Bound=False(Pending) Running=False(Pending) Ready=False(Pending)",
		"ImportInProgress 12.34% Bound=False(Pending) Running=True(Pod is running) Ready=False(TransferRunning)",
		"ImportInProgress 100.0% Bound=False(Pending) Running=False(Completed) Ready=False(Completed)",
		"RebindInProgress 100.0% Bound=False(Pending) Running=False(Completed) Ready=False(Completed)",
		"RebindInProgress 100.0% Bound=True(Bound) Running=False(Completed) Ready=False(Completed)",
		"Succeeded 100.0% Bound=True(Bound) Running=False(Completed) Ready=True()",
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("phases (-want +got):\n%s", diff)
	}
	wantEvents := []string{
		"Normal PopulationMethod Method hand-over: csi.example is a CSI driver, so the claim can wait unbound until its volume is complete",
		"Normal ImportInProgress Import into fedora in progress",
		"Normal RebindInProgress The volume is complete, and being handed over to PVC fedora",
		"Normal ImportSucceeded Successfully imported into PVC fedora",
	}
	if diff := cmp.Diff(wantEvents, w.recorded()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func (w *world) recorded() []string {
	var all []string
	for {
		select {
		case e := <-w.events.Events:
			all = append(all, e)
		default:
			return all
		}
	}
}

func TestLabelsAndAnnotationsOfAnImportedClaim(t *testing.T) {
	w := newWorld(t, append(infrastructure(), importVolume("csi"))...)
	w.settle()
	claim, err := w.kube.CoreV1().PersistentVolumeClaims(gen.Namespace).Get(t.Context(), "fedora", metav1.GetOptions{})
	w.must(err)
	wantLabels := map[string]string{
		v1beta1.LabelDataImportCron: "fedora-cron", "team": "images",
		"instancetype.kubevirt.io/default-instancetype": "u1.small",
	}
	if diff := cmp.Diff(wantLabels, claim.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	wantAnnotations := map[string]string{
		v1beta1.AnnImmediateBind: "true", v1beta1.AnnLastUseTime: "2026-10-01T12:00:00Z", v1beta1.AnnSourceDigest: testDigest,
		v1beta1.AnnPopulationMethod: v1beta1.MethodHandOver, v1beta1.AnnPopulated: "true", v1beta1.AnnVirtualSize: "5368709120",
	}
	if diff := cmp.Diff(wantAnnotations, claim.Annotations); diff != "" {
		t.Errorf("annotations (-want +got):\n%s", diff)
	}
}

func (w *world) running(kind v1beta1.DataVolumeConditionType) string {
	w.t.Helper()
	c := status.Volume(w.volume().Status.Conditions, kind)
	if c == nil {
		return ""
	}
	return c.Reason + ": " + c.Message
}

func (w *world) expect(kind v1beta1.DataVolumeConditionType, want string) {
	w.t.Helper()
	if got := w.running(kind); !strings.HasPrefix(got, want) {
		w.t.Errorf("condition %s is %q, want %q", kind, got, want)
	}
}

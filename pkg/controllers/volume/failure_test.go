// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	importerv1 "goldenimage.dev/pkg/apis/importer/v1"
	"goldenimage.dev/test/gen"
)

func TestWorkerThatFailsForGood(t *testing.T) {
	for name, objects := range paths() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, objects()...)
			w.outcome = func(*corev1.Pod) (int32, importerv1.Result) {
				return importerv1.ExitPermanent, importerv1.Result{Reason: importerv1.ReasonNoDisk, Message: "The image holds no /disk."}
			}
			w.until(v1beta1.Failed)
			dv := w.settle()
			w.expect(running, "NoDiskInImage: The image holds no /disk.")
			w.expect(ready, "NoDiskInImage: The image holds no /disk.")
			if len(w.allPods()) > 0 || len(dv.Finalizers) > 0 {
				t.Errorf("%d pods and finalizers %v are left", len(w.allPods()), dv.Finalizers)
			}
			for _, claim := range w.allClaims() {
				if strings.HasPrefix(claim.Name, "prime-") || claim.Name == "fedora" && populated(&claim) {
					t.Errorf("claim %s is left, annotations %v", claim.Name, claim.Annotations)
				}
			}
			if got := w.recorded(); !strings.HasPrefix(got[len(got)-1], "Warning NoDiskInImage") {
				t.Errorf("events are %q", got)
			}
		})
	}
}

func TestWorkerThatFailsOnce(t *testing.T) {
	w := newWorld(t, append(infrastructure(), importVolume("csi"))...)
	w.outcome = func(pod *corev1.Pod) (int32, importerv1.Result) {
		if pod.Status.ContainerStatuses[0].RestartCount == 0 {
			return importerv1.ExitRetry, importerv1.Result{Reason: importerv1.ReasonUnreachable, Message: "No connection."}
		}
		return 0, done()
	}
	for w.running(running) != "SourceUnreachable: No connection." {
		if _, err := w.step(nil); err != nil {
			t.Fatal(err)
		}
	}
	if dv := w.volume(); dv.Status.Phase != v1beta1.ImportInProgress || dv.Status.RestartCount != 1 {
		t.Errorf("phase %s, restarts %d", dv.Status.Phase, dv.Status.RestartCount)
	}
	// The simulated kubelet does not start it again: another one does.
	w.must(w.kube.CoreV1().Pods(gen.Namespace).Delete(t.Context(), w.allPods()[0].Name, metav1.DeleteOptions{}))
	w.outcome = func(*corev1.Pod) (int32, importerv1.Result) { return 0, done() }
	if dv := w.until(v1beta1.Succeeded); dv.Status.RestartCount != 2 {
		t.Errorf("restarts are %d, want 2", dv.Status.RestartCount)
	}
}

func TestPodThatIsEvicted(t *testing.T) {
	w := newWorld(t, append(infrastructure(), importVolume("csi"))...)
	w.until(v1beta1.ImportInProgress)
	pod := w.allPods()[0]
	pod.Status = corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted", Message: "The node was low on memory.", Conditions: []corev1.PodCondition{{
		Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(w.clock.Now()),
	}}}
	_, err := w.kube.CoreV1().Pods(pod.Namespace).Update(t.Context(), &pod, metav1.UpdateOptions{})
	w.must(err)
	again, err := w.step(nil)
	w.must(err)
	w.expect(running, "Evicted: The node was low on memory.")
	if again != firstRestart || len(w.allPods()) != 1 {
		t.Errorf("looks again after %s with %d pods, want %s and 1", again, len(w.allPods()), firstRestart)
	}
	w.clock.Step(again)
	if dv := w.until(v1beta1.Succeeded); dv.Status.RestartCount != 1 {
		t.Errorf("restarts are %d, want 1", dv.Status.RestartCount)
	}
}

func TestWorkerIsNotMadeTwiceForACompleteClaim(t *testing.T) {
	for name, className := range map[string]string{"direct": "plain", "hand-over": "csi"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, append(infrastructure(), importVolume(className))...)
			for len(w.allPods()) == 0 || w.allPods()[0].Status.Phase != corev1.PodSucceeded {
				if _, err := w.step(nil); err != nil {
					t.Fatal(err)
				}
			}
			w.refresh(nil)
			_, err := w.c.Sync(t.Context(), w.key)
			w.must(err)
			// The claim is marked, but not seen to be; somebody removes the pod, and that is seen.
			w.must(w.kube.CoreV1().Pods(gen.Namespace).Delete(t.Context(), w.allPods()[0].Name, metav1.DeleteOptions{}))
			w.must(w.config.Pods.Informer().GetIndexer().Replace(nil, ""))
			again, err := w.c.Sync(t.Context(), w.key)
			w.must(err)
			if again != stalePause || len(w.allPods()) != 0 {
				t.Errorf("looks again after %s with %d pods", again, len(w.allPods()))
			}
		})
	}
}

func TestClaimThatIsDeletedWhileItIsHandedItsVolume(t *testing.T) {
	for name, className := range map[string]string{"made early": "csi", "made late": "plain"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, append(append(infrastructure(), cloneVolume(className, "os-images", "src")), sourceClaim("os-images", "src")...)...)
			moved := func() bool {
				for _, pv := range w.allVolumes() {
					if pv.Spec.ClaimRef.Namespace == gen.Namespace {
						return true
					}
				}
				return false
			}
			for !moved() {
				w.refresh(nil)
				_, err := w.c.Sync(t.Context(), w.key)
				w.must(err)
				if !moved() {
					w.inCluster = true
					w.cluster()
					w.inCluster = false
				}
			}
			w.deleteClaim(gen.Namespace, "fedora")
			w.until(v1beta1.Succeeded)
			w.settle()
			if diff := cmp.Diff(wanted(sourceClaim("os-images", "src")[0].(*corev1.PersistentVolumeClaim)), w.digest()); diff != "" {
				t.Errorf("end (-want +got):\n%s", diff)
			}
		})
	}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"encoding/json"
	"slices"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	importerv1 "goldenimage.dev/pkg/apis/importer/v1"
)

// cluster does what Kubernetes would do next: collect garbage, provision, bind, run pods.
func (w *world) cluster() {
	w.t.Helper()
	w.collect()
	w.provision()
	w.bind()
	if !w.paused {
		w.run()
	}
}

func (w *world) allClaims() []corev1.PersistentVolumeClaim {
	w.t.Helper()
	list, err := w.kube.CoreV1().PersistentVolumeClaims("").List(w.ctx, metav1.ListOptions{})
	w.must(err)
	return list.Items
}

func (w *world) allVolumes() []corev1.PersistentVolume {
	w.t.Helper()
	list, err := w.kube.CoreV1().PersistentVolumes().List(w.ctx, metav1.ListOptions{})
	w.must(err)
	return list.Items
}

func (w *world) allPods() []corev1.Pod {
	w.t.Helper()
	list, err := w.kube.CoreV1().Pods("").List(w.ctx, metav1.ListOptions{})
	w.must(err)
	return list.Items
}

// collect removes what belongs to a DataVolume that is gone.
func (w *world) collect() {
	w.t.Helper()
	orphan := func(obj metav1.Object) bool {
		owner := metav1.GetControllerOf(obj)
		if owner == nil {
			return false
		}
		dv, err := w.cdi.CdiV1beta1().DataVolumes(obj.GetNamespace()).Get(w.ctx, owner.Name, metav1.GetOptions{})
		return apierrors.IsNotFound(err) || err == nil && dv.UID != owner.UID
	}
	for _, pod := range w.allPods() {
		if orphan(&pod) {
			w.must(w.kube.CoreV1().Pods(pod.Namespace).Delete(w.ctx, pod.Name, metav1.DeleteOptions{}))
		}
	}
	for _, claim := range w.allClaims() {
		if orphan(&claim) {
			w.must(w.kube.CoreV1().PersistentVolumeClaims(claim.Namespace).Delete(w.ctx, claim.Name, metav1.DeleteOptions{}))
		}
	}
}

func (w *world) provision() {
	w.t.Helper()
	for _, claim := range w.allClaims() {
		if claim.Spec.VolumeName != "" || claim.Spec.StorageClassName == nil || w.promised(&claim) {
			continue
		}
		class, err := w.kube.StorageV1().StorageClasses().Get(w.ctx, *claim.Spec.StorageClassName, metav1.GetOptions{})
		w.must(err)
		_, err = w.kube.StorageV1().CSIDrivers().Get(w.ctx, class.Provisioner, metav1.GetOptions{})
		if err == nil && claim.Spec.DataSourceRef != nil {
			continue
		}
		if *class.VolumeBindingMode == storagev1.VolumeBindingWaitForFirstConsumer && claim.Annotations[annSelectedNode] == "" {
			continue
		}
		_, err = w.kube.CoreV1().PersistentVolumes().Create(w.ctx, &corev1.PersistentVolume{
			ObjectMeta: metav1.ObjectMeta{Name: "pv-" + string(claim.UID)},
			Spec: corev1.PersistentVolumeSpec{
				PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimDelete,
				ClaimRef:                      &corev1.ObjectReference{Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID},
			},
		}, metav1.CreateOptions{})
		w.must(err)
	}
}

// promised tells whether a volume names a claim.
func (w *world) promised(claim *corev1.PersistentVolumeClaim) bool {
	return slices.ContainsFunc(w.allVolumes(), func(pv corev1.PersistentVolume) bool {
		return pv.Spec.ClaimRef != nil && pv.Spec.ClaimRef.UID == claim.UID
	})
}

func (w *world) bind() {
	w.t.Helper()
	claims := w.allClaims()
	for _, pv := range w.allVolumes() {
		ref := pv.Spec.ClaimRef
		found := slices.IndexFunc(claims, func(claim corev1.PersistentVolumeClaim) bool { return claim.UID == ref.UID })
		if found < 0 {
			if pv.Spec.PersistentVolumeReclaimPolicy == corev1.PersistentVolumeReclaimDelete {
				if w.contents[pv.Name] == "complete" {
					w.lost = append(w.lost, pv.Name)
				}
				w.must(w.kube.CoreV1().PersistentVolumes().Delete(w.ctx, pv.Name, metav1.DeleteOptions{}))
			}
			continue
		}
		claim := &claims[found]
		if claim.Namespace != ref.Namespace || claim.Name != ref.Name {
			w.t.Fatalf("volume %s has a claimRef of two claims: %+v", pv.Name, ref)
		}
		if claim.Spec.VolumeName == "" || claim.Spec.VolumeName == pv.Name && claim.Status.Phase == "" {
			claim.Spec.VolumeName, claim.Status.Phase = pv.Name, corev1.ClaimBound
			w.updateClaim(claim)
		}
	}
	for i := range claims {
		claim := &claims[i]
		if claim.Status.Phase != corev1.ClaimBound {
			continue
		}
		pv, err := w.kube.CoreV1().PersistentVolumes().Get(w.ctx, claim.Spec.VolumeName, metav1.GetOptions{})
		if err != nil || pv.Spec.ClaimRef.UID != claim.UID {
			claim.Status.Phase = corev1.ClaimLost
			w.updateClaim(claim)
		}
	}
}

func (w *world) updateClaim(claim *corev1.PersistentVolumeClaim) {
	w.t.Helper()
	_, err := w.kube.CoreV1().PersistentVolumeClaims(claim.Namespace).Update(w.ctx, claim, metav1.UpdateOptions{})
	w.must(err)
}

// run moves each pod on by one state.
func (w *world) run() {
	w.t.Helper()
	for _, pod := range w.allPods() {
		pv, ready := w.mounted(&pod)
		if !ready || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
			continue
		}
		status := corev1.ContainerStatus{Name: containerName}
		if pod.Status.Phase != corev1.PodRunning {
			if w.marked(pv) {
				w.t.Errorf("a worker writes into volume %s, which is complete", pv)
			}
			w.contents[pv] = "partial"
			pod.Status.Phase = corev1.PodRunning
			status.State.Running = &corev1.ContainerStateRunning{}
		} else {
			w.end(&pod, &status, pv)
		}
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{status}
		_, err := w.kube.CoreV1().Pods(pod.Namespace).Update(w.ctx, &pod, metav1.UpdateOptions{})
		w.must(err)
	}
}

// marked tells whether a claim says that a volume is complete.
func (w *world) marked(pv string) bool {
	w.t.Helper()
	return slices.ContainsFunc(w.allClaims(), func(claim corev1.PersistentVolumeClaim) bool {
		return claim.Spec.VolumeName == pv && populated(&claim)
	})
}

func (w *world) end(pod *corev1.Pod, status *corev1.ContainerStatus, pv string) {
	w.t.Helper()
	exit, result := w.outcome(pod)
	message, err := json.Marshal(result)
	w.must(err)
	ended := &corev1.ContainerStateTerminated{ExitCode: exit, Message: string(message), FinishedAt: metav1.NewTime(w.clock.Now())}
	if exit == importerv1.ExitDone {
		w.contents[pv] = "complete"
		pod.Status.Phase = corev1.PodSucceeded
		status.State.Terminated = ended
		return
	}
	if len(pod.Status.ContainerStatuses) > 0 {
		status.RestartCount = pod.Status.ContainerStatuses[0].RestartCount + 1
	}
	status.State.Waiting = &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}
	status.LastTerminationState.Terminated = ended
}

// mounted returns the volume that a pod writes to, and whether all its claims are bound. It
// plays the scheduler for those that wait for their first consumer.
func (w *world) mounted(pod *corev1.Pod) (target string, ready bool) {
	w.t.Helper()
	ready = true
	for _, volume := range pod.Spec.Volumes {
		if volume.PersistentVolumeClaim == nil {
			continue
		}
		claim, err := w.kube.CoreV1().PersistentVolumeClaims(pod.Namespace).Get(w.ctx, volume.PersistentVolumeClaim.ClaimName, metav1.GetOptions{})
		if err != nil {
			return "", false
		}
		if claim.Status.Phase != corev1.ClaimBound {
			ready = false
			if claim.Spec.VolumeName == "" && claim.Annotations[annSelectedNode] == "" {
				metav1.SetMetaDataAnnotation(&claim.ObjectMeta, annSelectedNode, testNode)
				w.updateClaim(claim)
			}
		}
		if volume.Name == volumeTarget {
			target = claim.Spec.VolumeName
		}
	}
	return target, ready
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// errStale tells that the caches lag behind what was found in the cluster itself.
var errStale = errors.New("the cached state is not the latest")

// take takes a step. A *problem tells that the cluster refused it for a reason that its user can
// mend; after any other error the step is taken again.
func (c *Controller) take(ctx context.Context, in *input, d decision) error {
	switch d.step {
	case stepPinSource:
		return c.pinSource(ctx, in)
	case stepPinDigest:
		return c.pinDigest(ctx, in)
	case stepCreateTarget:
		return c.createClaim(ctx, in, renderTarget(in, c.overhead))
	case stepCreateBoundTarget:
		return c.createClaim(ctx, in, renderTargetFor(in, in.filled))
	case stepAdopt:
		return c.adopt(ctx, in)
	case stepCreatePrime:
		return c.createClaim(ctx, in, renderPrime(in, c.overhead))
	case stepCreateWorker:
		return c.createWorker(ctx, in)
	case stepMarkFilled:
		return c.markFilled(ctx, in, d.result)
	case stepRebind:
		return c.rebind(ctx, in)
	case stepMarkTarget:
		return c.markTarget(ctx, in)
	default:
		return c.cleanUp(ctx, in, d.step)
	}
}

// cleanUp takes a step that removes something.
func (c *Controller) cleanUp(ctx context.Context, in *input, s step) error {
	switch s {
	case stepDeleteWorker:
		return c.deleteWorker(ctx, in.worker)
	case stepRestorePolicy:
		return c.restorePolicy(ctx, in.filled)
	case stepDeletePrime:
		return c.deleteClaim(ctx, in.prime)
	case stepRemoveFinalizer:
		return c.removeFinalizer(ctx, in.volume)
	default:
		return fmt.Errorf("unknown step %q", s)
	}
}

// confirm asks the API whether a DataVolume is still to be filled. Caches are filled each for
// itself: one may show that a claim is gone before another shows that it is because the
// volume is complete.
func (c *Controller) confirm(ctx context.Context, in *input) error {
	dv, err := c.cdi.CdiV1beta1().DataVolumes(in.volume.Namespace).Get(ctx, in.volume.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return fmt.Errorf("data volume is gone: %w", errStale)
	case err != nil:
		return fmt.Errorf("get data volume: %w", err)
	case dv.UID != in.volume.UID, dv.DeletionTimestamp != nil, dv.Status.Phase == v1beta1.Succeeded, dv.Status.Phase == v1beta1.Failed,
		dv.Annotations[v1beta1.AnnCloneSource] != in.volume.Annotations[v1beta1.AnnCloneSource],
		dv.Annotations[v1beta1.AnnCloneSourceUID] != in.volume.Annotations[v1beta1.AnnCloneSourceUID]:
		return fmt.Errorf("data volume has changed: %w", errStale)
	}
	return nil
}

func (c *Controller) createClaim(ctx context.Context, in *input, claim *corev1.PersistentVolumeClaim) error {
	if err := c.confirm(ctx, in); err != nil {
		return err
	}
	claims := c.kube.CoreV1().PersistentVolumeClaims(claim.Namespace)
	_, err := claims.Create(ctx, claim, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		have, err := claims.Get(ctx, claim.Name, metav1.GetOptions{})
		if err != nil {
			return fmt.Errorf("get claim %s: %w", keyOf(claim), err)
		}
		if !serves(have, in.volume) && ownershipOf(have, in.volume) == foreign {
			return taken(have)
		}
		return nil
	}
	if err != nil {
		return refused(err, reasonClaimNotValid, fmt.Sprintf("PVC %s cannot be made", keyOf(claim)))
	}
	if in.method.reason != "" {
		c.recorder.Eventf(in.volume, corev1.EventTypeNormal, eventPopulationMethod, "Method %s: %s", in.method.name, in.method.reason)
	}
	return nil
}

// createWorker makes the pod that fills a claim, unless the claim is complete: two workers after
// each other would overwrite what may be in use.
func (c *Controller) createWorker(ctx context.Context, in *input) error {
	if err := c.confirm(ctx, in); err != nil {
		return err
	}
	fill := in.fill()
	live, err := c.kube.CoreV1().PersistentVolumeClaims(fill.Namespace).Get(ctx, fill.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return fmt.Errorf("claim %s is gone: %w", keyOf(fill), errStale)
	case err != nil:
		return fmt.Errorf("get claim %s: %w", keyOf(fill), err)
	case live.UID != fill.UID, live.DeletionTimestamp != nil, populated(live):
		return fmt.Errorf("claim %s has changed: %w", keyOf(fill), errStale)
	}
	pod, err := renderWorker(in, c.worker)
	if err != nil {
		return err
	}
	pods := c.kube.CoreV1().Pods(pod.Namespace)
	_, err = pods.Create(ctx, pod, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		have, err := pods.Get(ctx, pod.Name, metav1.GetOptions{})
		if err != nil {
			return fmt.Errorf("get pod %s: %w", keyOf(pod), err)
		}
		if !serves(have, in.volume) {
			return problemf(reasonResourceExists, "Pod %s exists and does not belong to this DataVolume: delete it", keyOf(pod))
		}
		return nil
	}
	if err != nil {
		return refused(err, reasonWorkerRejected, fmt.Sprintf("Pod %s cannot be made", keyOf(pod)))
	}
	return nil
}

// refused turns what the API says of the object itself into a *problem.
func refused(err error, reason, what string) error {
	switch {
	case apierrors.IsForbidden(err) && strings.Contains(err.Error(), "exceeded quota"):
		return problemf(reasonExceededQuota, "%s: %s", what, err)
	case apierrors.IsForbidden(err), apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		return problemf(reason, "%s: %s", what, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// deleteWorker deletes a pod, and no other of its name.
func (c *Controller) deleteWorker(ctx context.Context, pod *corev1.Pod) error {
	err := c.kube.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, only(pod.UID))
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete pod %s: %w", keyOf(pod), err)
	}
	return nil
}

func (c *Controller) deleteClaim(ctx context.Context, claim *corev1.PersistentVolumeClaim) error {
	err := c.kube.CoreV1().PersistentVolumeClaims(claim.Namespace).Delete(ctx, claim.Name, only(claim.UID))
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete claim %s: %w", keyOf(claim), err)
	}
	return nil
}

func only(uid types.UID) metav1.DeleteOptions {
	return metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(uid))}
}

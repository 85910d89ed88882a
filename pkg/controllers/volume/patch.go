// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	importerv1 "goldenimage.dev/pkg/apis/importer/v1"
)

// A patch is a JSON merge patch, in which nil removes.
type patch map[string]any

func (c *Controller) patchVolume(ctx context.Context, dv *v1beta1.DataVolume, metadata patch) error {
	body, err := json.Marshal(patch{"metadata": metadata})
	if err != nil {
		return fmt.Errorf("encode patch: %w", err)
	}
	_, err = c.cdi.CdiV1beta1().DataVolumes(dv.Namespace).Patch(ctx, dv.Name, types.MergePatchType, body, metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("patch data volume: %w", err)
	}
	return nil
}

// pinSource notes on a clone what it copies, before anything is made for it. A source that
// changes meanwhile, or shall be deleted, is thus known to be in use.
func (c *Controller) pinSource(ctx context.Context, in *input) error {
	dv := in.volume
	metadata := patch{"resourceVersion": dv.ResourceVersion, "annotations": patch{
		v1beta1.AnnCloneSource:    keyOf(in.source).String(),
		v1beta1.AnnCloneSourceUID: string(in.source.UID),
	}}
	if in.home != dv.Namespace && !slices.Contains(dv.Finalizers, v1beta1.FinalizerDataVolume) {
		metadata["finalizers"] = append(slices.Clone(dv.Finalizers), v1beta1.FinalizerDataVolume)
	}
	return c.patchVolume(ctx, dv, metadata)
}

func (c *Controller) pinDigest(ctx context.Context, in *input) error {
	return c.patchVolume(ctx, in.volume, patch{"resourceVersion": in.volume.ResourceVersion, "annotations": patch{
		v1beta1.AnnSourceDigest: in.image.digest(),
	}})
}

func (c *Controller) removeFinalizer(ctx context.Context, dv *v1beta1.DataVolume) error {
	rest := slices.DeleteFunc(slices.Clone(dv.Finalizers), func(f string) bool { return f == v1beta1.FinalizerDataVolume })
	err := c.patchVolume(ctx, dv, patch{"resourceVersion": dv.ResourceVersion, "finalizers": rest})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func (c *Controller) patchClaim(ctx context.Context, claim *corev1.PersistentVolumeClaim, metadata patch) error {
	metadata["uid"] = string(claim.UID)
	body, err := json.Marshal(patch{"metadata": metadata})
	if err != nil {
		return fmt.Errorf("encode patch: %w", err)
	}
	_, err = c.kube.CoreV1().PersistentVolumeClaims(claim.Namespace).Patch(ctx, claim.Name, types.MergePatchType, body, metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("patch claim %s: %w", keyOf(claim), err)
	}
	return nil
}

// adopt makes a claim the DataVolume's as it is.
func (c *Controller) adopt(ctx context.Context, in *input) error {
	return c.patchClaim(ctx, in.target, patch{
		"resourceVersion": in.target.ResourceVersion,
		"ownerReferences": append(slices.Clone(in.target.OwnerReferences), ownerReference(in.volume)),
		"annotations":     patch{v1beta1.AnnPopulated: yes, v1beta1.AnnPopulationMethod: nil},
	})
}

// markFilled notes on the claim that was filled what the worker said. It is the one record of
// it: only then may the worker go.
func (c *Controller) markFilled(ctx context.Context, in *input, result *importerv1.Result) error {
	claim := in.fill()
	annotations := patch{v1beta1.AnnPopulated: yes}
	if size := result.VirtualSizeBytes; size > 0 {
		if !isBlock(claim) {
			// The worker has grown the disk to what was asked for.
			size = max(size, requestedSize(in.volume))
		}
		annotations[v1beta1.AnnVirtualSize] = strconv.FormatInt(size, 10)
	}
	labels := imageLabels(result.Labels)
	if in.source != nil {
		maps.Copy(labels, imageLabels(in.source.Labels))
	}
	return c.patchClaim(ctx, claim, patch{"annotations": annotations, "labels": missing(labels, claim.Labels)})
}

// markTarget notes on the claim what is noted on the prime claim whose volume it got.
func (c *Controller) markTarget(ctx context.Context, in *input) error {
	annotations := patch{v1beta1.AnnPopulated: yes}
	if size, ok := in.prime.Annotations[v1beta1.AnnVirtualSize]; ok {
		annotations[v1beta1.AnnVirtualSize] = size
	}
	return c.patchClaim(ctx, in.target, patch{
		"annotations": annotations, "labels": missing(imageLabels(in.prime.Labels), in.target.Labels),
	})
}

// missing returns what add has and have has not.
func missing(add, have map[string]string) patch {
	labels := patch{}
	for key, value := range add {
		if _, ok := have[key]; !ok {
			labels[key] = value
		}
	}
	return labels
}

// rebind moves a volume to the user's claim. It is refused if the volume has changed since it
// was looked at.
func (c *Controller) rebind(ctx context.Context, in *input) error {
	pv, target := in.filled, in.target
	name := workerName(in.volume)
	_, err := c.kube.CoreV1().Pods(in.home).Get(ctx, name, metav1.GetOptions{})
	if err == nil {
		return fmt.Errorf("pod %s/%s is not gone: %w", in.home, name, errStale)
	}
	if !apierrors.IsNotFound(err) {
		return fmt.Errorf("get pod %s/%s: %w", in.home, name, err)
	}
	annotations := patch{annVolume: keyOf(in.volume).String(), annVolumeUID: string(in.volume.UID)}
	if !handing(pv, in.volume) {
		annotations[annReclaimPolicy] = string(pv.Spec.PersistentVolumeReclaimPolicy)
	}
	return c.patchPersistentVolume(ctx, pv, annotations, patch{
		"persistentVolumeReclaimPolicy": corev1.PersistentVolumeReclaimRetain,
		"claimRef": patch{
			"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": target.Namespace, "name": target.Name,
			"uid": string(target.UID), "resourceVersion": target.ResourceVersion,
		},
	})
}

// restorePolicy ends the hand-over of a volume.
func (c *Controller) restorePolicy(ctx context.Context, pv *corev1.PersistentVolume) error {
	policy := corev1.PersistentVolumeReclaimPolicy(pv.Annotations[annReclaimPolicy])
	switch policy {
	case corev1.PersistentVolumeReclaimDelete, corev1.PersistentVolumeReclaimRecycle, corev1.PersistentVolumeReclaimRetain:
	default:
		policy = pv.Spec.PersistentVolumeReclaimPolicy
	}
	err := c.patchPersistentVolume(ctx, pv,
		patch{annReclaimPolicy: nil, annVolume: nil, annVolumeUID: nil},
		patch{"persistentVolumeReclaimPolicy": policy})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func (c *Controller) patchPersistentVolume(ctx context.Context, pv *corev1.PersistentVolume, annotations, spec patch) error {
	body, err := json.Marshal(patch{"metadata": patch{"resourceVersion": pv.ResourceVersion, "annotations": annotations}, "spec": spec})
	if err != nil {
		return fmt.Errorf("encode patch: %w", err)
	}
	_, err = c.kube.CoreV1().PersistentVolumes().Patch(ctx, pv.Name, types.MergePatchType, body, metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("patch volume %s: %w", pv.Name, err)
	}
	return nil
}

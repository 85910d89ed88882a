// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// input is all that a decision is made from. Pointers are nil for what does not exist.
type input struct {
	volume *v1beta1.DataVolume
	kind   kind
	// home is the namespace in which the volume is filled.
	home string
	// target is the claim that the user asked for, prime the one that is filled for it.
	target, prime *corev1.PersistentVolumeClaim
	owner         ownership
	worker        *corev1.Pod
	// filled is the prime claim's volume, or the target's if there is no prime claim.
	filled *corev1.PersistentVolume
	// progress is a running worker's, "" if it is not known.
	progress v1beta1.DataVolumeProgress

	// What follows is found out only while it is needed: until there is a worker.

	class  *storagev1.StorageClass
	method method
	// source of a clone; sourceGone: the claim that it was pinned to is no more.
	source     *corev1.PersistentVolumeClaim
	sourceGone bool
	// image of an import.
	image *image
	// problem is why there cannot be a worker, nil if there can.
	problem *problem
}

// fill returns the claim that the worker writes into.
func (in *input) fill() *corev1.PersistentVolumeClaim {
	if in.method.name == v1beta1.MethodDirect {
		return in.target
	}
	return in.prime
}

// gather reads what there is. It changes nothing.
func (c *Controller) gather(ctx context.Context, dv *v1beta1.DataVolume) (*input, error) {
	in := &input{volume: dv, kind: kindOf(dv), home: dv.Namespace}
	if key, _, ok := pinned(dv); ok && in.kind == cloneClaim {
		in.home = key.Namespace
	}
	if err := c.gatherObjects(in); err != nil {
		return nil, err
	}
	if needsPlan(in) {
		p, err := asProblem(c.gatherPlan(ctx, in))
		if err != nil {
			return nil, err
		}
		in.problem = p
		return in, nil
	}
	if in.target != nil {
		in.method.name = in.target.Annotations[v1beta1.AnnPopulationMethod]
	}
	if in.prime != nil {
		in.method.name = v1beta1.MethodHandOver
	}
	if in.worker != nil {
		return in, c.gatherWorker(ctx, in)
	}
	return in, nil
}

func (c *Controller) gatherObjects(in *input) error {
	dv := in.volume
	var err error
	if in.target, err = c.claim(keyOf(dv)); err != nil {
		return err
	}
	in.owner = ownershipOf(in.target, dv)
	if in.prime, err = c.claim(types.NamespacedName{Namespace: in.home, Name: primeName(dv)}); err != nil {
		return err
	}
	in.worker, err = c.pods.Pods(in.home).Get(workerName(dv))
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("get worker: %w", err)
	}
	name := ""
	if in.target != nil {
		name = in.target.Spec.VolumeName
	}
	if in.prime != nil {
		name = in.prime.Spec.VolumeName
	}
	if name == "" {
		return nil
	}
	in.filled, err = c.volumes.Get(name)
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("get volume %s: %w", name, err)
	}
	return nil
}

func (c *Controller) claim(key types.NamespacedName) (*corev1.PersistentVolumeClaim, error) {
	claim, err := c.claims.PersistentVolumeClaims(key.Namespace).Get(key.Name)
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // that there is none is an answer
	}
	if err != nil {
		return nil, fmt.Errorf("get claim %s: %w", key, err)
	}
	return claim, nil
}

// needsPlan tells whether the volume has yet to get a worker.
func needsPlan(in *input) bool {
	switch {
	case in.worker != nil, ended(in), in.volume.DeletionTimestamp != nil:
		return false
	case in.owner == foreign, in.owner == adoptable:
		return false
	}
	return in.prime == nil || !populated(in.prime)
}

// gatherPlan finds out what a worker would need. A *problem says what is missing.
func (c *Controller) gatherPlan(ctx context.Context, in *input) error {
	if in.kind == unsupported {
		return problemf(reasonSourceNotSupported, "The DataVolume's source is not supported yet: use registry.url, http, pvc or sourceRef")
	}
	if in.kind == cloneClaim {
		if err := c.gatherSource(ctx, in); err != nil {
			return err
		}
		if in.source == nil {
			return nil
		}
	}
	if err := c.gatherClass(in); err != nil {
		return err
	}
	var err error
	if in.method, err = c.method(in); err != nil {
		return err
	}
	if in.kind == cloneClaim {
		_, mode := claimProperties(in.class)
		if set := requestedMode(in.volume); set != nil {
			mode = *set
		}
		return fits(in, mode, c.overhead)
	}
	in.image, err = c.image(ctx, in.volume)
	return err
}

func (c *Controller) gatherClass(in *input) (err error) {
	switch {
	case in.target != nil:
		in.class, err = c.classOf(in.target)
	case in.prime != nil:
		in.class, err = c.classOf(in.prime)
	default:
		in.class, err = c.class(in.volume)
	}
	return err
}

func (c *Controller) gatherSource(ctx context.Context, in *input) error {
	found, err := c.pinnedClaim(in.volume)
	if err != nil {
		return err
	}
	if found != nil {
		in.source = found
		return nil
	}
	if _, _, ok := pinned(in.volume); ok {
		in.sourceGone = true
		if in.prime != nil {
			// It is removed before another source is looked for, which may be elsewhere.
			return nil
		}
	}
	if in.source, err = c.source(ctx, in.volume); err != nil {
		return err
	}
	in.home = in.source.Namespace
	return nil
}

func (c *Controller) gatherWorker(ctx context.Context, in *input) error {
	if in.kind == cloneClaim {
		source, err := c.pinnedClaim(in.volume)
		if err != nil {
			return err
		}
		in.source, in.sourceGone = source, source == nil
	}
	if w := readWorker(in.worker); w.state == workerRunning && w.reason == "" {
		in.progress = c.progressOf(ctx, in.worker)
	}
	return nil
}

func requestedMode(dv *v1beta1.DataVolume) *corev1.PersistentVolumeMode {
	switch {
	case dv.Spec.PVC != nil:
		return dv.Spec.PVC.VolumeMode
	case dv.Spec.Storage != nil:
		return dv.Spec.Storage.VolumeMode
	}
	return nil
}

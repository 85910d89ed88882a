// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/status"
)

// stalePause gives the caches time to catch up.
const stalePause = 500 * time.Millisecond

// Sync brings one DataVolume a step closer to being complete. It returns after how long it wants
// to look again, 0 for not before something changes.
func (c *Controller) Sync(ctx context.Context, key types.NamespacedName) (time.Duration, error) {
	dv, err := c.dataVolumes.DataVolumes(key.Namespace).Get(key.Name)
	if err != nil && !apierrors.IsNotFound(err) {
		return 0, fmt.Errorf("get data volume %s: %w", key, err)
	}
	if dv == nil || ended(&input{volume: dv}) || dv.DeletionTimestamp != nil {
		c.holds.clear(key)
	}
	if err := c.restoreOrphans(ctx, key, dv); err != nil {
		return 0, err
	}
	if dv == nil {
		return 0, c.removeOrphans(ctx, key)
	}
	in, err := c.gather(ctx, dv)
	if err != nil {
		return 0, err
	}
	d := decide(in, c.clock.Now())
	if d.step != stepNone {
		klog.FromContext(ctx).V(2).Info("Filling a volume", "step", d.step, "method", in.method.name)
		p, err := asProblem(c.take(ctx, in, d))
		if errors.Is(err, errStale) {
			klog.FromContext(ctx).V(4).Info("Looking again later", "step", d.step, "reason", err.Error())
			return stalePause, nil
		}
		if err != nil {
			return 0, err
		}
		if p != nil {
			// The cluster refused the step in a way that only its user can mend.
			d = blocked(in, p)
		}
	}
	return d.again, c.tell(ctx, in, d.view)
}

// tell writes what a decision tells, and records the events of what changed.
func (c *Controller) tell(ctx context.Context, in *input, v *view) error {
	if v == nil {
		return nil
	}
	var events []event
	now := c.clock.Now()
	updated, err := status.Update(ctx, c.cdi.CdiV1beta1().DataVolumes(in.volume.Namespace), in.volume, func(dv *v1beta1.DataVolume) {
		events = write(dv, in, v, now)
	})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range events {
		c.recorder.Event(updated, e.kind, e.reason, e.message)
	}
	return nil
}

// restoreOrphans gives volumes back the reclaim policy that they had before they were handed
// over for a DataVolume of this key that is no more. What becomes of them is then decided by
// their claims, as for any volume. dv is the DataVolume that there is now, or nil.
func (c *Controller) restoreOrphans(ctx context.Context, key types.NamespacedName, dv *v1beta1.DataVolume) error {
	found, err := c.handed.ByIndex(byDataVolume, key.String())
	if err != nil {
		return fmt.Errorf("look for volumes of %s: %w", key, err)
	}
	for _, obj := range found {
		pv, ok := obj.(*corev1.PersistentVolume)
		if !ok || dv != nil && handing(pv, dv) {
			continue
		}
		if err := c.restorePolicy(ctx, pv); err != nil {
			return err
		}
	}
	return nil
}

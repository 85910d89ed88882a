// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/types"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// removeOrphans removes worker pods and prime claims in other namespaces that were made for a
// DataVolume of this key that is no more. Usually its finalizer has kept it until they were
// gone; but its user may take the finalizer away.
func (c *Controller) removeOrphans(ctx context.Context, key types.NamespacedName) error {
	made, err := labels.NewRequirement(v1beta1.LabelDataVolumeUID, selection.Exists, nil)
	if err != nil {
		return fmt.Errorf("select what was made for %s: %w", key, err)
	}
	selector := labels.NewSelector().Add(*made)
	orphan := func(obj metav1.Object) bool {
		return obj.GetNamespace() != key.Namespace && obj.GetDeletionTimestamp() == nil && obj.GetAnnotations()[annVolume] == key.String()
	}
	pods, err := c.pods.List(selector)
	if err != nil {
		return fmt.Errorf("list pods: %w", err)
	}
	for _, pod := range pods {
		if orphan(pod) {
			if err := c.deleteWorker(ctx, pod); err != nil {
				return err
			}
		}
	}
	claims, err := c.claims.List(selector)
	if err != nil {
		return fmt.Errorf("list claims: %w", err)
	}
	for _, claim := range claims {
		if orphan(claim) {
			if err := c.deleteClaim(ctx, claim); err != nil {
				return err
			}
		}
	}
	return nil
}

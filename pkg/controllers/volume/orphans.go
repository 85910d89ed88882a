// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// removeOrphans removes worker pods and prime claims in other namespaces that were made for a
// DataVolume of this key that is no more. Usually its finalizer has kept it until they were
// gone; but its user may take the finalizer away.
func (c *Controller) removeOrphans(ctx context.Context, key types.NamespacedName) error {
	pods, err := c.podIndex.ByIndex(byMaker, key.String())
	if err != nil {
		return fmt.Errorf("list pods: %w", err)
	}
	for _, obj := range pods {
		if pod, ok := obj.(*corev1.Pod); ok && orphan(pod, key) {
			if err := c.deleteWorker(ctx, pod); err != nil {
				return err
			}
		}
	}
	claims, err := c.claimIndex.ByIndex(byMaker, key.String())
	if err != nil {
		return fmt.Errorf("list claims: %w", err)
	}
	for _, obj := range claims {
		if claim, ok := obj.(*corev1.PersistentVolumeClaim); ok && orphan(claim, key) {
			if err := c.deleteClaim(ctx, claim); err != nil {
				return err
			}
		}
	}
	return nil
}

func orphan(made metav1.Object, maker types.NamespacedName) bool {
	return made.GetNamespace() != maker.Namespace && made.GetDeletionTimestamp() == nil
}

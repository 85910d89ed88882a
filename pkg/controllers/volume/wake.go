// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// Indexes of DataVolumes that are not complete, and of volumes.
const (
	// byDataSource: namespace/name of the DataSource that a sourceRef names. Pointers need no
	// index of their own: their Ready condition changes with what they point to.
	byDataSource = "volume.dataSource"
	// byClaim: namespace/name of the claim that is copied.
	byClaim = "volume.sourceClaim"
	// byWaiting: all that have no worker yet, under one key.
	byWaiting = "volume.waiting"
	// byDataVolume: of volumes that are being handed over, namespace/name of the DataVolume.
	byDataVolume = "volume.handedTo"
	// byMaker: of worker pods and prime claims, namespace/name of the DataVolume that they were
	// made for.
	byMaker = "volume.madeFor"
)

func volumeIndexers() cache.Indexers {
	open := func(keys func(dv *v1beta1.DataVolume) []string) cache.IndexFunc {
		return func(obj any) ([]string, error) {
			dv, ok := obj.(*v1beta1.DataVolume)
			if !ok || dv.Status.Phase == v1beta1.Succeeded || dv.Status.Phase == v1beta1.Failed {
				return nil, nil
			}
			return keys(dv), nil
		}
	}
	return cache.Indexers{
		byDataSource: open(func(dv *v1beta1.DataVolume) []string {
			if ref := dv.Spec.SourceRef; ref != nil {
				return []string{within(dv.Namespace, ptr.Deref(ref.Namespace, ""), ref.Name).String()}
			}
			return nil
		}),
		byClaim: open(func(dv *v1beta1.DataVolume) []string {
			if key, _, ok := pinned(dv); ok {
				return []string{key.String()}
			}
			if source := dv.Spec.Source; source != nil && source.PVC != nil {
				return []string{within(dv.Namespace, source.PVC.Namespace, source.PVC.Name).String()}
			}
			return nil
		}),
		byWaiting: open(func(dv *v1beta1.DataVolume) []string {
			if dv.Status.Phase == v1beta1.PhaseUnset || dv.Status.Phase == v1beta1.Pending {
				return []string{""}
			}
			return nil
		}),
	}
}

func handedIndexers() cache.Indexers {
	return cache.Indexers{byDataVolume: func(obj any) ([]string, error) {
		pv, ok := obj.(*corev1.PersistentVolume)
		if !ok || pv.Annotations[annReclaimPolicy] == "" || pv.Annotations[annVolume] == "" {
			return nil, nil
		}
		return []string{pv.Annotations[annVolume]}, nil
	}}
}

func madeIndexers() cache.Indexers {
	return cache.Indexers{byMaker: func(obj any) ([]string, error) {
		made, err := meta.Accessor(obj)
		if err != nil {
			return nil, fmt.Errorf("index by %s: %w", byMaker, err)
		}
		if _, ok := made.GetLabels()[v1beta1.LabelDataVolumeUID]; !ok || made.GetAnnotations()[annVolume] == "" {
			return nil, nil
		}
		return []string{made.GetAnnotations()[annVolume]}, nil
	}}
}

// fromDataVolume wakes a DataVolume, and those that wait to copy it.
func (c *Controller) fromDataVolume(obj any) []types.NamespacedName {
	dv, ok := obj.(*v1beta1.DataVolume)
	if !ok {
		return nil
	}
	return append(c.indexed(byClaim, keyOf(dv).String()), keyOf(dv))
}

func (c *Controller) fromDataSource(obj any) []types.NamespacedName {
	source, ok := obj.(*v1beta1.DataSource)
	if !ok {
		return nil
	}
	return c.indexed(byDataSource, keyOf(source).String())
}

// fromClaim wakes the DataVolume of a claim's name, the one that a prime claim serves, and those
// that copy the claim.
func (c *Controller) fromClaim(obj any) []types.NamespacedName {
	claim, ok := obj.(*corev1.PersistentVolumeClaim)
	if !ok {
		return nil
	}
	keys := append(c.indexed(byClaim, keyOf(claim).String()), keyOf(claim))
	return append(keys, fromServant[*corev1.PersistentVolumeClaim](claim)...)
}

func (c *Controller) fromClass(any) []types.NamespacedName {
	return c.indexed(byWaiting, "")
}

// fromServant wakes the DataVolume that an object says it serves.
func fromServant[T metav1.Object](obj any) []types.NamespacedName {
	servant, ok := obj.(T)
	if !ok {
		return nil
	}
	key, ok := parseKey(servant.GetAnnotations()[annVolume])
	if !ok {
		return nil
	}
	return []types.NamespacedName{key}
}

func (c *Controller) indexed(index, value string) []types.NamespacedName {
	found, err := c.volumeIndex.ByIndex(index, value)
	if err != nil {
		// Only an index that does not exist gives an error.
		return nil
	}
	keys := make([]types.NamespacedName, 0, len(found)+1)
	for _, obj := range found {
		if dv, ok := obj.(*v1beta1.DataVolume); ok {
			keys = append(keys, keyOf(dv))
		}
	}
	return keys
}

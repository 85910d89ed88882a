// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/lineage"
	"goldenimage.dev/pkg/controllers/status"
)

// A kind says what is done for a DataVolume.
type kind int

const (
	unsupported kind = iota
	importImage
	cloneClaim
)

func kindOf(dv *v1beta1.DataVolume) kind {
	source := dv.Spec.Source
	switch {
	case dv.Spec.SourceRef != nil, source != nil && source.PVC != nil:
		return cloneClaim
	case source != nil && source.Registry != nil && source.Registry.URL != nil:
		return importImage
	}
	return unsupported
}

// pinned returns the claim that a clone copies, if that was settled.
func pinned(dv *v1beta1.DataVolume) (key types.NamespacedName, uid types.UID, ok bool) {
	key, ok = parseKey(dv.Annotations[v1beta1.AnnCloneSource])
	uid = types.UID(dv.Annotations[v1beta1.AnnCloneSourceUID])
	return key, uid, ok && uid != ""
}

// pinnedClaim returns the claim that a clone was pinned to, nil if it is gone.
func (c *Controller) pinnedClaim(dv *v1beta1.DataVolume) (*corev1.PersistentVolumeClaim, error) {
	key, uid, ok := pinned(dv)
	if !ok {
		return nil, nil //nolint:nilnil // there is no such claim
	}
	claim, err := c.claim(key)
	if err != nil || claim == nil || claim.UID != uid {
		return nil, err
	}
	return claim, nil
}

// source finds the claim that a clone shall copy, complete. A *problem says what is missing.
func (c *Controller) source(dv *v1beta1.DataVolume) (*corev1.PersistentVolumeClaim, error) {
	key, err := c.sourceKey(dv)
	if err != nil {
		return nil, err
	}
	if key == keyOf(dv) {
		return nil, problemf(reasonSourceNotSupported, "PVC %s is the DataVolume's own claim, and cannot be its source", key)
	}
	claim, err := c.claim(key)
	if err != nil {
		return nil, err
	}
	if claim == nil {
		return nil, problemf(reasonCloneWithoutSource, "The source pvc %s doesn't exist", key.Name)
	}
	maker, err := c.makerOf(claim)
	if err != nil {
		return nil, err
	}
	if !lineage.Complete(maker, claim) {
		return nil, incomplete(maker, claim)
	}
	return claim, nil
}

// makerOf returns the DataVolume that a claim belongs to, nil if there is none.
func (c *Controller) makerOf(claim *corev1.PersistentVolumeClaim) (*v1beta1.DataVolume, error) {
	if !lineage.OfVolume(claim) {
		return nil, nil //nolint:nilnil // many claims have none
	}
	dv, err := c.dataVolumes.DataVolumes(claim.Namespace).Get(claim.Name)
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // its claim may outlive it for a while
	}
	if err != nil {
		return nil, fmt.Errorf("get data volume: %w", err)
	}
	return dv, nil
}

func incomplete(maker *v1beta1.DataVolume, claim *corev1.PersistentVolumeClaim) error {
	key := keyOf(claim)
	switch {
	case claim.DeletionTimestamp != nil:
		return problemf(reasonCloneSourceNotReady, "The source pvc %s is being deleted", key)
	case maker != nil:
		return problemf(reasonCloneSourceNotReady, "The source pvc %s is not complete: its DataVolume is in phase %q", key, maker.Status.Phase)
	}
	return problemf(reasonCloneSourceNotReady, "The source pvc %s is not complete: it is %s", key, claim.Status.Phase)
}

func (c *Controller) sourceKey(dv *v1beta1.DataVolume) (types.NamespacedName, error) {
	if source := dv.Spec.Source; source != nil && source.PVC != nil {
		return within(dv.Namespace, source.PVC.Namespace, source.PVC.Name), nil
	}
	ref := dv.Spec.SourceRef
	if ref.Kind != v1beta1.DataVolumeDataSource {
		return types.NamespacedName{}, problemf(reasonSourceNotSupported, "sourceRef.kind %s is not supported: use %s", ref.Kind, v1beta1.DataVolumeDataSource)
	}
	return c.dataSource(within(dv.Namespace, ptr.Deref(ref.Namespace, ""), ref.Name))
}

func within(standard, namespace, name string) types.NamespacedName {
	if namespace == "" {
		namespace = standard
	}
	return types.NamespacedName{Namespace: namespace, Name: name}
}

// dataSource returns the claim that a ready DataSource points to.
func (c *Controller) dataSource(key types.NamespacedName) (types.NamespacedName, error) {
	none := types.NamespacedName{}
	source, err := c.readySource(key)
	if err != nil {
		return none, err
	}
	if next := source.Spec.Source.DataSource; next != nil {
		target := within(key.Namespace, next.Namespace, next.Name)
		if target == key || target.Namespace != key.Namespace {
			return none, problemf(reasonDataSourceNotReady, "DataSource %s points to DataSource %s: it can only point to another one in its own namespace", key, target)
		}
		if source, err = c.readySource(target); err != nil {
			return none, err
		}
		key = target
	}
	switch spec := source.Spec.Source; {
	case spec.PVC != nil:
		return within(key.Namespace, spec.PVC.Namespace, spec.PVC.Name), nil
	case spec.Snapshot != nil:
		return none, problemf(reasonSourceNotSupported, "DataSource %s points to a VolumeSnapshot, which cannot be cloned yet: let it point to a PVC", key)
	case spec.DataSource != nil:
		return none, problemf(reasonDataSourceNotReady, "DataSource %s is pointed to and points to another one: a chain may have one link", key)
	}
	return none, problemf(reasonDataSourceNotReady, "DataSource %s has no source", key)
}

func (c *Controller) readySource(key types.NamespacedName) (*v1beta1.DataSource, error) {
	source, err := c.dataSources.DataSources(key.Namespace).Get(key.Name)
	if apierrors.IsNotFound(err) {
		return nil, problemf(reasonDataSourceNotFound, "DataSource %s does not exist: create it, or correct sourceRef in a new DataVolume", key)
	}
	if err != nil {
		return nil, fmt.Errorf("get data source %s: %w", key, err)
	}
	ready := status.Source(source.Status.Conditions, v1beta1.DataSourceReady)
	switch {
	case ready == nil:
		return nil, problemf(reasonDataSourceNotReady, "DataSource %s is not ready yet", key)
	case ready.Status != corev1.ConditionTrue:
		return nil, problemf(reasonDataSourceNotReady, "DataSource %s is not ready: %s: %s", key, ready.Reason, ready.Message)
	case ready.ObservedGeneration != 0 && ready.ObservedGeneration < source.Generation:
		return nil, problemf(reasonDataSourceNotReady, "DataSource %s was changed and is being checked", key)
	}
	return source, nil
}

func asProblem(err error) (*problem, error) {
	if p, ok := errors.AsType[*problem](err); ok {
		return p, nil
	}
	return nil, err
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/requester"
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
	case source != nil && source.Registry != nil && source.Registry.URL != nil, source != nil && source.HTTP != nil:
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

// source finds the claim that a clone shall copy, complete. A *problem says what is missing, to
// those who may have the claim.
func (c *Controller) source(ctx context.Context, dv *v1beta1.DataVolume) (*corev1.PersistentVolumeClaim, error) {
	from, unresolved := c.sourceOf(dv)
	if p, err := asProblem(unresolved); p == nil && err != nil {
		return nil, err
	}
	if err := c.authorize(ctx, dv, from); err != nil {
		return nil, err
	}
	if unresolved != nil {
		return nil, unresolved
	}
	key := types.NamespacedName{Namespace: from.Namespace, Name: from.Name}
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
	if digest := dv.Annotations[v1beta1.AnnSourceDigest]; strings.HasPrefix(digest, uidPrefix) && digest != uidPrefix+string(claim.UID) {
		return nil, problemf(reasonCloneSourceChanged, "The source pvc %s was made anew: it is %s%s, and %s was to be copied", key, uidPrefix, claim.UID, digest)
	}
	return claim, nil
}

// uidPrefix is what a claim's UID has before it in a digest.
const uidPrefix = "uid:"

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

// sourceOf finds what a clone shall copy. With an error it returns that of which the error
// tells.
func (c *Controller) sourceOf(dv *v1beta1.DataVolume) (requester.Source, error) {
	if source := dv.Spec.Source; source != nil && source.PVC != nil {
		return sourceAt(requester.Claim, within(dv.Namespace, source.PVC.Namespace, source.PVC.Name)), nil
	}
	ref := dv.Spec.SourceRef
	if ref.Kind != v1beta1.DataVolumeDataSource {
		return sourceAt(requester.DataSource, keyOf(dv)), problemf(reasonSourceNotSupported, "sourceRef.kind %s is not supported: use %s", ref.Kind, v1beta1.DataVolumeDataSource)
	}
	return c.behind(within(dv.Namespace, ptr.Deref(ref.Namespace, ""), ref.Name))
}

func sourceAt(kind requester.Kind, key types.NamespacedName) requester.Source {
	return requester.Source{Kind: kind, Namespace: key.Namespace, Name: key.Name}
}

func within(standard, namespace, name string) types.NamespacedName {
	if namespace == "" {
		namespace = standard
	}
	return types.NamespacedName{Namespace: namespace, Name: name}
}

// behind finds what a DataSource leads to. That it is not ready says something of what it leads
// to, so that is returned with the *problem.
func (c *Controller) behind(key types.NamespacedName) (requester.Source, error) {
	at := sourceAt(requester.DataSource, key)
	source, err := c.dataSource(key)
	if err != nil {
		return at, err
	}
	unready := readiness(source)
	if next := source.Spec.Source.DataSource; next != nil {
		target := within(key.Namespace, next.Namespace, next.Name)
		if target == key || target.Namespace != key.Namespace {
			return at, cmp.Or[error](unready, problemf(reasonDataSourceNotReady, "DataSource %s points to DataSource %s: it can only point to another one in its own namespace", key, target))
		}
		if source, err = c.dataSource(target); err != nil {
			return at, cmp.Or(unready, err)
		}
		unready = cmp.Or(unready, readiness(source))
		key = target
	}
	found, unsupported := at, error(nil)
	switch spec := source.Spec.Source; {
	case spec.PVC != nil:
		found = sourceAt(requester.Claim, within(key.Namespace, spec.PVC.Namespace, spec.PVC.Name))
	case spec.Snapshot != nil:
		found = sourceAt(requester.Snapshot, within(key.Namespace, spec.Snapshot.Namespace, spec.Snapshot.Name))
		unsupported = problemf(reasonSourceNotSupported, "DataSource %s points to a VolumeSnapshot, which cannot be cloned yet: let it point to a PVC", key)
	case spec.DataSource != nil:
		unsupported = problemf(reasonDataSourceNotReady, "DataSource %s is pointed to and points to another one: a chain may have one link", key)
	default:
		unsupported = problemf(reasonDataSourceNotReady, "DataSource %s has no source", key)
	}
	return found, cmp.Or(unready, unsupported)
}

func (c *Controller) dataSource(key types.NamespacedName) (*v1beta1.DataSource, error) {
	source, err := c.dataSources.DataSources(key.Namespace).Get(key.Name)
	if apierrors.IsNotFound(err) {
		return nil, problemf(reasonDataSourceNotFound, "DataSource %s does not exist: create it, or correct sourceRef in a new DataVolume", key)
	}
	if err != nil {
		return nil, fmt.Errorf("get data source %s: %w", key, err)
	}
	return source, nil
}

// readiness returns why a DataSource is not ready, nil if it is.
func readiness(source *v1beta1.DataSource) error {
	key := keyOf(source)
	ready := status.Source(source.Status.Conditions, v1beta1.DataSourceReady)
	switch {
	case ready == nil:
		return problemf(reasonDataSourceNotReady, "DataSource %s is not ready yet", key)
	case ready.Status != corev1.ConditionTrue:
		return problemf(reasonDataSourceNotReady, "DataSource %s is not ready: %s: %s", key, ready.Reason, ready.Message)
	case ready.ObservedGeneration != 0 && ready.ObservedGeneration < source.Generation:
		return problemf(reasonDataSourceNotReady, "DataSource %s was changed and is being checked", key)
	}
	return nil
}

func asProblem(err error) (*problem, error) {
	if p, ok := errors.AsType[*problem](err); ok {
		return p, nil
	}
	return nil, err
}

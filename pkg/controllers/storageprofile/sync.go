// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package storageprofile

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/status"
)

const kindClass = "StorageClass"

// sync makes, completes or deletes the profile of a class.
func (c *Controller) sync(ctx context.Context, key types.NamespacedName) (time.Duration, error) {
	class, err := found(c.classes.Get(key.Name))
	if err != nil {
		return 0, err
	}
	if class != nil && class.DeletionTimestamp != nil {
		class = nil
	}
	profile, err := found(c.profiles.Get(key.Name))
	if err != nil || profile != nil && profile.DeletionTimestamp != nil {
		return 0, err
	}
	switch {
	case class == nil && profile == nil:
		return 0, nil
	case class == nil && slices.ContainsFunc(profile.OwnerReferences, ofClass):
		return 0, c.remove(ctx, profile)
	case profile == nil:
		if profile, err = c.create(ctx, class); err != nil || profile == nil {
			return 0, err
		}
	}
	return 0, ignoreNotFound(c.complete(ctx, profile, class))
}

// found turns the error that there is no such object into nil.
func found[T any](obj *T, err error) (*T, error) {
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // that there is none is an answer
	}
	if err != nil {
		return nil, fmt.Errorf("gather: %w", err)
	}
	return obj, nil
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// remove deletes a profile whose class is gone. The live API is asked: with the profile goes what
// an administrator wrote into it, and a class that was deleted and made again keeps its profile.
func (c *Controller) remove(ctx context.Context, profile *v1beta1.StorageProfile) error {
	class, err := c.kube.StorageV1().StorageClasses().Get(ctx, profile.Name, metav1.GetOptions{})
	switch {
	case err == nil && class.DeletionTimestamp == nil:
		// It is about to be seen, and its profile synced then.
		return nil
	case err != nil && !apierrors.IsNotFound(err):
		return fmt.Errorf("get storage class %s: %w", profile.Name, err)
	}
	options := metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(profile.UID))}
	if err := c.client.CdiV1beta1().StorageProfiles().Delete(ctx, profile.Name, options); ignoreNotFound(err) != nil {
		return fmt.Errorf("delete storage profile: %w", err)
	}
	return nil
}

// create makes a class's profile. It returns nil if there is one that was not seen yet.
func (c *Controller) create(ctx context.Context, class *storagev1.StorageClass) (*v1beta1.StorageProfile, error) {
	profile := &v1beta1.StorageProfile{ObjectMeta: metav1.ObjectMeta{
		Name:            class.Name,
		Labels:          map[string]string{v1beta1.LabelApp: v1beta1.LabelAppValue},
		OwnerReferences: []metav1.OwnerReference{owner(class)},
	}}
	created, err := c.client.CdiV1beta1().StorageProfiles().Create(ctx, profile, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil, nil //nolint:nilnil // the sync that its coming wakes goes on
	}
	if err != nil {
		return nil, fmt.Errorf("create storage profile: %w", err)
	}
	return created, nil
}

func owner(class *storagev1.StorageClass) metav1.OwnerReference {
	return metav1.OwnerReference{APIVersion: storagev1.SchemeGroupVersion.String(), Kind: kindClass, Name: class.Name, UID: class.UID}
}

func ofClass(ref metav1.OwnerReference) bool {
	return ref.Kind == kindClass && ref.APIVersion == storagev1.SchemeGroupVersion.String()
}

// complete writes the owner and the annotations of a profile, then its status.
func (c *Controller) complete(ctx context.Context, profile *v1beta1.StorageProfile, class *storagev1.StorageClass) error {
	in := input{class: class, snapshots: c.snapshots.List()}
	if class != nil {
		var err error
		if in.volumes, err = c.volumesOf(class); err != nil {
			return err
		}
		in.profile = profile
		if profile, err = c.annotate(ctx, profile, class, decide(in).annotations); err != nil {
			return err
		}
	}
	var before *v1beta1.ConditionState
	var change status.Change
	var now v1beta1.ConditionState
	profile, err := status.Update(ctx, c.client.CdiV1beta1().StorageProfiles(), profile, func(profile *v1beta1.StorageProfile) {
		// Its spec may be another than a moment ago.
		in.profile = profile
		d := decide(in)
		now = d.recognized
		now.ObservedGeneration = profile.Generation
		conditions := profile.Status.Conditions
		profile.Status = d.status
		profile.Status.Conditions, before, change = setRecognized(conditions, now, c.clock.Now())
	})
	if err != nil {
		return err
	}
	c.report(profile, before, now, change)
	return nil
}

// annotate adds what a profile lacks of annotations, and sets its owner.
func (c *Controller) annotate(ctx context.Context, profile *v1beta1.StorageProfile, class *storagev1.StorageClass, wanted map[string]string) (*v1beta1.StorageProfile, error) {
	changes := map[string]any{}
	missing := maps.Clone(wanted)
	maps.DeleteFunc(missing, func(key, _ string) bool {
		_, ok := profile.Annotations[key]
		return ok
	})
	if len(missing) > 0 {
		changes["annotations"] = missing
	}
	if !slices.ContainsFunc(profile.OwnerReferences, func(ref metav1.OwnerReference) bool { return ofClass(ref) && ref.UID == class.UID }) {
		// One with another UID is of a class that was deleted and made again.
		others := slices.DeleteFunc(slices.Clone(profile.OwnerReferences), ofClass)
		changes["ownerReferences"] = append(others, owner(class))
	}
	if len(changes) == 0 {
		return profile, nil
	}
	// What was not seen is not overwritten.
	changes["uid"], changes["resourceVersion"] = profile.UID, profile.ResourceVersion
	patch, err := json.Marshal(map[string]any{"metadata": changes})
	if err != nil {
		return nil, fmt.Errorf("patch storage profile: %w", err)
	}
	patched, err := c.client.CdiV1beta1().StorageProfiles().Patch(ctx, profile.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return nil, fmt.Errorf("patch storage profile: %w", err)
	}
	return patched, nil
}

// volumesOf returns the volumes of a class without a provisioner; of others they do not count.
func (c *Controller) volumesOf(class *storagev1.StorageClass) ([]*corev1.PersistentVolume, error) {
	if class.Provisioner != noProvisioner {
		return nil, nil
	}
	objects, err := c.volumes.ByIndex(byClass, class.Name)
	if err != nil {
		return nil, fmt.Errorf("gather: %w", err)
	}
	var volumes []*corev1.PersistentVolume
	for _, obj := range objects {
		if volume, ok := obj.(*corev1.PersistentVolume); ok {
			volumes = append(volumes, volume)
		}
	}
	return volumes, nil
}

// setRecognized returns the conditions of a profile with another state of Recognized, and the
// state before, nil if there was none.
func setRecognized(have []v1beta1.StorageProfileCondition, want v1beta1.ConditionState, now time.Time) ([]v1beta1.StorageProfileCondition, *v1beta1.ConditionState, status.Change) {
	var before *v1beta1.ConditionState
	i := slices.IndexFunc(have, func(c v1beta1.StorageProfileCondition) bool { return c.Type == v1beta1.StorageProfileRecognized })
	if i < 0 {
		i, have = len(have), append(have, v1beta1.StorageProfileCondition{Type: v1beta1.StorageProfileRecognized})
	} else {
		before = new(have[i].ConditionState)
	}
	change := status.Set(&have[i].ConditionState, want, now)
	return have, before, change
}

// report makes an event when it becomes known what a class can do, or turns out not to be.
func (c *Controller) report(profile *v1beta1.StorageProfile, before *v1beta1.ConditionState, now v1beta1.ConditionState, change status.Change) {
	switch {
	case !change.Flipped:
	case now.Status == corev1.ConditionTrue && before != nil && before.Status != corev1.ConditionTrue:
		c.events.Event(profile, corev1.EventTypeNormal, now.Reason, now.Message)
	case now.Status != corev1.ConditionTrue && (before == nil || before.Status == corev1.ConditionTrue):
		c.events.Event(profile, corev1.EventTypeWarning, now.Reason, now.Message)
	}
}

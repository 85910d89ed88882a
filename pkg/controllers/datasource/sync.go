// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package datasource

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/status"
)

// sync writes the status of a DataSource.
func (c *Controller) sync(ctx context.Context, key types.NamespacedName) (time.Duration, error) {
	source, err := found(c.sources.DataSources(key.Namespace).Get(key.Name))
	if err != nil || source == nil || source.DeletionTimestamp != nil {
		return 0, err
	}
	in, err := c.gather(source)
	if err != nil {
		return 0, err
	}
	return 0, ignoreNotFound(c.apply(ctx, source, decide(in)))
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

func (c *Controller) gather(source *v1beta1.DataSource) (input, error) {
	in := input{source: source}
	var err error
	direct := source
	if to, ok := pointer(source); ok {
		if to.Namespace != source.Namespace {
			// It is refused whether it exists or not, so nobody finds out by it what does.
			return in, nil
		}
		if in.target, err = found(c.sources.DataSources(to.Namespace).Get(to.Name)); err != nil || in.target == nil {
			return in, err
		}
		direct = in.target
	}
	claim := claimOf(direct)
	if claim.Name == "" {
		return in, nil
	}
	if in.claim, err = found(c.claims.PersistentVolumeClaims(claim.Namespace).Get(claim.Name)); err != nil {
		return in, err
	}
	in.volume, err = found(c.volumes.DataVolumes(claim.Namespace).Get(claim.Name))
	return in, err
}

// apply writes the labels, then the status: whoever sees that a DataSource is ready shall find
// its labels.
func (c *Controller) apply(ctx context.Context, source *v1beta1.DataSource, d decision) error {
	sources := c.client.CdiV1beta1().DataSources(source.Namespace)
	labels := map[string]*string{}
	for key, value := range d.labels {
		labels[key] = &value
	}
	patch, err := status.MetadataPatch(source, labels, nil)
	if err != nil {
		return err
	}
	if patch != nil {
		if source, err = sources.Patch(ctx, source.Name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
			return fmt.Errorf("label datasource: %w", err)
		}
	}
	var before *v1beta1.ConditionState
	var change status.Change
	source, err = status.Update(ctx, sources, source, func(source *v1beta1.DataSource) {
		if have := status.Source(source.Status.Conditions, v1beta1.DataSourceReady); have != nil {
			before = new(*have)
		}
		d.ready.ObservedGeneration = source.Generation
		change = status.SetSource(&source.Status.Conditions, v1beta1.DataSourceReady, d.ready, c.clock.Now())
		source.Status.Source = d.resolved
	})
	if err != nil {
		return err
	}
	if change.Flipped {
		c.report(source, before, d.ready)
	}
	return nil
}

// report makes an event when a DataSource becomes ready, or stops to be. What happens on the way
// to there is told by the objects it waits for.
func (c *Controller) report(source *v1beta1.DataSource, before *v1beta1.ConditionState, ready v1beta1.ConditionState) {
	switch {
	case ready.Status == corev1.ConditionTrue:
		c.events.Event(source, corev1.EventTypeNormal, ready.Reason, ready.Message)
	case before != nil && before.Status == corev1.ConditionTrue:
		c.events.Event(source, corev1.EventTypeWarning, ready.Reason, ready.Message)
	}
}

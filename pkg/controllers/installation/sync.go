// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package installation

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/status"
)

// sync makes what is missing and writes what is said of it. What a step makes wakes the next
// sync.
func (c *Controller) sync(ctx context.Context, _ types.NamespacedName) (time.Duration, error) {
	all, err := c.cdis.List(labels.Everything())
	if err != nil {
		return 0, fmt.Errorf("list CDI objects: %w", err)
	}
	if len(all) == 0 {
		if err := c.createCDI(ctx); err != nil {
			return 0, err
		}
	}
	for _, one := range living(all) {
		if err := c.judge(ctx, one, all); ignoreNotFound(err) != nil {
			return 0, err
		}
	}
	return 0, ignoreNotFound(c.configure(ctx, active(all)))
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// meta is that of an object that the server makes.
func meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Labels: map[string]string{v1beta1.LabelApp: v1beta1.LabelAppValue}}
}

func (c *Controller) createCDI(ctx context.Context) error {
	_, err := c.client.CdiV1beta1().CDIs().Create(ctx, &v1beta1.CDI{ObjectMeta: meta(v1beta1.CDIName)}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create CDI object: %w", err)
	}
	return nil
}

// judge writes the status of one CDI object among all.
func (c *Controller) judge(ctx context.Context, one *v1beta1.CDI, all []*v1beta1.CDI) error {
	v := judge(one.Name, all)
	_, err := status.Update(ctx, c.client.CdiV1beta1().CDIs(), one, func(one *v1beta1.CDI) {
		one.Status.Phase = v.phase
		one.Status.OperatorVersion, one.Status.TargetVersion, one.Status.ObservedVersion = c.version, c.version, c.version
		for _, kind := range []v1beta1.CDIConditionType{v1beta1.CDIAvailable, v1beta1.CDIProgressing, v1beta1.CDIDegraded} {
			want := v.states[kind]
			want.ObservedGeneration = one.Generation
			one.Status.Conditions = setCondition(one.Status.Conditions, kind, want, c.clock.Now())
		}
	})
	return err
}

// setCondition returns the conditions of a CDI object with another state of one of them.
func setCondition(have []v1beta1.CDICondition, kind v1beta1.CDIConditionType, want v1beta1.ConditionState, now time.Time) []v1beta1.CDICondition {
	i := slices.IndexFunc(have, func(c v1beta1.CDICondition) bool { return c.Type == kind })
	if i < 0 {
		i, have = len(have), append(have, v1beta1.CDICondition{Type: kind})
	}
	status.Set(&have[i].ConditionState, want, now)
	return have
}

// configure makes the CDIConfig, or writes its spec and its status. from is the CDI object that
// counts, nil if there is none.
func (c *Controller) configure(ctx context.Context, from *v1beta1.CDI) error {
	configs := c.client.CdiV1beta1().CDIConfigs()
	config, err := c.configs.Get(v1beta1.CDIConfigName)
	switch {
	case apierrors.IsNotFound(err):
		fresh := &v1beta1.CDIConfig{ObjectMeta: meta(v1beta1.CDIConfigName)}
		if from != nil && from.Spec.Config != nil {
			fresh.Spec = *from.Spec.Config.DeepCopy()
		}
		if _, err := configs.Create(ctx, fresh, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("create CDIConfig: %w", err)
		}
		return nil
	case err != nil:
		return fmt.Errorf("get CDIConfig: %w", err)
	case config.DeletionTimestamp != nil:
		return nil
	}
	if from != nil && from.Spec.Config != nil && !equality.Semantic.DeepEqual(config.Spec, *from.Spec.Config) {
		changed := config.DeepCopy()
		changed.Spec = *from.Spec.Config.DeepCopy()
		if config, err = configs.Update(ctx, changed, metav1.UpdateOptions{}); err != nil {
			return fmt.Errorf("update CDIConfig: %w", err)
		}
	}
	classes, err := c.classes.List(labels.Everything())
	if err != nil {
		return fmt.Errorf("list storage classes: %w", err)
	}
	names := make([]string, 0, len(classes))
	for _, class := range classes {
		names = append(names, class.Name)
	}
	_, err = status.Update(ctx, configs, config, func(config *v1beta1.CDIConfig) {
		config.Status = configStatus(&config.Spec, names, c.overhead)
	})
	return err
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/util/retry"
)

// An Object is a pointer to an API object of type T.
type Object[T any] interface {
	*T
	metav1.Object
	runtime.Object
	DeepCopy() *T
}

// A Client reads objects and writes their status; typed clients are such.
type Client[T any] interface {
	Get(ctx context.Context, name string, opts metav1.GetOptions) (*T, error)
	UpdateStatus(ctx context.Context, obj *T, opts metav1.UpdateOptions) (*T, error)
}

// Update lets mutate change the status of a copy of obj and writes it if that made a
// difference. When somebody else wrote meanwhile, mutate is called again with what they
// left; so it must change its own fields only. It returns the object as it is then. An
// object that was deleted and made again is an error.
func Update[T any, P Object[T]](ctx context.Context, client Client[T], obj P, mutate func(P)) (P, error) {
	current := obj
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		if current == nil {
			fresh, err := client.Get(ctx, obj.GetName(), metav1.GetOptions{})
			if err != nil {
				return err
			}
			if current = fresh; current.GetUID() != obj.GetUID() {
				return fmt.Errorf("%s was replaced by another object of that name", obj.GetName())
			}
		}
		changed := P(current.DeepCopy())
		mutate(changed)
		if equality.Semantic.DeepEqual(current, changed) {
			return nil
		}
		updated, err := client.UpdateStatus(ctx, (*T)(changed), metav1.UpdateOptions{})
		if err != nil {
			current = nil
			return err
		}
		current = updated
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("update status of %s: %w", obj.GetName(), err)
	}
	return current, nil
}

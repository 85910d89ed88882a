// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package clone

import (
	"cmp"
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi"
	"goldenimage.dev/pkg/apis/cdi/requester"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// sourcesOf returns what a DataVolume in a namespace clones as things are now. A valid one
// clones one thing or nothing; whether it is valid is found out later.
func (p *Plugin) sourcesOf(ctx context.Context, namespace string, spec *cdi.DataVolumeSpec) ([]requester.Source, error) {
	var found []requester.Source
	if source := spec.Source; source != nil {
		if source.PVC != nil {
			found = append(found, claim(namespace, source.PVC))
		}
		if source.Snapshot != nil {
			found = append(found, snapshot(namespace, source.Snapshot.Namespace, source.Snapshot.Name))
		}
	}
	if ref := spec.SourceRef; ref != nil {
		at := types.NamespacedName{Namespace: cmp.Or(ptr.Deref(ref.Namespace, ""), namespace), Name: ref.Name}
		if len(apivalidation.NameIsDNSSubdomain(at.Name, false)) > 0 || len(apivalidation.ValidateNamespaceName(at.Namespace, false)) > 0 {
			return found, nil // Validation, which comes later, says what is wrong.
		}
		source, err := p.behind(ctx, at)
		if err != nil {
			return nil, err
		}
		found = append(found, source)
	}
	return found, nil
}

// behind returns what a DataSource leads to, by way of at most one other DataSource. While it
// leads nowhere that is the DataSource itself, so that who will not be allowed learns so early.
func (p *Plugin) behind(ctx context.Context, at types.NamespacedName) (requester.Source, error) {
	nowhere := requester.Source{Kind: requester.DataSource, Namespace: at.Namespace, Name: at.Name}
	source, err := p.dataSource(ctx, at)
	if err != nil || source == nil {
		return nowhere, err
	}
	spec := source.Spec.Source
	if to := spec.DataSource; to != nil {
		spec = source.Status.Source
		if _, ok := target(at.Namespace, spec); !ok {
			next := types.NamespacedName{Namespace: cmp.Or(to.Namespace, at.Namespace), Name: to.Name}
			if next == at || next.Namespace != at.Namespace {
				// It will never be ready.
				return nowhere, nil
			}
			if source, err = p.dataSource(ctx, next); err != nil || source == nil {
				return nowhere, err
			}
			spec = source.Spec.Source
		}
	}
	if found, ok := target(at.Namespace, spec); ok {
		return found, nil
	}
	return nowhere, nil
}

// dataSource returns a DataSource, nil if there is none.
func (p *Plugin) dataSource(ctx context.Context, at types.NamespacedName) (*v1beta1.DataSource, error) {
	source, err := p.sources.DataSource(ctx, at)
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // that there is none is an answer
	}
	if err != nil {
		return nil, fmt.Errorf("read DataSource %s: %w", at, err)
	}
	return source, nil
}

// target returns what a DataSource in a namespace names itself; ok is false if that is nothing,
// or another DataSource.
func target(namespace string, source v1beta1.DataSourceSource) (found requester.Source, ok bool) {
	switch {
	case source.PVC != nil:
		return requester.Source{Kind: requester.Claim, Namespace: cmp.Or(source.PVC.Namespace, namespace), Name: source.PVC.Name}, true
	case source.Snapshot != nil:
		return snapshot(namespace, source.Snapshot.Namespace, source.Snapshot.Name), true
	}
	return found, false
}

func claim(namespace string, pvc *cdi.DataVolumeSourcePVC) requester.Source {
	return requester.Source{Kind: requester.Claim, Namespace: cmp.Or(pvc.Namespace, namespace), Name: pvc.Name}
}

func snapshot(standard, namespace, name string) requester.Source {
	return requester.Source{Kind: requester.Snapshot, Namespace: cmp.Or(namespace, standard), Name: name}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package strategy

import (
	"context"
	"fmt"
	"maps"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/registry/generic"
	genericregistry "k8s.io/apiserver/pkg/registry/generic/registry"
	"k8s.io/apiserver/pkg/registry/rest"
)

// A Resource is what a resource's storage is made from. All fields are required but
// ShortNames, Categories and Fields.
type Resource[T any, P Object[T]] struct {
	// Resource and Singular are the group-qualified names.
	Resource, Singular schema.GroupResource
	// ShortNames that kubectl accepts.
	ShortNames []string
	// Categories that kubectl accepts for it and others, such as "all".
	Categories []string
	// NewList returns an empty list.
	NewList func() runtime.Object
	// Fields returns the selectable fields besides the metadata's.
	Fields func(P) fields.Set
	// Strategy of the main endpoint.
	Strategy *Main[T, P]
	// Table shapes what kubectl get prints.
	Table rest.TableConvertor
}

// A REST serves a resource's main endpoint from etcd.
type REST struct {
	*genericregistry.Store
	shortNames, categories []string
}

// ShortNames that kubectl accepts.
func (r *REST) ShortNames() []string { return r.shortNames }

// Categories that the resource belongs to.
func (r *REST) Categories() []string { return r.categories }

// A StatusREST serves a resource's /status.
type StatusREST struct {
	store *genericregistry.Store
}

// NewStorage returns the storages of a resource and of its /status.
func NewStorage[T any, P Object[T]](resource Resource[T, P], options generic.RESTOptionsGetter) (*REST, *StatusREST, error) {
	store := &genericregistry.Store{
		NewFunc:                   func() runtime.Object { return P(new(T)) },
		NewListFunc:               resource.NewList,
		DefaultQualifiedResource:  resource.Resource,
		SingularQualifiedResource: resource.Singular,
		CreateStrategy:            resource.Strategy,
		UpdateStrategy:            resource.Strategy,
		DeleteStrategy:            resource.Strategy,
		ResetFieldsStrategy:       resource.Strategy,
		TableConvertor:            resource.Table,
	}
	if err := store.CompleteWithOptions(&generic.StoreOptions{RESTOptions: options, AttrFunc: resource.attributes}); err != nil {
		return nil, nil, fmt.Errorf("set up storage of %s: %w", resource.Resource, err)
	}
	statusStore := *store
	statusStrategy := NewStatus(resource.Strategy)
	statusStore.UpdateStrategy = statusStrategy
	statusStore.ResetFieldsStrategy = statusStrategy
	main := &REST{Store: store, shortNames: resource.ShortNames, categories: resource.Categories}
	return main, &StatusREST{store: &statusStore}, nil
}

// NewStorages returns the storages of a resource by name, for one that has no subresource but
// /status, or none.
func NewStorages[T any, P Object[T]](resource Resource[T, P], options generic.RESTOptionsGetter) (map[string]rest.Storage, error) {
	main, status, err := NewStorage(resource, options)
	if err != nil {
		return nil, err
	}
	name := resource.Resource.Resource
	storages := map[string]rest.Storage{name: main}
	if resource.Strategy.rules.CopyStatus != nil {
		storages[name+"/status"] = status
	}
	return storages, nil
}

func (r Resource[T, P]) attributes(obj runtime.Object) (labels.Set, fields.Set, error) {
	typed, ok := obj.(P)
	if !ok {
		return nil, nil, fmt.Errorf("%T is not of resource %s", obj, r.Resource)
	}
	selectable := fields.Set{"metadata.name": typed.GetName()}
	if r.Strategy.NamespaceScoped() {
		selectable["metadata.namespace"] = typed.GetNamespace()
	}
	if r.Fields != nil {
		maps.Copy(selectable, r.Fields(typed))
	}
	return typed.GetLabels(), selectable, nil
}

// New returns an empty object.
func (r *StatusREST) New() runtime.Object { return r.store.New() }

// Destroy does nothing: the main endpoint's storage is closed once.
func (*StatusREST) Destroy() {}

// Get returns an object, for a patch of its status.
func (r *StatusREST) Get(ctx context.Context, name string, options *metav1.GetOptions) (runtime.Object, error) {
	return r.store.Get(ctx, name, options)
}

// Update writes an object's status. It never creates one.
func (r *StatusREST) Update(ctx context.Context, name string, info rest.UpdatedObjectInfo, create rest.ValidateObjectFunc, update rest.ValidateObjectUpdateFunc, _ bool, options *metav1.UpdateOptions) (runtime.Object, bool, error) {
	return r.store.Update(ctx, name, info, create, update, false, options)
}

// GetResetFields names what /status does not write.
func (r *StatusREST) GetResetFields() map[fieldpath.APIVersion]*fieldpath.Set {
	return r.store.GetResetFields()
}

// ConvertToTable shapes what kubectl prints.
func (r *StatusREST) ConvertToTable(ctx context.Context, object, options runtime.Object) (*metav1.Table, error) {
	return r.store.ConvertToTable(ctx, object, options)
}

var (
	_ rest.StandardStorage      = &REST{}
	_ rest.ShortNamesProvider   = &REST{}
	_ rest.CategoriesProvider   = &REST{}
	_ rest.SingularNameProvider = &REST{}
	_ rest.Patcher              = &StatusREST{}
	_ rest.ResetFieldsStrategy  = &StatusREST{}
)

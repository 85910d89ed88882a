// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package storageprofile

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/registry/generic"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/utils/clock"

	"goldenimage.dev/pkg/apis/cdi"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/apis/cdi/validation"
	"goldenimage.dev/pkg/registry/cdi/strategy"
	"goldenimage.dev/pkg/registry/cdi/tables"
)

func rules() strategy.Rules[cdi.StorageProfile, *cdi.StorageProfile] {
	return strategy.Rules[cdi.StorageProfile, *cdi.StorageProfile]{
		APIVersion:           v1beta1.SchemeGroupVersion.String(),
		ClusterScoped:        true,
		Spec:                 func(p *cdi.StorageProfile) any { return &p.Spec },
		CopySpec:             func(to, from *cdi.StorageProfile) { to.Spec = from.Spec },
		CopyStatus:           func(to, from *cdi.StorageProfile) { to.Status = from.Status },
		Validate:             validation.ValidateStorageProfile,
		ValidateUpdate:       validation.ValidateStorageProfileUpdate,
		ValidateStatusUpdate: validation.ValidateStorageProfileStatusUpdate,
		Warnings:             validation.WarningsForStorageProfile,
	}
}

// NewStorage returns what serves storageprofiles and its subresource, by the name of each.
func NewStorage(typer runtime.ObjectTyper, options generic.RESTOptionsGetter, clk clock.PassiveClock) (map[string]rest.Storage, error) {
	return strategy.NewStorages(strategy.Resource[cdi.StorageProfile, *cdi.StorageProfile]{
		Resource: cdi.Resource("storageprofiles"),
		Singular: cdi.Resource("storageprofile"),
		NewList:  func() runtime.Object { return &cdi.StorageProfileList{} },
		Strategy: strategy.NewMain(typer, rules()),
		Table:    tables.StorageProfile(clk),
	}, options)
}

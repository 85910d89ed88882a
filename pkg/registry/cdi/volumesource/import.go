// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volumesource

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

func importRules() strategy.Rules[cdi.VolumeImportSource, *cdi.VolumeImportSource] {
	return strategy.Rules[cdi.VolumeImportSource, *cdi.VolumeImportSource]{
		APIVersion:     v1beta1.SchemeGroupVersion.String(),
		Spec:           func(s *cdi.VolumeImportSource) any { return &s.Spec },
		CopySpec:       func(to, from *cdi.VolumeImportSource) { to.Spec = from.Spec },
		Validate:       validation.ValidateVolumeImportSource,
		ValidateUpdate: validation.ValidateVolumeImportSourceUpdate,
		Warnings:       validation.WarningsForVolumeImportSource,
	}
}

// NewImportStorage returns what serves volumeimportsources, by the name of each.
func NewImportStorage(typer runtime.ObjectTyper, options generic.RESTOptionsGetter, clk clock.PassiveClock) (map[string]rest.Storage, error) {
	return strategy.NewStorages(strategy.Resource[cdi.VolumeImportSource, *cdi.VolumeImportSource]{
		Resource: cdi.Resource("volumeimportsources"),
		Singular: cdi.Resource("volumeimportsource"),
		NewList:  func() runtime.Object { return &cdi.VolumeImportSourceList{} },
		Strategy: strategy.NewMain(typer, importRules()),
		Table:    tables.VolumeImportSource(clk),
	}, options)
}

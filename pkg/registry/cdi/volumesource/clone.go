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

func cloneRules() strategy.Rules[cdi.VolumeCloneSource, *cdi.VolumeCloneSource] {
	return strategy.Rules[cdi.VolumeCloneSource, *cdi.VolumeCloneSource]{
		APIVersion:     v1beta1.SchemeGroupVersion.String(),
		Spec:           func(s *cdi.VolumeCloneSource) any { return &s.Spec },
		CopySpec:       func(to, from *cdi.VolumeCloneSource) { to.Spec = from.Spec },
		Validate:       validation.ValidateVolumeCloneSource,
		ValidateUpdate: validation.ValidateVolumeCloneSourceUpdate,
		Warnings:       validation.WarningsForVolumeCloneSource,
	}
}

// NewCloneStorage returns what serves volumeclonesources, by the name of each.
func NewCloneStorage(typer runtime.ObjectTyper, options generic.RESTOptionsGetter, clk clock.PassiveClock) (map[string]rest.Storage, error) {
	return strategy.NewStorages(strategy.Resource[cdi.VolumeCloneSource, *cdi.VolumeCloneSource]{
		Resource: cdi.Resource("volumeclonesources"),
		Singular: cdi.Resource("volumeclonesource"),
		NewList:  func() runtime.Object { return &cdi.VolumeCloneSourceList{} },
		Strategy: strategy.NewMain(typer, cloneRules()),
		Table:    tables.VolumeCloneSource(clk),
	}, options)
}

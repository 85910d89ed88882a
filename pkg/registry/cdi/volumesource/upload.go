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

func uploadRules() strategy.Rules[cdi.VolumeUploadSource, *cdi.VolumeUploadSource] {
	return strategy.Rules[cdi.VolumeUploadSource, *cdi.VolumeUploadSource]{
		APIVersion:     v1beta1.SchemeGroupVersion.String(),
		Spec:           func(s *cdi.VolumeUploadSource) any { return &s.Spec },
		CopySpec:       func(to, from *cdi.VolumeUploadSource) { to.Spec = from.Spec },
		Validate:       validation.ValidateVolumeUploadSource,
		ValidateUpdate: validation.ValidateVolumeUploadSourceUpdate,
		Warnings:       validation.WarningsForVolumeUploadSource,
	}
}

// NewUploadStorage returns what serves volumeuploadsources, by the name of each.
func NewUploadStorage(typer runtime.ObjectTyper, options generic.RESTOptionsGetter, clk clock.PassiveClock) (map[string]rest.Storage, error) {
	return strategy.NewStorages(strategy.Resource[cdi.VolumeUploadSource, *cdi.VolumeUploadSource]{
		Resource: cdi.Resource("volumeuploadsources"),
		Singular: cdi.Resource("volumeuploadsource"),
		NewList:  func() runtime.Object { return &cdi.VolumeUploadSourceList{} },
		Strategy: strategy.NewMain(typer, uploadRules()),
		Table:    tables.VolumeUploadSource(clk),
	}, options)
}

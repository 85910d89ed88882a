// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package cdiconfig

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

func rules() strategy.Rules[cdi.CDIConfig, *cdi.CDIConfig] {
	return strategy.Rules[cdi.CDIConfig, *cdi.CDIConfig]{
		APIVersion:           v1beta1.SchemeGroupVersion.String(),
		ClusterScoped:        true,
		Spec:                 func(c *cdi.CDIConfig) any { return &c.Spec },
		CopySpec:             func(to, from *cdi.CDIConfig) { to.Spec = from.Spec },
		CopyStatus:           func(to, from *cdi.CDIConfig) { to.Status = from.Status },
		Validate:             validation.ValidateCDIConfig,
		ValidateUpdate:       validation.ValidateCDIConfigUpdate,
		ValidateStatusUpdate: validation.ValidateCDIConfigStatusUpdate,
		Warnings:             validation.WarningsForCDIConfig,
	}
}

// NewStorage returns what serves cdiconfigs and its subresource, by the name of each.
func NewStorage(typer runtime.ObjectTyper, options generic.RESTOptionsGetter, clk clock.PassiveClock) (map[string]rest.Storage, error) {
	return strategy.NewStorages(strategy.Resource[cdi.CDIConfig, *cdi.CDIConfig]{
		Resource: cdi.Resource("cdiconfigs"),
		Singular: cdi.Resource("cdiconfig"),
		NewList:  func() runtime.Object { return &cdi.CDIConfigList{} },
		Strategy: strategy.NewMain(typer, rules()),
		Table:    tables.CDIConfig(clk),
	}, options)
}

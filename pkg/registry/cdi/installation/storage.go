// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package installation

import (
	"k8s.io/apimachinery/pkg/fields"
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

func rules() strategy.Rules[cdi.CDI, *cdi.CDI] {
	return strategy.Rules[cdi.CDI, *cdi.CDI]{
		APIVersion:           v1beta1.SchemeGroupVersion.String(),
		ClusterScoped:        true,
		Spec:                 func(c *cdi.CDI) any { return &c.Spec },
		CopySpec:             func(to, from *cdi.CDI) { to.Spec = from.Spec },
		CopyStatus:           func(to, from *cdi.CDI) { to.Status = from.Status },
		Validate:             validation.ValidateCDI,
		ValidateUpdate:       validation.ValidateCDIUpdate,
		ValidateStatusUpdate: validation.ValidateCDIStatusUpdate,
		Warnings:             validation.WarningsForCDI,
	}
}

// NewStorage returns what serves cdis and its subresource, by the name of each.
func NewStorage(typer runtime.ObjectTyper, options generic.RESTOptionsGetter, clk clock.PassiveClock) (map[string]rest.Storage, error) {
	return strategy.NewStorages(strategy.Resource[cdi.CDI, *cdi.CDI]{
		Resource:   cdi.Resource("cdis"),
		Singular:   cdi.Resource("cdi"),
		ShortNames: []string{"cdi", "cdis"},
		NewList:    func() runtime.Object { return &cdi.CDIList{} },
		Fields: func(c *cdi.CDI) fields.Set {
			return fields.Set{v1beta1.FieldPhase: string(c.Status.Phase)}
		},
		Strategy: strategy.NewMain(typer, rules()),
		Table:    tables.CDI(clk),
	}, options)
}

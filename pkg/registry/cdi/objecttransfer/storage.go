// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package objecttransfer

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

func rules() strategy.Rules[cdi.ObjectTransfer, *cdi.ObjectTransfer] {
	return strategy.Rules[cdi.ObjectTransfer, *cdi.ObjectTransfer]{
		APIVersion:           v1beta1.SchemeGroupVersion.String(),
		ClusterScoped:        true,
		Spec:                 func(t *cdi.ObjectTransfer) any { return &t.Spec },
		CopySpec:             func(to, from *cdi.ObjectTransfer) { to.Spec = from.Spec },
		CopyStatus:           func(to, from *cdi.ObjectTransfer) { to.Status = from.Status },
		Validate:             validation.ValidateObjectTransfer,
		ValidateUpdate:       validation.ValidateObjectTransferUpdate,
		ValidateStatusUpdate: validation.ValidateObjectTransferStatusUpdate,
		Warnings:             validation.WarningsForObjectTransfer,
	}
}

// NewStorage returns what serves objecttransfers and its subresource, by the name of each.
func NewStorage(typer runtime.ObjectTyper, options generic.RESTOptionsGetter, clk clock.PassiveClock) (map[string]rest.Storage, error) {
	return strategy.NewStorages(strategy.Resource[cdi.ObjectTransfer, *cdi.ObjectTransfer]{
		Resource:   cdi.Resource("objecttransfers"),
		Singular:   cdi.Resource("objecttransfer"),
		ShortNames: []string{"ot", "ots"},
		NewList:    func() runtime.Object { return &cdi.ObjectTransferList{} },
		Fields: func(t *cdi.ObjectTransfer) fields.Set {
			return fields.Set{v1beta1.FieldPhase: string(t.Status.Phase)}
		},
		Strategy: strategy.NewMain(typer, rules()),
		Table:    tables.ObjectTransfer(clk),
	}, options)
}

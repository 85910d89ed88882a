// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package dataimportcron

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

func rules() strategy.Rules[cdi.DataImportCron, *cdi.DataImportCron] {
	return strategy.Rules[cdi.DataImportCron, *cdi.DataImportCron]{
		APIVersion:           v1beta1.SchemeGroupVersion.String(),
		Spec:                 func(c *cdi.DataImportCron) any { return &c.Spec },
		CopySpec:             func(to, from *cdi.DataImportCron) { to.Spec = from.Spec },
		CopyStatus:           func(to, from *cdi.DataImportCron) { to.Status = from.Status },
		Validate:             validation.ValidateDataImportCron,
		ValidateUpdate:       validation.ValidateDataImportCronUpdate,
		ValidateStatusUpdate: validation.ValidateDataImportCronStatusUpdate,
		Warnings:             validation.WarningsForDataImportCron,
		StatusAnnotations:    v1beta1.StateAnnotations(),
	}
}

// NewStorage returns what serves dataimportcrons and its subresources, by the name of each.
func NewStorage(typer runtime.ObjectTyper, options generic.RESTOptionsGetter, clk clock.PassiveClock) (map[string]rest.Storage, error) {
	main, status, err := strategy.NewStorage(strategy.Resource[cdi.DataImportCron, *cdi.DataImportCron]{
		Resource:   cdi.Resource("dataimportcrons"),
		Singular:   cdi.Resource("dataimportcron"),
		ShortNames: []string{"dic", "dics"},
		Categories: []string{"all"},
		NewList:    func() runtime.Object { return &cdi.DataImportCronList{} },
		Fields: func(c *cdi.DataImportCron) fields.Set {
			return fields.Set{v1beta1.FieldManagedDataSource: c.Spec.ManagedDataSource}
		},
		Strategy: strategy.NewMain(typer, rules()),
		Table:    tables.DataImportCron(clk),
	}, options)
	if err != nil {
		return nil, err
	}
	return map[string]rest.Storage{
		"dataimportcrons":         main,
		"dataimportcrons/status":  status,
		"dataimportcrons/trigger": NewTrigger(status, clk),
	}, nil
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package datasource

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

func rules() strategy.Rules[cdi.DataSource, *cdi.DataSource] {
	return strategy.Rules[cdi.DataSource, *cdi.DataSource]{
		APIVersion:           v1beta1.SchemeGroupVersion.String(),
		Spec:                 func(s *cdi.DataSource) any { return &s.Spec },
		CopySpec:             func(to, from *cdi.DataSource) { to.Spec = from.Spec },
		CopyStatus:           func(to, from *cdi.DataSource) { to.Status = from.Status },
		Validate:             validation.ValidateDataSource,
		ValidateUpdate:       validation.ValidateDataSourceUpdate,
		ValidateStatusUpdate: validation.ValidateDataSourceStatusUpdate,
		Warnings:             validation.WarningsForDataSource,
	}
}

// NewStorage returns what serves datasources and its subresource, by the name of each.
func NewStorage(typer runtime.ObjectTyper, options generic.RESTOptionsGetter, clk clock.PassiveClock) (map[string]rest.Storage, error) {
	return strategy.NewStorages(strategy.Resource[cdi.DataSource, *cdi.DataSource]{
		Resource:   cdi.Resource("datasources"),
		Singular:   cdi.Resource("datasource"),
		ShortNames: []string{"das"},
		Categories: []string{"all"},
		NewList:    func() runtime.Object { return &cdi.DataSourceList{} },
		Fields:     selectable,
		Strategy:   strategy.NewMain(typer, rules()),
		Table:      tables.DataSource(clk),
	}, options)
}

func selectable(source *cdi.DataSource) fields.Set {
	name := ""
	if pvc := source.Spec.Source.PVC; pvc != nil {
		name = pvc.Name
	}
	return fields.Set{v1beta1.FieldSourcePVCName: name}
}

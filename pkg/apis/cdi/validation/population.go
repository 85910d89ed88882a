// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"k8s.io/apimachinery/pkg/util/validation/field"

	"goldenimage.dev/pkg/apis/cdi"
)

const externalPopulation = "External population is not supported: leave it out"

// A populator is what dataSource and dataSourceRef have in common.
type populator struct{ group, kind, name string }

// validateNotExternal refuses what asks other controllers to fill the volume, and says what
// would be wrong with it besides.
func validateNotExternal(c *claim, spec *cdi.DataVolumeSpec) field.ErrorList {
	message := externalPopulation
	if spec.Source != nil || spec.SourceRef != nil {
		message = "External population is incompatible with Source and SourceRef: " + message
	}
	var errs field.ErrorList
	var source, ref populator
	if s := c.dataSource; s != nil {
		source = populator{deref(s.APIGroup), s.Kind, s.Name}
		errs = append(errs, field.Forbidden(c.path.Child("dataSource"), message))
		errs = append(errs, validatePopulator(source, "DataSource", c.path.Child("dataSource"))...)
	}
	if s := c.dataSourceRef; s != nil {
		path := c.path.Child("dataSourceRef")
		ref = populator{deref(s.APIGroup), s.Kind, s.Name}
		errs = append(errs, field.Forbidden(path, message))
		errs = append(errs, validatePopulator(ref, "DataSourceRef", path)...)
		if deref(s.Namespace) != "" {
			errs = append(errs, field.Invalid(path.Child("namespace"), field.OmitValueType{}, "DataSourceRef namespace not supported"))
		}
	}
	if c.dataSource != nil && c.dataSourceRef != nil && source != ref {
		errs = append(errs, field.Invalid(c.path.Child("dataSourceRef"), field.OmitValueType{}, "DataSourceRef and DataSource must match: give one of them"))
	}
	return errs
}

func validatePopulator(p populator, title string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if p.name == "" {
		errs = append(errs, field.Required(path.Child("name"), title+" name"))
	}
	if p.kind == "" {
		errs = append(errs, field.Required(path.Child("kind"), title+" kind"))
	}
	if p.group == "" && p.kind != kindClaim {
		errs = append(errs, field.Required(path.Child("apiGroup"), title+" apiGroup when kind is not 'PersistentVolumeClaim'"))
	}
	return errs
}

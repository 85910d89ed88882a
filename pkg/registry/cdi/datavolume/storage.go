// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package datavolume

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

func rules() strategy.Rules[cdi.DataVolume, *cdi.DataVolume] {
	return strategy.Rules[cdi.DataVolume, *cdi.DataVolume]{
		APIVersion:           v1beta1.SchemeGroupVersion.String(),
		Spec:                 func(v *cdi.DataVolume) any { return &v.Spec },
		CopySpec:             func(to, from *cdi.DataVolume) { to.Spec = from.Spec },
		CopyStatus:           func(to, from *cdi.DataVolume) { to.Status = from.Status },
		Validate:             validation.ValidateDataVolume,
		ValidateUpdate:       validation.ValidateDataVolumeUpdate,
		ValidateStatusUpdate: validation.ValidateDataVolumeStatusUpdate,
		// They say whose volume is read; written by a user they would be a way around the
		// authorization of clones. AnnCloneRequester is not among them: admission/clone owns it,
		// which writes it before a strategy drops what is guarded.
		Guarded:  []string{v1beta1.AnnCloneSource, v1beta1.AnnCloneSourceUID},
		Warnings: validation.WarningsForDataVolume,
	}
}

// NewStorage returns what serves datavolumes and its subresource, by the name of each.
func NewStorage(typer runtime.ObjectTyper, options generic.RESTOptionsGetter, clk clock.PassiveClock) (map[string]rest.Storage, error) {
	return strategy.NewStorages(strategy.Resource[cdi.DataVolume, *cdi.DataVolume]{
		Resource:   cdi.Resource("datavolumes"),
		Singular:   cdi.Resource("datavolume"),
		ShortNames: []string{"dv", "dvs"},
		Categories: []string{"all"},
		NewList:    func() runtime.Object { return &cdi.DataVolumeList{} },
		Fields:     selectable,
		Strategy:   strategy.NewMain(typer, rules()),
		Table:      tables.DataVolume(clk),
	}, options)
}

func selectable(volume *cdi.DataVolume) fields.Set {
	name := ""
	if source := volume.Spec.Source; source != nil && source.PVC != nil {
		name = source.PVC.Name
	}
	return fields.Set{v1beta1.FieldPhase: string(volume.Status.Phase), v1beta1.FieldSourcePVCName: name}
}

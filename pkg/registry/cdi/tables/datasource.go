// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package tables

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/utils/clock"

	"goldenimage.dev/pkg/apis/cdi"
)

type sourceRow = row[cdi.DataSource]

// DataSource returns the tables of DataSources, with times relative to a clock.
func DataSource(clk clock.PassiveClock) rest.TableConvertor {
	items := func(object runtime.Object) ([]cdi.DataSource, bool) {
		list, ok := object.(*cdi.DataSourceList)
		if !ok {
			return nil, false
		}
		return list.Items, true
	}
	return newConvertor(cdi.Resource("datasources"), clk, items, []column[cdi.DataSource]{
		text("Ready", always, "Whether the image can be cloned.",
			func(r sourceRow) string { return string(ready(r.object).Status) }),
		text("Source", always, "Claim, snapshot or other DataSource that holds the image.",
			func(r sourceRow) string { return imageSource(r.object).name }),
		age[cdi.DataSource](),
		text("Reason", wide, "Why the image can or cannot be cloned, in a word.",
			func(r sourceRow) string { return ready(r.object).Reason }),
		text("Source-Namespace", wide, "Namespace of what holds the image.",
			func(r sourceRow) string { return imageSource(r.object).namespace }),
		text("Message", wide, "Why the image can or cannot be cloned, in a sentence.",
			func(r sourceRow) string { return ready(r.object).Message }),
	})
}

func ready(source *cdi.DataSource) cdi.ConditionState {
	for _, c := range source.Status.Conditions {
		if c.Type == cdi.DataSourceReady {
			return c.ConditionState
		}
	}
	return cdi.ConditionState{}
}

// A place is what holds an image: its kind with its name, and its namespace.
type place struct{ name, namespace string }

func imageSource(source *cdi.DataSource) place {
	spec := &source.Spec.Source
	switch {
	case spec.PVC != nil:
		return place{path("pvc", spec.PVC.Name), spec.PVC.Namespace}
	case spec.Snapshot != nil:
		return place{path("snapshot", spec.Snapshot.Name), spec.Snapshot.Namespace}
	case spec.DataSource != nil:
		return place{path("datasource", spec.DataSource.Name), spec.DataSource.Namespace}
	}
	return place{}
}

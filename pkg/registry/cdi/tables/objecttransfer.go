// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package tables

import (
	"cmp"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi"
)

type transferRow = row[cdi.ObjectTransfer]

// ObjectTransfer returns the tables of ObjectTransfers, with times relative to a clock.
func ObjectTransfer(clk clock.PassiveClock) rest.TableConvertor {
	items := func(object runtime.Object) ([]cdi.ObjectTransfer, bool) {
		list, ok := object.(*cdi.ObjectTransferList)
		if !ok {
			return nil, false
		}
		return list.Items, true
	}
	return newConvertor(cdi.Resource("objecttransfers"), clk, items, []column[cdi.ObjectTransfer]{
		age[cdi.ObjectTransfer](),
		text("Phase", always, "Stage of the move.",
			func(r transferRow) string { return string(r.object.Status.Phase) }),
		text("Source", wide, "What is moved.", func(r transferRow) string {
			source := r.object.Spec.Source
			return path(strings.ToLower(source.Kind), source.Namespace, source.Name)
		}),
		text("Target", wide, "Where it is moved to.", func(r transferRow) string {
			source, target := r.object.Spec.Source, r.object.Spec.Target
			return path(cmp.Or(ptr.Deref(target.Namespace, ""), source.Namespace), cmp.Or(ptr.Deref(target.Name, ""), source.Name))
		}),
	})
}

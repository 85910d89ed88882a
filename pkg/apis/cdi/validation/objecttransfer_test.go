// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"goldenimage.dev/pkg/apis/cdi"
)

func moveOfDisk() *cdi.ObjectTransfer {
	return &cdi.ObjectTransfer{
		ObjectMeta: metav1.ObjectMeta{Name: "move"},
		Spec: cdi.ObjectTransferSpec{
			Source: cdi.TransferSource{Kind: "PersistentVolumeClaim", Namespace: "a", Name: "disk"},
			Target: cdi.TransferTarget{Namespace: new("b")},
		},
	}
}

func TestValidateObjectTransfer(t *testing.T) {
	to := func(namespace, name *string) func(*cdi.ObjectTransfer) {
		return func(o *cdi.ObjectTransfer) { o.Spec.Target = cdi.TransferTarget{Namespace: namespace, Name: name} }
	}
	for name, test := range map[string]struct {
		change func(*cdi.ObjectTransfer)
		want   []fault
	}{
		"a move is valid":              {func(*cdi.ObjectTransfer) {}, nil},
		"a rename is valid":            {to(nil, new("other")), nil},
		"a move and rename is valid":   {to(new("b"), new("disk")), nil},
		"a DataVolume with a parent":   {func(o *cdi.ObjectTransfer) { o.Spec.Source.Kind, o.Spec.ParentName = "DataVolume", new("parent") }, nil},
		"a target of the own name":     {to(new("a"), new("disk")), []fault{invalid("spec.target", "target is the source itself: give another namespace or name")}},
		"a target of the own space":    {to(new("a"), nil), []fault{invalid("spec.target", "target is the source itself: give another namespace or name")}},
		"no target":                    {to(nil, nil), []fault{required("spec.target", "Target namespace and/or target name must be supplied")}},
		"an empty target":              {to(new(""), new("")), []fault{required("spec.target.namespace", "target is not valid: give a namespace"), required("spec.target.name", "target is not valid: give a name")}},
		"a target of no name":          {to(new("a.b"), new("A")), []fault{invalid("spec.target.namespace", "target is not valid: must not contain dots"), invalid("spec.target.name", "target is not valid: "+badName)}},
		"a parent without a name":      {func(o *cdi.ObjectTransfer) { o.Spec.ParentName = new("") }, []fault{required("spec.parentName", "name of the ObjectTransfer is not valid: give a name")}},
		"another kind of source":       {func(o *cdi.ObjectTransfer) { o.Spec.Source.Kind = "Secret" }, []fault{unsupported("spec.source.kind", `Unsupported kind "Secret": accepted are DataVolume, PersistentVolumeClaim`)}},
		"it is in a namespace":         {func(o *cdi.ObjectTransfer) { o.Namespace = "a" }, []fault{forbidden("metadata.namespace", "not allowed on this type")}},
		"a source that is not named":   {func(o *cdi.ObjectTransfer) { o.Spec.Source = cdi.TransferSource{} }, []fault{required("spec.source.kind", "source is not valid: accepted are DataVolume, PersistentVolumeClaim"), required("spec.source.namespace", "source is not valid: give a namespace"), required("spec.source.name", "source is not valid: give a name")}},
		"a source whose names are bad": {func(o *cdi.ObjectTransfer) { o.Spec.Source.Namespace, o.Spec.Source.Name = "A", "B" }, []fault{invalid("spec.source.namespace", "source is not valid: "+badLabel), invalid("spec.source.name", "source is not valid: "+badName)}},
	} {
		t.Run(name, func(t *testing.T) {
			transfer := moveOfDisk()
			test.change(transfer)
			compare(t, test.want, ValidateObjectTransfer(transfer))
		})
	}
}

func TestValidateObjectTransferUpdate(t *testing.T) {
	updated := moveOfDisk()
	updated.Labels = map[string]string{"a": "b"}
	compare(t, nil, ValidateObjectTransferUpdate(updated, moveOfDisk()))
	updated.Spec = cdi.ObjectTransferSpec{ParentName: new("a")}
	const immutable = "ObjectTransfer spec is immutable: create another ObjectTransfer"
	compare(t, []fault{invalid("spec.source", immutable), invalid("spec.target", immutable), invalid("spec.parentName", immutable)},
		ValidateObjectTransferUpdate(updated, moveOfDisk()))
}

func TestValidateObjectTransferStatusUpdate(t *testing.T) {
	updated := moveOfDisk()
	updated.Status = cdi.ObjectTransferStatus{Phase: cdi.ObjectTransferComplete, Conditions: []cdi.ObjectTransferCondition{
		{Type: cdi.ObjectTransferConditionComplete, ConditionState: cdi.ConditionState{Status: corev1.ConditionTrue}},
	}}
	compare(t, nil, ValidateObjectTransferStatusUpdate(updated, moveOfDisk()))
	compare(t, nil, ValidateObjectTransferStatusUpdate(moveOfDisk(), updated))
	bad := updated.DeepCopy()
	bad.Status.Phase, bad.Status.Conditions[0].Type = "Halfway", ""
	compare(t, []fault{
		unsupported("status.phase", "Illegal phase: accepted are Pending, Running, Complete, Error"),
		required("status.conditions[0].type", "give the type of the condition"),
	}, ValidateObjectTransferStatusUpdate(bad, updated))
	compare(t, nil, ValidateObjectTransferStatusUpdate(bad, bad))
}

func TestWarningsForObjectTransfer(t *testing.T) {
	want := []string{"this server stores ObjectTransfers and does not act on them: clone the volume with a DataVolume in the other namespace, and delete the first one"}
	if diff := cmp.Diff(want, WarningsForObjectTransfer(moveOfDisk())); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// A method is how a claim is filled, and why so.
type method struct {
	// name is MethodDirect or MethodHandOver.
	name string
	// early: the claim is made at the start and waits for its volume, since its provisioner
	// leaves claims with a dataSourceRef alone. Otherwise a claim that is handed a volume is
	// made when the volume is complete. Direct is always early.
	early  bool
	reason string
}

// method chooses how a volume is filled, or returns what was chosen when its claims were made.
func (c *Controller) method(in *input) (method, error) {
	csi, err := c.isCSI(in)
	if err != nil {
		return method{}, err
	}
	// Who may write claims chose what is noted on this one. Next to a source in another namespace
	// it would name another claim.
	if in.target != nil && in.owner == ownedByVolume && in.home == in.volume.Namespace {
		if name := in.target.Annotations[v1beta1.AnnPopulationMethod]; name != "" {
			return method{name: name, early: true}, nil
		}
	}
	if in.prime != nil {
		return method{name: v1beta1.MethodHandOver, early: csi}, nil
	}
	return choose(in, csi)
}

func choose(in *input, csi bool) (method, error) {
	provisioner := "no provisioner"
	if in.class != nil {
		provisioner = in.class.Provisioner
	}
	static := staticVolume(in.volume)
	across := in.home != in.volume.Namespace
	switch {
	case across && static != "":
		return method{}, problemf(reasonClaimNotValid, "PersistentVolume %s cannot be named for a clone from another namespace, which is handed the volume of the copy: remove volumeName", static)
	case across:
		return method{v1beta1.MethodHandOver, csi, fmt.Sprintf("the source is in namespace %s: the copy is made there and handed over", in.home)}, nil
	case static != "":
		return method{v1beta1.MethodDirect, true, fmt.Sprintf("PersistentVolume %s was named", static)}, nil
	}
	switch in.volume.Annotations[annUsePopulator] {
	case "false":
		return method{v1beta1.MethodDirect, true, "annotation " + annUsePopulator + " is false"}, nil
	case yes:
		return method{v1beta1.MethodHandOver, csi, "annotation " + annUsePopulator + " is true"}, nil
	}
	if csi {
		return method{v1beta1.MethodHandOver, true, fmt.Sprintf("%s is a CSI driver, so the claim can wait unbound until its volume is complete", provisioner)}, nil
	}
	return method{v1beta1.MethodDirect, true, fmt.Sprintf("%s is not a CSI driver, and would bind the claim at once", provisioner)}, nil
}

// isCSI tells whether the class's provisioner is a CSI driver. Those leave a claim alone whose
// dataSourceRef is of a kind that is not theirs.
func (c *Controller) isCSI(in *input) (bool, error) {
	if in.class == nil {
		return false, nil
	}
	_, err := c.drivers.Get(in.class.Provisioner)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("get CSI driver %s: %w", in.class.Provisioner, err)
	}
	return true, nil
}

// staticVolume returns the name of the PersistentVolume that the user chose, "" if none.
func staticVolume(dv *v1beta1.DataVolume) string {
	switch {
	case dv.Spec.PVC != nil:
		return dv.Spec.PVC.VolumeName
	case dv.Spec.Storage != nil:
		return dv.Spec.Storage.VolumeName
	}
	return ""
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	corev1 "k8s.io/api/core/v1"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// handOver moves the volume of a prime claim that is complete to the user's claim:
//
//  1. the worker goes, so that nothing can write any more;
//  2. the user's claim is made, unless it waits already;
//  3. the volume's claimRef names it, together with the policy Retain, so that no accident
//     between here and there removes the data;
//  4. Kubernetes binds the two, and the claim is marked complete.
//
// The policy and the prime claim are dealt with afterwards, by leftover.
func handOver(in *input) decision {
	rebinding := func(s step) decision {
		return decision{step: s, view: rebindView(in), again: recheck}
	}
	switch {
	case in.worker != nil:
		return rebinding(unlessDeleting(in.worker.DeletionTimestamp != nil, stepDeleteWorker))
	case in.filled == nil && in.prime.Status.Phase == corev1.ClaimLost:
		// The volume is gone, and what was filled with it.
		return rebinding(unlessDeleting(terminating(in.prime), stepDeletePrime))
	case in.filled == nil:
		return rebinding(stepNone)
	case in.target == nil:
		return rebinding(stepCreateBoundTarget)
	case terminating(in.target):
		return blocked(in, problemf(reasonClaimTerminating, "PVC %s is being deleted, and is made again when it is gone", in.target.Name))
	}
	return rebind(in, rebinding)
}

func rebind(in *input, rebinding func(step) decision) decision {
	target, filled := in.target, in.filled
	ref := filled.Spec.ClaimRef
	switch {
	case target.Spec.VolumeName != "" && target.Spec.VolumeName != filled.Name:
		return blocked(in, problemf(reasonVolumeTaken, "PVC %s is bound to volume %s, though volume %s was filled for it: delete the PVC, and it is made again",
			target.Name, target.Spec.VolumeName, filled.Name))
	case ref != nil && ref.UID == target.UID:
		if target.Spec.VolumeName == filled.Name && target.Status.Phase == corev1.ClaimBound {
			return rebinding(stepMarkTarget)
		}
		return rebinding(stepNone)
	case ref != nil && ref.UID == in.prime.UID, handing(filled, in.volume):
		return rebinding(stepRebind)
	}
	return blocked(in, problemf(reasonVolumeTaken, "Volume %s was filled for this DataVolume and now belongs to another claim: delete the DataVolume and make it again", filled.Name))
}

// handing tells whether a volume is marked as being handed over for a DataVolume. Only who may
// write PersistentVolumes can mark one.
func handing(pv *corev1.PersistentVolume, dv *v1beta1.DataVolume) bool {
	return pv != nil && pv.Annotations[annVolumeUID] == string(dv.UID) && pv.Annotations[annReclaimPolicy] != ""
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	importerv1 "goldenimage.dev/pkg/apis/importer/v1"
)

// A step is one change of the cluster. Each can be repeated without harm.
type step string

const (
	stepNone step = ""
	// stepPinSource settles which claim is copied, stepPinDigest which image is read.
	stepPinSource step = "pin source"
	stepPinDigest step = "pin digest"
	// stepCreateTarget makes the user's claim before its volume is filled,
	// stepCreateBoundTarget afterwards.
	stepCreateTarget      step = "create target"
	stepCreateBoundTarget step = "create bound target"
	stepAdopt             step = "adopt target"
	stepCreatePrime       step = "create prime"
	stepCreateWorker      step = "create worker"
	// stepMarkFilled notes on the claim that was filled what the worker said.
	stepMarkFilled   step = "mark filled"
	stepDeleteWorker step = "delete worker"
	stepRebind       step = "rebind"
	// stepMarkTarget notes on the user's claim that it got its volume.
	stepMarkTarget      step = "mark target"
	stepRestorePolicy   step = "restore policy"
	stepDeletePrime     step = "delete prime"
	stepRemoveFinalizer step = "remove finalizer"
)

// A decision is at most one step, and what is to be told of the volume meanwhile.
type decision struct {
	step step
	// result of the worker, for stepMarkFilled.
	result *importerv1.Result
	// view is nil if the status stays as it is.
	view *view
	// again is when to look again, 0 for not before something changes.
	again time.Duration
}

// decide says what to do next for a volume.
func decide(in *input, now time.Time) decision {
	switch {
	case in.volume.DeletionTimestamp != nil:
		return decision{step: leftover(in)}
	case in.volume.Status.Phase == v1beta1.Failed:
		return decision{step: leftover(in), view: &view{kept: true}}
	case ended(in):
		return decision{step: leftover(in), view: succeeded(in)}
	case in.owner == adoptable:
		return decision{step: stepAdopt}
	case in.owner == foreign:
		return blocked(in, taken(in.target))
	case in.target != nil && in.target.Status.Phase == corev1.ClaimLost:
		return fails(in, reasonClaimLost, "PVC "+in.target.Name+" lost its volume, and the data with it")
	case in.prime != nil && !serves(in.prime, in.volume):
		return blocked(in, taken(in.prime))
	case in.worker != nil && !serves(in.worker, in.volume):
		return blocked(in, problemf(reasonResourceExists, "Pod %s exists and does not belong to this DataVolume: delete it", keyOf(in.worker)))
	case in.prime != nil && populated(in.prime):
		return handOver(in)
	case in.worker != nil:
		return decideWorker(in, now)
	}
	return prepare(in)
}

func taken(claim *corev1.PersistentVolumeClaim) *problem {
	if claim.DeletionTimestamp != nil {
		return problemf(reasonResourceExists, "PVC %s does not belong to this DataVolume and is being deleted", keyOf(claim))
	}
	return problemf(reasonResourceExists, "PVC %s exists and does not belong to this DataVolume: delete it, or let it be taken as it is by the annotation %s=true", keyOf(claim), annAllowAdoption)
}

// ended tells whether the volume is complete, or was.
func ended(in *input) bool {
	if phase := in.volume.Status.Phase; phase == v1beta1.Succeeded || phase == v1beta1.Failed {
		return true
	}
	if in.owner != ownedByVolume || !populated(in.target) {
		return false
	}
	// A claim that was adopted is complete whether or not it is bound.
	return in.target.Status.Phase == corev1.ClaimBound || in.target.Annotations[v1beta1.AnnPopulationMethod] == ""
}

// leftover removes, one by one and in this order, what was needed to fill the volume.
func leftover(in *input) step {
	switch {
	case in.worker != nil && serves(in.worker, in.volume):
		return unlessDeleting(in.worker.DeletionTimestamp != nil, stepDeleteWorker)
	case handing(in.filled, in.volume):
		return stepRestorePolicy
	case in.prime != nil && serves(in.prime, in.volume):
		return unlessDeleting(terminating(in.prime), stepDeletePrime)
	case slices.Contains(in.volume.Finalizers, v1beta1.FinalizerDataVolume):
		return stepRemoveFinalizer
	}
	return stepNone
}

func unlessDeleting(deleting bool, s step) step {
	if deleting {
		return stepNone
	}
	return s
}

// prepare brings about all that a worker needs, and then the worker.
func prepare(in *input) decision {
	switch {
	case in.problem != nil:
		return blocked(in, in.problem)
	case terminating(in.target):
		return blocked(in, problemf(reasonClaimTerminating, "PVC %s is being deleted, and is made again when it is gone", in.target.Name))
	case in.sourceGone && in.prime != nil:
		return decision{step: unlessDeleting(terminating(in.prime), stepDeletePrime), view: preparing(in)}
	case in.kind == cloneClaim && !isPinned(in):
		return decision{step: stepPinSource, view: preparing(in)}
	case in.kind == importImage && digestChanged(in):
		return decision{step: stepPinDigest, view: preparing(in)}
	case in.target == nil && in.method.early:
		return decision{step: stepCreateTarget, view: preparing(in)}
	case waiting(in):
		return decision{view: waitingView(in), again: recheck}
	case in.method.name == v1beta1.MethodDirect:
		return decision{step: stepCreateWorker, view: preparing(in)}
	}
	return preparePrime(in)
}

func preparePrime(in *input) decision {
	switch {
	case in.prime == nil:
		return decision{step: stepCreatePrime, view: preparing(in)}
	case terminating(in.prime):
		return decision{view: preparing(in), again: recheck}
	case in.prime.Status.Phase == corev1.ClaimLost:
		return decision{step: stepDeletePrime, view: preparing(in)}
	}
	return decision{step: stepCreateWorker, view: preparing(in)}
}

func terminating(claim *corev1.PersistentVolumeClaim) bool {
	return claim != nil && claim.DeletionTimestamp != nil
}

// waiting tells whether the volume is not to be filled before a pod wants to use it.
func waiting(in *input) bool {
	_, immediate := in.volume.Annotations[v1beta1.AnnImmediateBind]
	switch {
	case immediate, !waitsForConsumer(in.class), in.prime != nil:
		return false
	case in.target == nil:
		// A claim that is made last has no consumer before.
		return false
	}
	return in.target.Spec.VolumeName == "" && in.target.Annotations[annSelectedNode] == ""
}

// isPinned tells whether a clone is settled on its source, and will be cleaned up after.
func isPinned(in *input) bool {
	key, uid, ok := pinned(in.volume)
	if !ok || key != keyOf(in.source) || uid != in.source.UID {
		return false
	}
	return in.home == in.volume.Namespace || slices.Contains(in.volume.Finalizers, v1beta1.FinalizerDataVolume)
}

func digestChanged(in *input) bool {
	digest := in.image.digest()
	return digest != "" && in.volume.Annotations[v1beta1.AnnSourceDigest] != digest
}

func blocked(in *input, p *problem) decision {
	again := p.again
	if again == 0 {
		again = recheck
	}
	return decision{view: problemView(in, p), again: again}
}

func fails(in *input, reason, message string) decision {
	return decision{view: failedView(in, reason, message)}
}

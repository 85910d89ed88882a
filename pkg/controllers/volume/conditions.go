// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/status"
)

// An event tells that something about a volume is not as it was.
type event struct {
	kind, reason, message string
}

// write puts a view into a DataVolume's status, and returns the events of what changed.
func write(dv *v1beta1.DataVolume, in *input, v *view, now time.Time) []event {
	set := func(kind v1beta1.DataVolumeConditionType, want v1beta1.ConditionState) status.Change {
		want.ObservedGeneration = dv.Generation
		return status.SetVolume(&dv.Status.Conditions, kind, want, now)
	}
	// A claim that belongs to somebody else says nothing about this volume.
	claim := in.target
	if in.owner != ownedByVolume {
		claim = nil
	}
	if v.kept {
		set(v1beta1.DataVolumeBound, boundState(dv, claim, nil))
		if gone := claim == nil || claim.Status.Phase == corev1.ClaimLost; gone && dv.Status.Phase == v1beta1.Succeeded {
			set(v1beta1.DataVolumeReady, boundState(dv, claim, nil))
		}
		return nil
	}
	var events []event
	if dv.Status.Phase != v.phase {
		events = append(events, phaseEvent(dv, in, v.phase)...)
	}
	dv.Status.Phase = v.phase
	if v.progress != "" {
		dv.Status.Progress = v.progress
	}
	dv.Status.RestartCount = max(dv.Status.RestartCount, v.restarts)
	if claim != nil {
		dv.Status.ClaimName = claim.Name
	}
	set(v1beta1.DataVolumeBound, boundState(dv, claim, v.unbound))
	if set(v1beta1.DataVolumeRunning, v.running).Flipped && v.warning {
		events = append(events, event{corev1.EventTypeWarning, v.running.Reason, v.running.Message})
	}
	set(v1beta1.DataVolumeReady, readyState(v))
	return events
}

func boundState(dv *v1beta1.DataVolume, claim *corev1.PersistentVolumeClaim, unbound *problem) v1beta1.ConditionState {
	switch {
	case unbound != nil:
		return stopped(unbound.reason, unbound.message)
	case claim == nil:
		return stopped(reasonNotFound, fmt.Sprintf("PVC %s not found", dv.Name))
	case claim.Status.Phase == corev1.ClaimBound:
		return v1beta1.ConditionState{Status: corev1.ConditionTrue, Reason: reasonBound, Message: fmt.Sprintf("PVC %s Bound", claim.Name)}
	case claim.Status.Phase == corev1.ClaimLost:
		return stopped(reasonClaimLost, fmt.Sprintf("PVC %s lost its volume", claim.Name))
	}
	return stopped(reasonPending, fmt.Sprintf("PVC %s Pending", claim.Name))
}

func readyState(v *view) v1beta1.ConditionState {
	switch {
	case v.phase == v1beta1.Succeeded:
		return v1beta1.ConditionState{Status: corev1.ConditionTrue}
	case v.running.Status == corev1.ConditionTrue:
		return stopped(reasonTransferRunning, "")
	}
	return stopped(v.running.Reason, v.running.Message)
}

// phaseEvent returns the normal events of a phase that begins.
func phaseEvent(dv *v1beta1.DataVolume, in *input, phase v1beta1.DataVolumePhase) []event {
	normal := func(reason, message string) []event {
		return []event{{corev1.EventTypeNormal, reason, message}}
	}
	switch phase { //nolint:exhaustive // the others are told by warnings, or not at all
	case v1beta1.ImportScheduled:
		return normal(eventImportScheduled, fmt.Sprintf("Import into %s scheduled", dv.Name))
	case v1beta1.ImportInProgress:
		return normal(eventImportInProgress, fmt.Sprintf("Import into %s in progress", dv.Name))
	case v1beta1.CloneScheduled:
		return normal(eventCloneScheduled, fmt.Sprintf("Cloning from %s into %s scheduled", cloneName(dv), keyOf(dv)))
	case v1beta1.CloneInProgress:
		return normal(eventCloneInProgress, fmt.Sprintf("Cloning from %s into %s in progress", cloneName(dv), keyOf(dv)))
	case v1beta1.RebindInProgress:
		return normal(eventRebindInProgress, fmt.Sprintf("The volume is complete, and being handed over to PVC %s", dv.Name))
	case v1beta1.Succeeded:
		switch {
		case in.target != nil && in.target.Annotations[v1beta1.AnnPopulationMethod] == "":
			return normal(eventClaimAdopted, fmt.Sprintf("PVC %s existed and was taken as it is", dv.Name))
		case in.kind == cloneClaim:
			return normal(eventCloneSucceeded, fmt.Sprintf("Successfully cloned from %s into %s", cloneName(dv), keyOf(dv)))
		}
		return normal(eventImportSucceeded, fmt.Sprintf("Successfully imported into PVC %s", dv.Name))
	}
	return nil
}

func cloneName(dv *v1beta1.DataVolume) string {
	return dv.Annotations[v1beta1.AnnCloneSource]
}

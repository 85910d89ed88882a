// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	corev1 "k8s.io/api/core/v1"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

const (
	progressUnknown = "N/A"
	progressDone    = "100.0%"
)

// A view is what a decision tells of a volume. Bound is found from the claim, and Ready from
// the phase and Running.
type view struct {
	// kept: nothing is told but Bound, and Ready if the claim is gone.
	kept  bool
	phase v1beta1.DataVolumePhase
	// progress is "" if it stays what it was.
	progress v1beta1.DataVolumeProgress
	running  v1beta1.ConditionState
	// unbound is why there is no claim, nil if it is not known or there is one.
	unbound *problem
	// warning: running tells of something to mend.
	warning  bool
	restarts int32
}

func stopped(reason, message string) v1beta1.ConditionState {
	return v1beta1.ConditionState{Status: corev1.ConditionFalse, Reason: reason, Message: message}
}

// phases of an import, or of a clone.
func scheduledPhase(in *input) v1beta1.DataVolumePhase {
	if in.kind == cloneClaim {
		return v1beta1.CloneScheduled
	}
	return v1beta1.ImportScheduled
}

func runningPhase(in *input) v1beta1.DataVolumePhase {
	if in.kind == cloneClaim {
		return v1beta1.CloneInProgress
	}
	return v1beta1.ImportInProgress
}

func completeMessage(in *input) string {
	if in.kind == cloneClaim {
		return "Clone Complete"
	}
	return "Import Complete"
}

func preparing(in *input) *view {
	if workerPhase(in.volume.Status.Phase) {
		return startingAgain(in)
	}
	return &view{phase: v1beta1.Pending, progress: progressUnknown, running: stopped(reasonPending, "The volume is being prepared")}
}

func startingAgain(in *input) *view {
	return &view{phase: scheduledPhase(in), progress: progressUnknown, running: stopped(reasonPending, "The worker is being started again")}
}

func problemView(in *input, p *problem) *view {
	v := &view{phase: v1beta1.Pending, progress: progressUnknown, running: stopped(p.reason, p.message), warning: true}
	if in.target == nil && p.unbound {
		v.unbound = p
	}
	if in.prime != nil && populated(in.prime) {
		v.phase, v.progress = v1beta1.RebindInProgress, progressDone
	}
	return v
}

func waitingView(in *input) *view {
	v := &view{phase: v1beta1.PendingPopulation, progress: progressUnknown}
	if in.method.name == v1beta1.MethodDirect {
		v.phase = v1beta1.WaitForFirstConsumer
	}
	v.running = stopped(string(v.phase), "The storage class binds claims when a pod uses them: make one that does, or annotate the DataVolume with "+v1beta1.AnnImmediateBind)
	return v
}

func workerView(in *input, w worker) *view {
	v := &view{phase: scheduledPhase(in), restarts: w.restarts, warning: w.reason != "", running: stopped(w.reason, w.message)}
	if w.reason == "" {
		v.running = stopped(reasonPending, "The worker's pod is being started")
	}
	switch w.state {
	case workerRunning:
		v.phase, v.progress = runningPhase(in), in.progress
		if w.reason == "" {
			v.running = v1beta1.ConditionState{Status: corev1.ConditionTrue, Reason: reasonPodRunning}
		}
	case workerDone:
		v.phase, v.progress, v.running = runningPhase(in), progressDone, stopped(reasonCompleted, completeMessage(in))
	case workerScheduled, workerLost, workerFailed:
		v.progress = progressUnknown
	}
	return v
}

func rebindView(in *input) *view {
	return &view{phase: v1beta1.RebindInProgress, progress: progressDone, running: stopped(reasonCompleted, completeMessage(in))}
}

func succeeded(in *input) *view {
	if in.volume.Status.Phase == v1beta1.Succeeded {
		return &view{kept: true}
	}
	return &view{phase: v1beta1.Succeeded, progress: progressDone, running: stopped(reasonCompleted, completeMessage(in))}
}

func failedView(in *input, reason, message string) *view {
	v := &view{phase: v1beta1.Failed, running: stopped(reason, message), warning: true}
	if in.worker != nil {
		v.restarts = readWorker(in.worker).restarts
	}
	return v
}

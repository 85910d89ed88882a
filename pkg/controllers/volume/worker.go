// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	importerv1 "goldenimage.dev/pkg/apis/importer/v1"
)

// progressEvery is how often a running worker is asked how far it is.
const progressEvery = time.Second

// Pauses before the worker's pod is made again, from when the last one ended.
const (
	firstRestart   = 10 * time.Second
	longestRestart = 5 * time.Minute
)

type workerState int

const (
	// workerScheduled: the worker has not begun.
	workerScheduled workerState = iota
	// workerRunning: it is at work, or the kubelet is about to start it again.
	workerRunning
	workerDone
	// workerFailed: it would fail again.
	workerFailed
	// workerLost: its pod ended without it.
	workerLost
)

// worker is what a Pod says about the program in it.
type worker struct {
	state workerState
	// reason and message tell why it does not run, "" if it does or is being started.
	reason, message string
	result          *importerv1.Result
	restarts        int32
	finished        time.Time
}

func readWorker(pod *corev1.Pod) worker {
	w := worker{}
	before, err := strconv.ParseInt(pod.Annotations[annRestarts], 10, 32)
	if err == nil {
		w.restarts = int32(before)
	}
	container := corev1.ContainerStatus{}
	for _, status := range pod.Status.ContainerStatuses {
		if status.Name == containerName {
			container = status
		}
	}
	w.restarts += container.RestartCount
	switch pod.Status.Phase {
	case corev1.PodSucceeded:
		return w.succeeded(pod, container.State.Terminated)
	case corev1.PodFailed:
		return w.lost(pod, container)
	case corev1.PodPending, corev1.PodRunning, corev1.PodUnknown:
	}
	return w.living(pod, container)
}

func (w worker) succeeded(pod *corev1.Pod, ended *corev1.ContainerStateTerminated) worker {
	w.finished = pod.CreationTimestamp.Time
	if ended != nil {
		w.finished = ended.FinishedAt.Time
		w.result = parseResult(ended.Message)
	}
	if w.result == nil || w.result.Reason != importerv1.ReasonDone {
		// Some other program ran in its place: an exit code alone is no proof.
		w.state, w.reason, w.result = workerLost, reasonNoResult, nil
		w.message = "The worker ended without a result, and is started again"
		return w
	}
	w.state = workerDone
	return w
}

func (w worker) lost(pod *corev1.Pod, container corev1.ContainerStatus) worker {
	w.state, w.reason, w.message = workerLost, reasonWorkerLost, pod.Status.Message
	if pod.Status.Reason != "" {
		w.reason = pod.Status.Reason
	}
	if w.message == "" {
		w.message = "The worker's pod failed, and is made again"
	}
	w.finished = pod.CreationTimestamp.Time
	if ended := container.State.Terminated; ended != nil {
		w.finished = ended.FinishedAt.Time
		if failure := readFailure(ended); failure.state == workerFailed {
			failure.restarts = w.restarts
			return failure
		}
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.DisruptionTarget && condition.Status == corev1.ConditionTrue {
			w.finished = condition.LastTransitionTime.Time
		}
	}
	return w
}

// unboundClaims is what the scheduler says of a pod that came before its volume was bound, which
// takes a moment. The condition Bound tells if it takes longer.
const unboundClaims = "unbound immediate PersistentVolumeClaims"

// living reads a pod that has not ended.
func (w worker) living(pod *corev1.Pod, container corev1.ContainerStatus) worker {
	w.state = workerScheduled
	if pod.Status.Phase != corev1.PodPending && container.RestartCount > 0 || container.State.Running != nil || container.State.Terminated != nil {
		w.state = workerRunning
	}
	switch {
	case container.State.Running != nil:
		return w
	case container.State.Terminated != nil:
		return w.stopped(container.State.Terminated)
	case container.LastTerminationState.Terminated != nil:
		return w.stopped(container.LastTerminationState.Terminated)
	case container.State.Waiting != nil:
		return w.held(pod, container.State.Waiting)
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse && condition.Reason == corev1.PodReasonUnschedulable &&
			!strings.Contains(condition.Message, unboundClaims) {
			w.reason, w.message = reasonUnschedulable, "The worker's pod cannot be scheduled: "+condition.Message
		}
	}
	return w
}

// stopped reads the end of a container that the kubelet will start again.
func (w worker) stopped(ended *corev1.ContainerStateTerminated) worker {
	if ended.ExitCode == importerv1.ExitDone {
		// The pod's phase follows.
		return w
	}
	failure := readFailure(ended)
	failure.restarts = w.restarts
	return failure
}

func readFailure(ended *corev1.ContainerStateTerminated) worker {
	w := worker{state: workerRunning, reason: reasonWorkerFailed, finished: ended.FinishedAt.Time}
	w.result = parseResult(ended.Message)
	switch {
	case w.result != nil && w.result.Reason != "":
		w.reason, w.message = string(w.result.Reason), w.result.Message
	case ended.Reason == reasonOOMKilled:
		w.reason, w.message = reasonOOMKilled, "The worker needed more memory than its limit of "+workerMemory+", and is started again"
	default:
		w.message = fmt.Sprintf("The worker ended with exit code %d and is started again: see the log of its pod", ended.ExitCode)
	}
	switch ended.ExitCode {
	case importerv1.ExitPermanent:
		w.state = workerFailed
	case importerv1.ExitUsage:
		// A crash has this exit code too; only the Result tells that it was the Request.
		if w.result != nil && w.result.Reason == importerv1.ReasonBadRequest {
			w.state = workerFailed
		}
	}
	return w
}

// pullFailures are the reasons for which the kubelet does not start a container because of an
// image, be it the container's or that of a volume.
func pullFailures() []string {
	return []string{"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed"}
}

// held reads why the kubelet has not started the container.
func (w worker) held(pod *corev1.Pod, waiting *corev1.ContainerStateWaiting) worker {
	switch {
	case waiting.Reason == "", waiting.Reason == "ContainerCreating", waiting.Reason == "PodInitializing":
		return w
	case slices.Contains(pullFailures(), waiting.Reason):
		w.reason = reasonImagePullFailed
		w.message = fmt.Sprintf("The node cannot pull an image (%s; the worker uses %s): %s", waiting.Reason, imagesOf(pod), waiting.Message)
	default:
		w.reason, w.message = waiting.Reason, waiting.Message
	}
	return w
}

// imagesOf names the images of a worker's pod, the disk's first.
func imagesOf(pod *corev1.Pod) string {
	names := ""
	for _, volume := range pod.Spec.Volumes {
		if volume.Image != nil {
			names = volume.Image.Reference + " and "
		}
	}
	for i := range pod.Spec.Containers {
		names += pod.Spec.Containers[i].Image
	}
	return names
}

// parseResult returns nil for what is no Result.
func parseResult(message string) *importerv1.Result {
	result := &importerv1.Result{}
	if len(message) > importerv1.MaxResultBytes || json.Unmarshal([]byte(message), result) != nil {
		return nil
	}
	return result
}

// decideWorker follows the worker until its claim is filled.
func decideWorker(in *input, now time.Time) decision {
	fill, pod := in.fill(), in.worker
	w := readWorker(pod)
	switch {
	case pod.DeletionTimestamp != nil:
		return decision{view: startingAgain(in), again: recheck}
	case fill == nil, fill.DeletionTimestamp != nil, pod.Annotations[annClaimUID] != string(fill.UID),
		in.sourceGone && w.state == workerScheduled:
		// What it writes into, or reads, is no more.
		return decision{step: stepDeleteWorker, view: startingAgain(in)}
	}
	switch w.state {
	case workerDone:
		return decision{step: stepMarkFilled, result: w.result, view: workerView(in, w)}
	case workerFailed:
		return fails(in, w.reason, w.message)
	case workerLost:
		if left := w.finished.Add(restartPause(w.restarts)).Sub(now); left > 0 {
			return decision{view: workerView(in, w), again: left}
		}
		return decision{step: stepDeleteWorker, view: workerView(in, w)}
	case workerRunning:
		if w.reason == "" {
			return decision{view: workerView(in, w), again: progressEvery}
		}
	case workerScheduled:
	}
	return decision{view: workerView(in, w), again: recheck}
}

func restartPause(restarts int32) time.Duration {
	if restarts > 8 {
		return longestRestart
	}
	return min(firstRestart<<max(restarts, 0), longestRestart)
}

// restartsBefore returns how often the transfer had been begun anew when a worker is made.
func restartsBefore(dv *v1beta1.DataVolume) int32 {
	if workerPhase(dv.Status.Phase) {
		return dv.Status.RestartCount + 1
	}
	return dv.Status.RestartCount
}

func workerPhase(phase v1beta1.DataVolumePhase) bool {
	switch phase { //nolint:exhaustive // the others are not about a worker
	case v1beta1.ImportScheduled, v1beta1.ImportInProgress, v1beta1.CloneScheduled, v1beta1.CloneInProgress:
		return true
	}
	return false
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	importerv1 "goldenimage.dev/pkg/apis/importer/v1"
	"goldenimage.dev/test/gen"
)

func TestReadWorker(t *testing.T) {
	ended := gen.Epoch().Add(time.Hour)
	waiting := func(reason, message string) corev1.ContainerStatus {
		return corev1.ContainerStatus{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}}
	}
	terminated := func(exit int32, reason, message string) *corev1.ContainerStateTerminated {
		return &corev1.ContainerStateTerminated{ExitCode: exit, Reason: reason, Message: message, FinishedAt: metav1.NewTime(ended)}
	}
	after := func(restarts int32, state corev1.ContainerState, last *corev1.ContainerStateTerminated) corev1.ContainerStatus {
		return corev1.ContainerStatus{RestartCount: restarts, State: state, LastTerminationState: corev1.ContainerState{Terminated: last}}
	}
	now := func(last *corev1.ContainerStateTerminated) corev1.ContainerStatus {
		return corev1.ContainerStatus{State: corev1.ContainerState{Terminated: last}}
	}
	loop := corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}
	up := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	tests := map[string]struct {
		phase     corev1.PodPhase
		status    corev1.PodStatus
		container corev1.ContainerStatus
		restarts  string
		want      worker
	}{
		"just made":  {phase: corev1.PodPending, want: worker{}},
		"being made": {phase: corev1.PodPending, container: waiting("ContainerCreating", ""), want: worker{}},
		"not schedulable": {
			phase: corev1.PodPending,
			status: corev1.PodStatus{Conditions: []corev1.PodCondition{{
				Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: "0/1 nodes are available",
			}}},
			want: worker{reason: "Unschedulable", message: "The worker's pod cannot be scheduled: 0/1 nodes are available"},
		},
		"before its claim is bound": {
			phase: corev1.PodPending,
			status: corev1.PodStatus{Conditions: []corev1.PodCondition{{
				Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable,
				Message: "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found",
			}}},
			want: worker{},
		},
		"image not pulled": {
			phase: corev1.PodPending, container: waiting("ErrImagePull", "not found"),
			want: worker{reason: "ImagePullFailed", message: "The node cannot pull an image (ErrImagePull; the worker uses disk:1 and importer:1): not found"},
		},
		"image not pulled again": {
			phase: corev1.PodPending, container: waiting("ImagePullBackOff", "Back-off pulling image"),
			want: worker{reason: "ImagePullFailed", message: "The node cannot pull an image (ImagePullBackOff; the worker uses disk:1 and importer:1): Back-off pulling image"},
		},
		"not configurable": {
			phase: corev1.PodPending, container: waiting("CreateContainerConfigError", "secret not found"),
			want: worker{reason: "CreateContainerConfigError", message: "secret not found"},
		},
		"at work":             {phase: corev1.PodRunning, container: after(0, up, nil), want: worker{state: workerRunning}},
		"at work again":       {phase: corev1.PodRunning, restarts: "3", container: after(2, up, terminated(3, "Error", "")), want: worker{state: workerRunning, restarts: 5}},
		"bad restarts before": {phase: corev1.PodRunning, restarts: "many", container: after(2, up, nil), want: worker{state: workerRunning, restarts: 2}},
		"to be tried again": {
			phase: corev1.PodRunning, container: after(1, loop, terminated(3, "Error", `{"reason":"SourceUnreachable","message":"No route."}`)),
			want: worker{state: workerRunning, reason: "SourceUnreachable", message: "No route.", restarts: 1, finished: ended,
				result: &importerv1.Result{Reason: importerv1.ReasonUnreachable, Message: "No route."}},
		},
		"crashed": {
			phase: corev1.PodRunning, container: after(1, loop, terminated(2, "Error", "panic: oh")),
			want: worker{state: workerRunning, reason: "WorkerFailed", message: "The worker ended with exit code 2 and is started again: see the log of its pod", restarts: 1, finished: ended},
		},
		"out of memory": {
			phase: corev1.PodRunning, container: after(1, loop, terminated(137, "OOMKilled", "")),
			want: worker{state: workerRunning, reason: "OOMKilled", message: "The worker needed more memory than its limit of 600Mi, and is started again", restarts: 1, finished: ended},
		},
		"failed for good": {
			phase: corev1.PodRunning, container: now(terminated(4, "Error", `{"reason":"NoDiskInImage","message":"No disk."}`)),
			want: worker{state: workerFailed, reason: "NoDiskInImage", message: "No disk.", finished: ended,
				result: &importerv1.Result{Reason: importerv1.ReasonNoDisk, Message: "No disk."}},
		},
		"failed for good and started again": {
			phase: corev1.PodRunning, container: after(1, loop, terminated(4, "Error", "")),
			want: worker{state: workerFailed, reason: "WorkerFailed", message: "The worker ended with exit code 4 and is started again: see the log of its pod", restarts: 1, finished: ended},
		},
		"a request it cannot read": {
			phase: corev1.PodRunning, container: now(terminated(2, "Error", `{"reason":"BadRequest","message":"No target."}`)),
			want: worker{state: workerFailed, reason: "BadRequest", message: "No target.", finished: ended,
				result: &importerv1.Result{Reason: importerv1.ReasonBadRequest, Message: "No target."}},
		},
		"ended, pod not yet": {phase: corev1.PodRunning, container: now(terminated(0, "Completed", `{"reason":"Completed"}`)), want: worker{state: workerRunning}},
		"done": {
			phase: corev1.PodSucceeded, container: now(terminated(0, "Completed", `{"reason":"Completed","virtualSizeBytes":7}`)),
			want: worker{state: workerDone, finished: ended, result: &importerv1.Result{Reason: importerv1.ReasonDone, VirtualSizeBytes: 7}},
		},
		"done without a result": {
			phase: corev1.PodSucceeded, container: now(terminated(0, "Completed", "bye")),
			want: worker{state: workerLost, reason: "NoResult", message: "The worker ended without a result, and is started again", finished: ended},
		},
		"done with another result": {
			phase: corev1.PodSucceeded, container: now(terminated(0, "Completed", `{"reason":"WriteFailed"}`)),
			want: worker{state: workerLost, reason: "NoResult", message: "The worker ended without a result, and is started again", finished: ended},
		},
		"evicted": {
			phase: corev1.PodFailed, status: corev1.PodStatus{Reason: "Evicted", Message: "low on disk"},
			want: worker{state: workerLost, reason: "Evicted", message: "low on disk", finished: gen.Epoch()},
		},
		"lost with its node": {
			phase: corev1.PodFailed, container: now(terminated(137, "Error", "")),
			want: worker{state: workerLost, reason: "WorkerLost", message: "The worker's pod failed, and is made again", finished: ended},
		},
		"evicted after it failed for good": {
			phase: corev1.PodFailed, restarts: "1", container: now(terminated(4, "Error", `{"reason":"UnsupportedFormat","message":"vmdk."}`)),
			want: worker{state: workerFailed, reason: "UnsupportedFormat", message: "vmdk.", finished: ended, restarts: 1,
				result: &importerv1.Result{Reason: importerv1.ReasonFormat, Message: "vmdk."}},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			pod := &corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(gen.Epoch()), Annotations: map[string]string{annRestarts: tc.restarts}},
				Spec: corev1.PodSpec{
					Volumes:    []corev1.Volume{{Name: volumeImage, VolumeSource: corev1.VolumeSource{Image: &corev1.ImageVolumeSource{Reference: "disk:1"}}}},
					Containers: []corev1.Container{{Name: containerName, Image: "importer:1"}},
				},
				Status: tc.status,
			}
			pod.Status.Phase = tc.phase
			tc.container.Name = containerName
			pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "other", RestartCount: 9}, tc.container}
			got := readWorker(pod)
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(worker{}), cmpopts.EquateApproxTime(0)); diff != "" {
				t.Errorf("worker (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRestartPause(t *testing.T) {
	var got []time.Duration
	for _, restarts := range []int32{-1, 0, 1, 4, 5, 9, 1 << 30} {
		got = append(got, restartPause(restarts))
	}
	want := []time.Duration{10 * time.Second, 10 * time.Second, 20 * time.Second, 160 * time.Second, 5 * time.Minute, 5 * time.Minute, 5 * time.Minute}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
}

func TestLastProgress(t *testing.T) {
	tests := map[string]struct {
		log  string
		want string
	}{
		"nothing":             {log: "", want: ""},
		"the last counts":     {log: `{"fraction":0.1}` + "\n" + `{"fraction":0.25,"bytesRead":7}` + "\n", want: "25.00%"},
		"other lines":         {log: `{"fraction":0.5}` + "\nwarning\n" + `{"level":"info"}` + "\n", want: "50.00%"},
		"a line that was cut": {log: `{"fraction":0.5}` + "\n" + `{"fract`, want: "50.00%"},
		"at its end":          {log: `{"fraction":1}`, want: "99.99%"},
		"beyond":              {log: `{"fraction":-7}`, want: "0.00%"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := ""
			if latest, ok := lastProgress(tc.log); ok {
				got = string(percentage(latest.Fraction))
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/test/gen"
)

// A state is an input with the parts that a decision looks at.
type state func(*input)

func given(states ...state) *input {
	dv := importVolume("csi")
	dv.Annotations[v1beta1.AnnSourceDigest] = testDigest
	in := &input{volume: dv, kind: importImage, home: gen.Namespace, image: &image{}}
	for _, change := range states {
		change(in)
	}
	in.owner = ownershipOf(in.target, in.volume)
	return in
}

func inPhase(phase v1beta1.DataVolumePhase) state {
	return func(in *input) { in.volume.Status.Phase = phase }
}

func byDirect(in *input) {
	in.method, in.class = method{name: v1beta1.MethodDirect, early: true}, class("plain", "plain.example", false)
}

func byHandOver(in *input) {
	in.method, in.class = method{name: v1beta1.MethodHandOver, early: true}, class("csi", "csi.example", false)
}

func late(in *input) {
	in.class = class("late", "x.example", true)
	delete(in.volume.Annotations, v1beta1.AnnImmediateBind)
}

// target adds the user's claim.
func target(phase corev1.PersistentVolumeClaimPhase, volume string, annotations ...string) state {
	return func(in *input) {
		in.target = filling("fedora", gen.Namespace, false)
		in.target.UID = "target-uid"
		in.target.OwnerReferences = []metav1.OwnerReference{ownerReference(in.volume)}
		in.target.Status.Phase, in.target.Spec.VolumeName = phase, volume
		in.target.Annotations = map[string]string{v1beta1.AnnPopulationMethod: in.method.name}
		mark(in.target, annotations)
	}
}

func mark(obj metav1.Object, annotations []string) {
	for _, annotation := range annotations {
		obj.GetAnnotations()[annotation] = "true"
	}
}

func prime(phase corev1.PersistentVolumeClaimPhase, annotations ...string) state {
	return func(in *input) {
		in.prime = renderPrime(in, 0)
		in.prime.UID = "prime-uid"
		in.prime.Status.Phase, in.prime.Spec.VolumeName = phase, "pv"
		mark(in.prime, annotations)
	}
}

// filled adds the prime claim's volume, which refers to a claim.
func filled(uid types.UID, handed bool) state {
	return func(in *input) {
		in.filled = &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pv"}, Spec: corev1.PersistentVolumeSpec{
			ClaimRef: &corev1.ObjectReference{UID: uid},
		}}
		if handed {
			in.filled.Annotations = map[string]string{annVolumeUID: string(in.volume.UID), annReclaimPolicy: "Delete"}
		}
	}
}

// working adds a worker for a claim.
func working(claimUID string, phase corev1.PodPhase, container corev1.ContainerState) state {
	return func(in *input) {
		in.worker = &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Name: workerName(in.volume), Namespace: in.home, CreationTimestamp: metav1.NewTime(gen.Epoch()),
			Labels:      map[string]string{v1beta1.LabelDataVolumeUID: string(in.volume.UID)},
			Annotations: map[string]string{annVolume: keyOf(in.volume).String(), annClaimUID: claimUID},
		}}
		in.worker.Status.Phase = phase
		in.worker.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: containerName, State: container}}
	}
}

func deleting(obj func(*input) metav1.Object) state {
	return func(in *input) { obj(in).SetDeletionTimestamp(new(metav1.NewTime(gen.Epoch()))) }
}

func theVolume(in *input) metav1.Object { return in.volume }
func theTarget(in *input) metav1.Object { return in.target }
func thePrime(in *input) metav1.Object  { return in.prime }
func theWorker(in *input) metav1.Object { return in.worker }

func ended0(message string) corev1.ContainerState {
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Message: message, FinishedAt: metav1.NewTime(gen.Epoch())}}
}

func endedWith(exit int32) corev1.ContainerState {
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: exit, FinishedAt: metav1.NewTime(gen.Epoch())}}
}

func finalizer(in *input) { in.volume.Finalizers = []string{v1beta1.FinalizerDataVolume} }

// cloneFrom makes the volume a clone, pinned to the source of that UID.
func cloneFrom(namespace, pinnedUID string) state {
	return func(in *input) {
		in.kind, in.home, in.source = cloneClaim, namespace, filling("src", namespace, false)
		if pinnedUID != "" {
			in.volume.Annotations[v1beta1.AnnCloneSource] = namespace + "/src"
			in.volume.Annotations[v1beta1.AnnCloneSourceUID] = pinnedUID
		}
	}
}

// told is what a decision tells, in short.
type told struct {
	step          step
	phase         v1beta1.DataVolumePhase
	reason        string
	kept, warning bool
	again         time.Duration
}

func TestDecide(t *testing.T) {
	up := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	none := corev1.ContainerState{}
	completed := ended0(`{"reason":"Completed"}`)
	pending, boundPhase, lostPhase := corev1.ClaimPending, corev1.ClaimBound, corev1.ClaimLost
	handing := []state{byHandOver, target(pending, ""), prime(boundPhase, v1beta1.AnnPopulated)}
	with := func(base []state, more ...state) []state { return append(append([]state{}, base...), more...) }
	rebinding := func(s step) told {
		return told{step: s, phase: v1beta1.RebindInProgress, reason: "Completed", again: recheck}
	}
	preparing := func(s step) told { return told{step: s, phase: v1beta1.Pending, reason: "Pending"} }

	tests := map[string]struct {
		in   []state
		want told
	}{
		// Preparing.
		"something is missing": {[]state{byDirect, func(in *input) { in.problem = &problem{reason: "SecretNotFound", again: time.Second} }},
			told{phase: v1beta1.Pending, reason: "SecretNotFound", warning: true, again: time.Second}},
		"a digest that was not noted": {[]state{byDirect, func(in *input) {
			delete(in.volume.Annotations, v1beta1.AnnSourceDigest)
			in.image = &image{ref: parsed(t, "docker://registry.example/fedora@"+testDigest)}
		}}, preparing(stepPinDigest)},
		"a source that was not pinned":         {[]state{byDirect, cloneFrom(gen.Namespace, "")}, preparing(stepPinSource)},
		"a source that was replaced":           {[]state{byDirect, cloneFrom(gen.Namespace, "older")}, preparing(stepPinSource)},
		"a source elsewhere, no finalizer":     {[]state{byHandOver, cloneFrom("os-images", "claim-uid")}, preparing(stepPinSource)},
		"a source elsewhere, pinned":           {[]state{byHandOver, cloneFrom("os-images", "claim-uid"), finalizer}, preparing(stepCreateTarget)},
		"direct, nothing yet":                  {[]state{byDirect}, preparing(stepCreateTarget)},
		"direct, the claim":                    {[]state{byDirect, target(pending, "")}, preparing(stepCreateWorker)},
		"direct, late, the claim":              {[]state{byDirect, late, target(pending, "")}, told{phase: v1beta1.WaitForFirstConsumer, reason: "WaitForFirstConsumer", again: recheck}},
		"direct, late, a consumer":             {[]state{byDirect, late, target(pending, "", annSelectedNode)}, preparing(stepCreateWorker)},
		"direct, late, bound":                  {[]state{byDirect, late, target(boundPhase, "pv")}, preparing(stepCreateWorker)},
		"hand-over, nothing yet":               {[]state{byHandOver}, preparing(stepCreateTarget)},
		"hand-over, the claim":                 {[]state{byHandOver, target(pending, "")}, preparing(stepCreatePrime)},
		"hand-over, late, the claim":           {[]state{byHandOver, late, target(pending, "")}, told{phase: v1beta1.PendingPopulation, reason: "PendingPopulation", again: recheck}},
		"hand-over, late, a consumer":          {[]state{byHandOver, late, target(pending, "", annSelectedNode)}, preparing(stepCreatePrime)},
		"hand-over, both claims":               {[]state{byHandOver, target(pending, ""), prime(pending)}, preparing(stepCreateWorker)},
		"hand-over, claim made last":           {[]state{byHandOver, func(in *input) { in.method.early = false }}, preparing(stepCreatePrime)},
		"hand-over, late, claim made last":     {[]state{byHandOver, late, func(in *input) { in.method.early = false }}, preparing(stepCreatePrime)},
		"hand-over, prime lost its volume":     {[]state{byHandOver, target(pending, ""), prime(lostPhase)}, preparing(stepDeletePrime)},
		"hand-over, prime is being deleted":    {[]state{byHandOver, target(pending, ""), prime(boundPhase), deleting(thePrime)}, told{phase: v1beta1.Pending, reason: "Pending", again: recheck}},
		"the claim is being deleted":           {[]state{byHandOver, target(pending, ""), deleting(theTarget)}, told{phase: v1beta1.Pending, reason: "ClaimTerminating", warning: true, again: recheck}},
		"the claim lost its volume":            {[]state{byDirect, target(lostPhase, "pv")}, told{phase: v1beta1.Failed, reason: "ClaimLost", warning: true}},
		"the source is gone, prime":            {[]state{byHandOver, cloneFrom(gen.Namespace, "claim-uid"), target(pending, ""), prime(pending), func(in *input) { in.sourceGone = true }}, preparing(stepDeletePrime)},
		"the worker is gone":                   {[]state{byDirect, inPhase(v1beta1.ImportInProgress), target(boundPhase, "pv")}, told{step: stepCreateWorker, phase: v1beta1.ImportScheduled, reason: "Pending"}},
		"the claim is somebody's":              {[]state{byDirect, target(boundPhase, "pv"), func(in *input) { in.target.OwnerReferences = nil }}, told{phase: v1beta1.Pending, reason: "ErrResourceExists", warning: true, again: recheck}},
		"the claim is another controller's":    {[]state{byDirect, target(boundPhase, "pv", annAllowAdoption), func(in *input) { in.target.OwnerReferences[0].UID = "x" }}, told{phase: v1beta1.Pending, reason: "ErrResourceExists", warning: true, again: recheck}},
		"the claim may be adopted":             {[]state{byDirect, target(boundPhase, "pv", annAllowAdoption), func(in *input) { in.target.OwnerReferences = nil }}, told{step: stepAdopt}},
		"the pod is somebody's":                {[]state{byDirect, target(boundPhase, "pv"), working("target-uid", corev1.PodRunning, up), func(in *input) { in.worker.Labels = nil }}, told{phase: v1beta1.Pending, reason: "ErrResourceExists", warning: true, again: recheck}},
		"the prime claim is somebody's":        {[]state{byHandOver, target(pending, ""), prime(boundPhase, v1beta1.AnnPopulated), func(in *input) { in.prime.Labels = nil }}, told{phase: v1beta1.RebindInProgress, reason: "ErrResourceExists", warning: true, again: recheck}},
		"the claim says it is complete, early": {[]state{byHandOver, target(pending, "", v1beta1.AnnPopulated)}, preparing(stepCreatePrime)},

		// A worker.
		"a worker to be scheduled":           {[]state{byDirect, target(pending, ""), working("target-uid", corev1.PodPending, none)}, told{phase: v1beta1.ImportScheduled, reason: "Pending", again: recheck}},
		"a worker of a clone":                {[]state{byDirect, cloneFrom(gen.Namespace, "claim-uid"), target(pending, ""), working("target-uid", corev1.PodPending, none)}, told{phase: v1beta1.CloneScheduled, reason: "Pending", again: recheck}},
		"a worker at work":                   {[]state{byDirect, target(boundPhase, "pv"), working("target-uid", corev1.PodRunning, up)}, told{phase: v1beta1.ImportInProgress, reason: "Pod is running", again: progressEvery}},
		"a worker at work on a clone":        {[]state{byHandOver, cloneFrom(gen.Namespace, "claim-uid"), target(pending, ""), prime(boundPhase), working("prime-uid", corev1.PodRunning, up)}, told{phase: v1beta1.CloneInProgress, reason: "Pod is running", again: progressEvery}},
		"a worker that failed":               {[]state{byDirect, target(boundPhase, "pv"), working("target-uid", corev1.PodRunning, endedWith(3))}, told{phase: v1beta1.ImportInProgress, reason: "WorkerFailed", warning: true, again: recheck}},
		"a worker that failed for good":      {[]state{byDirect, target(boundPhase, "pv"), working("target-uid", corev1.PodRunning, endedWith(4))}, told{phase: v1beta1.Failed, reason: "WorkerFailed", warning: true}},
		"a worker that is done":              {[]state{byDirect, target(boundPhase, "pv"), working("target-uid", corev1.PodSucceeded, completed)}, told{step: stepMarkFilled, phase: v1beta1.ImportInProgress, reason: "Completed"}},
		"a worker that was lost just now":    {[]state{byDirect, target(boundPhase, "pv"), working("target-uid", corev1.PodFailed, none)}, told{phase: v1beta1.ImportScheduled, reason: "WorkerLost", warning: true, again: 5 * time.Second}},
		"a worker that was lost a while ago": {[]state{byDirect, target(boundPhase, "pv"), working("target-uid", corev1.PodFailed, none), func(in *input) { in.worker.CreationTimestamp = metav1.NewTime(gen.Epoch().Add(-time.Minute)) }}, told{step: stepDeleteWorker, phase: v1beta1.ImportScheduled, reason: "WorkerLost", warning: true}},
		"a worker that ends":                 {[]state{byDirect, target(boundPhase, "pv"), working("target-uid", corev1.PodRunning, up), deleting(theWorker)}, told{phase: v1beta1.ImportScheduled, reason: "Pending", again: recheck}},
		"a worker of an earlier claim":       {[]state{byDirect, target(boundPhase, "pv"), working("older", corev1.PodSucceeded, completed)}, told{step: stepDeleteWorker, phase: v1beta1.ImportScheduled, reason: "Pending"}},
		"a worker whose claim is gone":       {[]state{byDirect, working("target-uid", corev1.PodRunning, up)}, told{step: stepDeleteWorker, phase: v1beta1.ImportScheduled, reason: "Pending"}},
		"a worker whose claim shall go":      {[]state{byDirect, target(boundPhase, "pv"), deleting(theTarget), working("target-uid", corev1.PodRunning, up)}, told{step: stepDeleteWorker, phase: v1beta1.ImportScheduled, reason: "Pending"}},
		"a worker whose source is gone":      {[]state{byDirect, cloneFrom(gen.Namespace, "claim-uid"), target(boundPhase, "pv"), working("target-uid", corev1.PodPending, none), func(in *input) { in.sourceGone = true }}, told{step: stepDeleteWorker, phase: v1beta1.CloneScheduled, reason: "Pending"}},

		// Handing over.
		"filled, the worker":                   {with(handing, filled("prime-uid", false), working("prime-uid", corev1.PodSucceeded, completed)), rebinding(stepDeleteWorker)},
		"filled, the worker ends":              {with(handing, filled("prime-uid", false), working("prime-uid", corev1.PodSucceeded, completed), deleting(theWorker)), rebinding(stepNone)},
		"filled, the volume is not seen":       {handing, rebinding(stepNone)},
		"filled, the volume is gone":           {[]state{byHandOver, target(pending, ""), prime(lostPhase, v1beta1.AnnPopulated)}, rebinding(stepDeletePrime)},
		"filled, no claim":                     {[]state{byHandOver, prime(boundPhase, v1beta1.AnnPopulated), filled("prime-uid", false)}, rebinding(stepCreateBoundTarget)},
		"filled, the claim is being deleted":   {with(handing, filled("prime-uid", false), deleting(theTarget)), told{phase: v1beta1.RebindInProgress, reason: "ClaimTerminating", warning: true, again: recheck}},
		"filled, the claim":                    {with(handing, filled("prime-uid", false)), rebinding(stepRebind)},
		"moved, not bound":                     {with(handing, filled("target-uid", true)), rebinding(stepNone)},
		"moved to an earlier claim":            {with(handing, filled("older", true)), rebinding(stepRebind)},
		"moved by somebody":                    {with(handing, filled("other", false)), told{phase: v1beta1.RebindInProgress, reason: "VolumeTaken", warning: true, again: recheck}},
		"moved, half bound":                    {[]state{byHandOver, target(pending, "pv"), prime(lostPhase, v1beta1.AnnPopulated), filled("target-uid", true)}, rebinding(stepNone)},
		"moved and bound":                      {[]state{byHandOver, target(boundPhase, "pv"), prime(lostPhase, v1beta1.AnnPopulated), filled("target-uid", true)}, rebinding(stepMarkTarget)},
		"filled, the claim got another volume": {[]state{byHandOver, target(boundPhase, "other"), prime(boundPhase, v1beta1.AnnPopulated), filled("prime-uid", false)}, told{phase: v1beta1.RebindInProgress, reason: "VolumeTaken", warning: true, again: recheck}},

		// The end.
		"complete":                           {[]state{byDirect, target(boundPhase, "pv", v1beta1.AnnPopulated)}, told{phase: v1beta1.Succeeded, reason: "Completed"}},
		"complete, the worker":               {[]state{byDirect, target(boundPhase, "pv", v1beta1.AnnPopulated), working("target-uid", corev1.PodSucceeded, completed)}, told{step: stepDeleteWorker, phase: v1beta1.Succeeded, reason: "Completed"}},
		"complete, the policy":               {[]state{byHandOver, target(boundPhase, "pv", v1beta1.AnnPopulated), prime(lostPhase, v1beta1.AnnPopulated), filled("target-uid", true)}, told{step: stepRestorePolicy, phase: v1beta1.Succeeded, reason: "Completed"}},
		"complete, the prime claim":          {[]state{byHandOver, target(boundPhase, "pv", v1beta1.AnnPopulated), prime(lostPhase, v1beta1.AnnPopulated), filled("target-uid", false), finalizer}, told{step: stepDeletePrime, phase: v1beta1.Succeeded, reason: "Completed"}},
		"complete, the finalizer":            {[]state{byHandOver, target(boundPhase, "pv", v1beta1.AnnPopulated), finalizer}, told{step: stepRemoveFinalizer, phase: v1beta1.Succeeded, reason: "Completed"}},
		"adopted, not bound":                 {[]state{target(pending, "", v1beta1.AnnPopulated)}, told{phase: v1beta1.Succeeded, reason: "Completed"}},
		"succeeded":                          {[]state{byDirect, inPhase(v1beta1.Succeeded), target(boundPhase, "pv", v1beta1.AnnPopulated)}, told{kept: true}},
		"succeeded, the claim is gone":       {[]state{byDirect, inPhase(v1beta1.Succeeded)}, told{kept: true}},
		"succeeded, the claim is somebody's": {[]state{byDirect, inPhase(v1beta1.Succeeded), target(boundPhase, "pv"), func(in *input) { in.target.OwnerReferences = nil }}, told{kept: true}},
		"failed":                             {[]state{byDirect, inPhase(v1beta1.Failed), target(boundPhase, "pv")}, told{kept: true}},
		"failed, the worker":                 {[]state{byDirect, inPhase(v1beta1.Failed), target(boundPhase, "pv"), working("target-uid", corev1.PodRunning, endedWith(4))}, told{step: stepDeleteWorker, kept: true}},
		"failed, the prime claim":            {[]state{byHandOver, inPhase(v1beta1.Failed), target(pending, ""), prime(boundPhase)}, told{step: stepDeletePrime, kept: true}},
		"deleted":                            {[]state{byDirect, deleting(theVolume), target(boundPhase, "pv")}, told{}},
		"deleted, the worker":                {[]state{byHandOver, deleting(theVolume), finalizer, prime(boundPhase), working("prime-uid", corev1.PodRunning, up)}, told{step: stepDeleteWorker}},
		"deleted, the worker ends":           {[]state{byHandOver, deleting(theVolume), finalizer, prime(boundPhase), working("prime-uid", corev1.PodRunning, up), deleting(theWorker)}, told{}},
		"deleted while it was handed over":   {[]state{byHandOver, deleting(theVolume), finalizer, prime(lostPhase, v1beta1.AnnPopulated), filled("target-uid", true)}, told{step: stepRestorePolicy}},
		"deleted, somebody's prime claim":    {[]state{byHandOver, deleting(theVolume), finalizer, prime(boundPhase), func(in *input) { in.prime.Labels = nil }}, told{step: stepRemoveFinalizer}},
		"deleted, the prime claim":           {[]state{byHandOver, deleting(theVolume), finalizer, prime(boundPhase)}, told{step: stepDeletePrime}},
		"deleted, the prime claim ends":      {[]state{byHandOver, deleting(theVolume), finalizer, prime(boundPhase), deleting(thePrime)}, told{}},
		"deleted, nothing but the finalizer": {[]state{byHandOver, deleting(theVolume), finalizer}, told{step: stepRemoveFinalizer}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			d := decide(given(tc.in...), gen.Epoch().Add(5*time.Second))
			got := told{step: d.step, again: d.again}
			if d.view != nil {
				got.phase, got.reason, got.kept, got.warning = d.view.phase, d.view.running.Reason, d.view.kept, d.view.warning
			}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(told{})); diff != "" {
				t.Errorf("decision (-want +got):\n%s", diff)
			}
		})
	}
}

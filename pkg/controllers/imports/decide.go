// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/lineage"
	"goldenimage.dev/pkg/controllers/status"
)

const (
	// firstPause before a failed import is made anew; it doubles with each further failure.
	firstPause = time.Minute
	// longestPause bounds it.
	longestPause = time.Hour
)

// candidate is an import that is there, or could be.
type candidate struct {
	name, digest string
	// volume and claim of that name, nil if there is none.
	volume *v1beta1.DataVolume
	claim  *corev1.PersistentVolumeClaim
	// foreign is the other DataImportCron whose label volume or claim carry, if it exists.
	foreign string
}

func (c candidate) exists() bool { return c.volume != nil || c.claim != nil }

func (c candidate) complete() bool { return lineage.Complete(c.volume, c.claim) }

// forcedBy tells whether a trigger request asked for this very import.
func (c candidate) forcedBy(requestID string) bool {
	return (c.volume != nil && c.volume.Annotations[v1beta1.AnnForcedBy] == requestID) ||
		(c.claim != nil && c.claim.Annotations[v1beta1.AnnForcedBy] == requestID)
}

// input is what a decision is made from.
type input struct {
	cron *v1beta1.DataImportCron
	// digest that shall be imported, "" if none is known. It is well-formed.
	digest string
	// digestErr is why the digest is not, nil if it is.
	digestErr error
	// current is what the status names; its name is "" if it names nothing.
	current candidate
	// usual and beside are the imports of digest: the one named by it alone, and the one that
	// a trigger request forces beside that.
	usual, beside candidate
}

// decision is what to do.
type decision struct {
	// current is what the status shall name, nil to leave it.
	current *v1beta1.ImportStatus
	// remove is a DataVolume to delete, nil for none.
	remove *v1beta1.DataVolume
	// lost tells that remove is to go because its claim is gone.
	lost bool
	// attempts, if not 0, is how often the import has been made anew then.
	attempts int
	// create or adopt the import that current names.
	create, adopt bool
	// progressing is the condition.
	progressing v1beta1.ConditionState
	// complete tells that the condition is about an import that is.
	complete bool
	// stuck tells that the condition is about an import that does not get on.
	stuck bool
	// again is when to look again, zero for not before something changes.
	again time.Time
}

// decide compares what a cron shall import with what it imports.
func decide(in input, now time.Time) decision {
	switch {
	case in.digestErr != nil:
		return decision{stuck: true, progressing: no(ReasonBadDigest, in.digestErr.Error())}
	case in.digest == "":
		return in.look()
	}
	target := in.target()
	if in.current.name == target.name {
		return in.attend(target, now)
	}
	d := in.look()
	switch {
	case in.current.complete():
		if !in.published() {
			// Publish comes first, or an import would be made and never be used.
			return d
		}
	case in.current.volume != nil && !d.stuck && underWay(in.current.volume):
		return d
	}
	stale := in.current.volume
	if in.current.complete() || in.current.foreign != "" {
		stale = nil
	}
	d = in.attend(target, now)
	if d.remove == nil && !d.stuck {
		d.remove = stale
	}
	return d
}

// look says how the current import is without touching it.
func (in input) look() decision {
	if in.current.volume == nil {
		return decision{progressing: no(ReasonNoImport, messageNoImport), complete: in.current.complete()}
	}
	state, stuck := progress(in.current.volume)
	return decision{progressing: state, stuck: stuck, complete: in.current.complete()}
}

// target returns the import of digest that shall be. If a trigger request forced it, that is
// an import made for that request.
func (in input) target() candidate {
	request := in.cron.Annotations[v1beta1.AnnForcedBy]
	current := in.current.name != "" && in.current.digest == in.digest
	switch {
	case current && (request == "" || in.current.name == in.beside.name || in.current.forcedBy(request)):
		return in.current
	case request == "":
		return in.usual
	case !in.beside.exists() && (!in.usual.exists() || in.usual.forcedBy(request)):
		return in.usual
	}
	return in.beside
}

func (in input) published() bool {
	last := in.cron.Status.LastImportedPVC
	return last != nil && last.Name == in.current.name
}

// attend brings the import that shall be one step on.
func (in input) attend(target candidate, now time.Time) decision {
	d := decision{current: &v1beta1.ImportStatus{DataVolumeName: target.name, Digest: in.digest}}
	d.progressing = no(ReasonImportScheduled, messageScheduled)
	switch {
	case target.foreign != "":
		return decision{stuck: true, progressing: no(ReasonNameTaken, fmt.Sprintf(
			"%s belongs to DataImportCron %s: let the two have different managedDataSources", target.name, target.foreign))}
	case target.volume != nil:
		in.attendVolume(&d, target, now)
	case target.claim == nil:
		d.create = true
	case target.complete():
		d.adopt = in.cron.Name != target.claim.Labels[v1beta1.LabelDataImportCron]
		d.complete, d.progressing = true, no(ReasonNoImport, messageNoImport)
	case target.claim.DeletionTimestamp != nil || lineage.OfVolume(target.claim):
		// It goes, and then the DataVolume is made.
	default:
		d.stuck, d.progressing = true, no(ReasonClaimExists, fmt.Sprintf(
			"PersistentVolumeClaim %s exists, but is not complete and no DataVolume fills it: delete it", target.name))
	}
	return d
}

func (in input) attendVolume(d *decision, target candidate, now time.Time) {
	volume := target.volume
	d.adopt = in.cron.Name != volume.Labels[v1beta1.LabelDataImportCron]
	switch {
	case volume.DeletionTimestamp != nil:
	case volume.Status.Phase == v1beta1.Succeeded && (target.claim == nil || lineage.Lost(target.claim)):
		d.remove, d.lost = volume, true
	case volume.Status.Phase == v1beta1.Succeeded && !target.complete():
		// Its claim is being deleted.
	case volume.Status.Phase == v1beta1.Failed:
		in.retry(d, volume, now)
	default:
		d.progressing, d.stuck = progress(volume)
		d.complete = target.complete()
		if d.progressing.Reason == ReasonNotAuthorized && byAnotherAccount(in.cron, volume) {
			// The cron was given another ServiceAccount, which may be allowed what this one is not.
			d.remove = volume
		}
	}
}

// retry decides when a failed import is made anew.
func (in input) retry(d *decision, volume *v1beta1.DataVolume, now time.Time) {
	d.stuck = true
	d.progressing, _ = progress(volume)
	n := attempts(in.cron, volume.Name)
	when := failedAt(volume).Add(pause(n))
	d.progressing.Message = fmt.Sprintf("%s (attempt %d; next one at %s)", strings.TrimSuffix(d.progressing.Message, "."), n+1, when.UTC().Format(time.RFC3339))
	if now.Before(when) {
		d.again = when
		return
	}
	d.remove, d.attempts = volume, n+1
}

func pause(attempts int) time.Duration {
	if attempts > 10 {
		return longestPause
	}
	return min(longestPause, firstPause<<attempts)
}

// attempts returns how often the import of a name was made anew.
func attempts(cron *v1beta1.DataImportCron, name string) int {
	of, count, ok := strings.Cut(cron.Annotations[AnnImportAttempts], "/")
	n, err := strconv.Atoi(count)
	if !ok || err != nil || of != name || n < 0 {
		return 0
	}
	return n
}

// failedAt returns since when a DataVolume has been as it is.
func failedAt(volume *v1beta1.DataVolume) time.Time {
	if running := status.Volume(volume.Status.Conditions, v1beta1.DataVolumeRunning); running != nil && !running.LastHeartbeatTime.IsZero() {
		return running.LastHeartbeatTime.Time
	}
	return volume.CreationTimestamp.Time
}

// underWay tells whether somebody has begun to fill a DataVolume and not ended.
func underWay(volume *v1beta1.DataVolume) bool {
	switch volume.Status.Phase { //nolint:exhaustive // all others are between begin and end
	case v1beta1.PhaseUnset, v1beta1.Pending, v1beta1.Succeeded, v1beta1.Failed:
		return false
	}
	return volume.DeletionTimestamp == nil
}

// progress returns the condition for a DataVolume, and whether it is stuck.
func progress(volume *v1beta1.DataVolume) (state v1beta1.ConditionState, stuck bool) {
	phase := volume.Status.Phase
	if phase == v1beta1.Succeeded {
		return no(ReasonNoImport, messageNoImport), false
	}
	if reason, message := trouble(volume); reason != "" {
		return no(reason, message), true
	}
	switch {
	case phase == v1beta1.Failed:
		return no(ReasonImportFailed, messagePhase+string(phase)), true
	case phase == v1beta1.ImportScheduled, phase == v1beta1.PhaseUnset:
		return no(ReasonImportScheduled, messageScheduled), false
	case strings.HasSuffix(string(phase), "InProgress"):
		return v1beta1.ConditionState{Status: corev1.ConditionTrue, Reason: ReasonImportProgressing, Message: messageProgressing}, false
	}
	return no(string(phase), messagePhase+string(phase)), false
}

// trouble returns what keeps a DataVolume from being filled, "" if nothing is known to.
func trouble(volume *v1beta1.DataVolume) (reason, message string) {
	running := status.Volume(volume.Status.Conditions, v1beta1.DataVolumeRunning)
	if running == nil || running.Status != corev1.ConditionFalse {
		return "", ""
	}
	switch running.Reason {
	case "", "Pending", "Completed", "Bound", "ContainerCreating", "PodInitializing", ReasonImportScheduled:
		return "", ""
	case ReasonNotAuthorized:
		return running.Reason, messageNotAuthorized + ": " + running.Message
	}
	return running.Reason, running.Message
}

func no(reason, message string) v1beta1.ConditionState {
	return v1beta1.ConditionState{Status: corev1.ConditionFalse, Reason: reason, Message: message}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package dataimportcron

import (
	"fmt"
	"math"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"goldenimage.dev/pkg/apis/cdi"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

const (
	// maxRecent bounds status.recentTriggers.
	maxRecent = 20
	// maxCoalesced bounds how many others a request that waits stands for. As many wait only
	// if nobody polls, or somebody asks in a loop.
	maxCoalesced = 100
	// busyPause is after what time to ask again then.
	busyPause = 10 * time.Second
)

// A request is what a client asks for.
type request struct {
	// TriggerRequest is what is recorded if no other stands for it. It always has an ID.
	cdi.TriggerRequest
	// named tells that the client chose the ID.
	named bool
	// uid and resourceVersion that the cron is to have; "" if any will do.
	uid             types.UID
	resourceVersion string
}

// An outcome is what becomes of a request.
type outcome struct {
	// status that the cron shall have; the one it has if there is nothing to record.
	status cdi.DataImportCronStatus
	// answer to the client, if it is not refused.
	answer cdi.DataImportCronTriggerStatus
	// refused is why the request is refused, nil if it is not. It is an API error.
	refused error
}

// answerTo decides what becomes of a request. An ID that is known gets the answer that it got
// before, whatever has happened since; only a cron that is another one, or goes, has none.
func answerTo(cron *cdi.DataImportCron, asked request, now time.Time) outcome {
	o := outcome{status: *cron.Status.DeepCopy()}
	if asked.uid != "" && asked.uid != cron.UID {
		o.refused = conflict(cron, "metadata.uid is %q, but that of the DataImportCron is %q", asked.uid, cron.UID)
		return o
	}
	if cron.DeletionTimestamp != nil {
		o.refused = conflict(cron, "it is being deleted, and is not polled any more")
		return o
	}
	if record := asked.known(&o.status); record != nil {
		if asked.Force && !record.Force {
			o.refused = conflict(cron, "spec.requestID %q was sent before without spec.force: use another requestID", asked.RequestID)
			return o
		}
		o.answer = answer(*record)
		return o
	}
	switch waiting := unanswered(&o.status); {
	case asked.resourceVersion != "" && asked.resourceVersion != cron.ResourceVersion:
		o.refused = conflict(cron, "metadata.resourceVersion is %q, but that of the DataImportCron is %q", asked.resourceVersion, cron.ResourceVersion)
	case limitedUntil(&o.status).After(now):
		o.refused = limited(cron, now)
	case waiting != nil && waiting.Coalesced >= maxCoalesced:
		o.refused = tooMany(busyPause, "request %s for a poll of DataImportCron %q still waits, and stands for %d others already",
			waiting.RequestID, cron.Name, waiting.Coalesced)
	default:
		o.answer = asked.record(&o.status, waiting)
	}
	return o
}

// known returns how a request of the same ID was answered, nil if none is known. The one
// recorded last is known even if the server chose its ID, or many others came since.
func (r request) known(status *cdi.DataImportCronStatus) *cdi.TriggerRecord {
	if !r.named {
		return nil
	}
	for i := range status.RecentTriggers {
		if status.RecentTriggers[i].ID == r.RequestID {
			return &status.RecentTriggers[i]
		}
	}
	if latest := status.TriggerRequest; latest != nil && latest.RequestID == r.RequestID {
		return new(recordOf(r.RequestID, latest, latest.Force))
	}
	return nil
}

// record writes a request into a status and returns the answer to it. One that waits stands for
// it if there is one; that one's count tells a poll under way that another is due.
func (r request) record(status *cdi.DataImportCronStatus, waiting *cdi.TriggerRequest) cdi.DataImportCronTriggerStatus {
	if waiting != nil {
		waiting.Coalesced++
		waiting.Force = waiting.Force || r.Force
	} else {
		waiting = new(r.TriggerRequest)
		waiting.Force = r.Force || owed(status)
		status.TriggerRequest = waiting
	}
	record := recordOf(r.RequestID, waiting, r.Force)
	if r.named {
		status.RecentTriggers = append(status.RecentTriggers, record)
		status.RecentTriggers = slices.Delete(status.RecentTriggers, 0, max(0, len(status.RecentTriggers)-maxRecent))
	}
	return answer(record)
}

// recordOf says that request stands for the one of an ID.
func recordOf(id string, request *cdi.TriggerRequest, force bool) cdi.TriggerRecord {
	return cdi.TriggerRecord{
		ID: id, RequestID: request.RequestID, RequestedAt: request.RequestedAt, RequestedBy: request.RequestedBy, Force: force,
	}
}

func answer(record cdi.TriggerRecord) cdi.DataImportCronTriggerStatus {
	return cdi.DataImportCronTriggerStatus{
		RequestID:   record.RequestID,
		RequestedAt: record.RequestedAt.DeepCopy(),
		RequestedBy: record.RequestedBy,
		Coalesced:   record.ID != record.RequestID,
	}
}

// unanswered returns the request that no poll has answered, nil if there is none. One that
// others were added to since the poll began that answered it still waits.
func unanswered(status *cdi.DataImportCronStatus) *cdi.TriggerRequest {
	asked, done := status.TriggerRequest, status.LastTrigger
	if asked != nil && done != nil && asked.RequestID == done.RequestID && asked.Coalesced <= done.Coalesced {
		return nil
	}
	return asked
}

// owed tells whether the latest request was answered by a poll that failed, and was to import by
// force. The next poll that succeeds makes up for it, so a request that takes the latest's
// place takes that over.
func owed(status *cdi.DataImportCronStatus) bool {
	asked, done := status.TriggerRequest, status.LastTrigger
	return asked != nil && done != nil && asked.RequestID == done.RequestID && asked.Force && done.Outcome == cdi.PollFailed
}

// limitedUntil returns until when the source asked to be left alone, zero if it did not.
func limitedUntil(status *cdi.DataImportCronStatus) time.Time {
	if status.NextPoll == nil || reachable(status).Reason != v1beta1.ReasonRateLimited {
		return time.Time{}
	}
	return status.NextPoll.Time
}

func reachable(status *cdi.DataImportCronStatus) cdi.ConditionState {
	for _, c := range status.Conditions {
		if c.Type == cdi.DataImportCronSourceReachable {
			return c.ConditionState
		}
	}
	return cdi.ConditionState{}
}

func limited(cron *cdi.DataImportCron, now time.Time) error {
	until := limitedUntil(&cron.Status)
	return tooMany(until.Sub(now), "the source of DataImportCron %q asked not to be polled before %s: %s",
		cron.Name, until.UTC().Format(time.RFC3339), reachable(&cron.Status).Message)
}

func conflict(cron *cdi.DataImportCron, format string, args ...any) error {
	return apierrors.NewConflict(cdi.Resource("dataimportcrons"), cron.Name, fmt.Errorf(format, args...))
}

// tooMany returns the error that asks to come again after a pause; the machinery makes a header
// Retry-After of it.
func tooMany(pause time.Duration, format string, args ...any) error {
	seconds := min(math.MaxInt32, max(1, math.Ceil(pause.Seconds())))
	return apierrors.NewTooManyRequests(fmt.Sprintf(format, args...), int(seconds))
}

// asAnswer makes metadata and status of the answer that a client is sent. The UID is the cron's:
// sent with another request, it says that no other cron of that name is meant.
func asAnswer(cron *cdi.DataImportCron, sent *cdi.DataImportCronTrigger, status cdi.DataImportCronTriggerStatus) *cdi.DataImportCronTrigger {
	return &cdi.DataImportCronTrigger{
		ObjectMeta: metav1.ObjectMeta{Name: cron.Name, Namespace: cron.Namespace, UID: cron.UID, CreationTimestamp: *status.RequestedAt},
		Spec:       sent.Spec,
		Status:     status,
	}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package dataimportcron

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"goldenimage.dev/pkg/apis/cdi"
)

func noon() time.Time { return time.Date(2026, time.October, 1, 12, 0, 0, 0, time.UTC) }

func at(d time.Duration) metav1.Time { return metav1.NewTime(noon().Add(d)) }

// stored is a DataImportCron with a status.
func stored(status cdi.DataImportCronStatus) *cdi.DataImportCron {
	return &cdi.DataImportCron{
		ObjectMeta: metav1.ObjectMeta{Namespace: "golden-images", Name: "fedora", UID: "uid-1", ResourceVersion: "7", Generation: 1},
		Status:     status,
	}
}

// asks is a request at noon for the ID, chosen by the server if it is "".
func asks(id string, changes ...func(*request)) request {
	r := request{named: id != "", TriggerRequest: cdi.TriggerRequest{RequestID: id, RequestedAt: at(0), RequestedBy: "alice"}}
	if !r.named {
		r.RequestID = "chosen"
	}
	for _, change := range changes {
		change(&r)
	}
	return r
}

func byForce(r *request) { r.Force = true }

// waits is a request which bob made a minute ago.
func waits(id string, changes ...func(*cdi.TriggerRequest)) *cdi.TriggerRequest {
	request := &cdi.TriggerRequest{RequestID: id, RequestedAt: at(-time.Minute), RequestedBy: "bob"}
	for _, change := range changes {
		change(request)
	}
	return request
}

func withForce(r *cdi.TriggerRequest) { r.Force = true }

func standsFor(n int32) func(*cdi.TriggerRequest) {
	return func(r *cdi.TriggerRequest) { r.Coalesced = n }
}

func handled(id string, coalesced int32, outcome cdi.PollOutcome) *cdi.TriggerOutcome {
	return &cdi.TriggerOutcome{RequestID: id, RequestedAt: at(-time.Minute), HandledAt: at(-time.Second), Outcome: outcome, Coalesced: coalesced}
}

// record says that request was answered for an ID.
func record(id, request string, force bool) cdi.TriggerRecord {
	return cdi.TriggerRecord{ID: id, RequestID: request, RequestedAt: at(-time.Minute), RequestedBy: "bob", Force: force}
}

// byBob is an answer that names a request which bob made a minute ago.
func byBob(id string, coalesced bool) cdi.DataImportCronTriggerStatus {
	return cdi.DataImportCronTriggerStatus{RequestID: id, RequestedAt: new(at(-time.Minute)), RequestedBy: "bob", Coalesced: coalesced}
}

// byAlice is an answer that names a request which alice makes at noon.
func byAlice(id string) cdi.DataImportCronTriggerStatus {
	return cdi.DataImportCronTriggerStatus{RequestID: id, RequestedAt: new(at(0)), RequestedBy: "alice"}
}

// ofAlice is what is recorded of such a request.
func ofAlice(id string, changes ...func(*cdi.TriggerRequest)) *cdi.TriggerRequest {
	request := &cdi.TriggerRequest{RequestID: id, RequestedAt: at(0), RequestedBy: "alice"}
	for _, change := range changes {
		change(request)
	}
	return request
}

func recordOfAlice(id string, force bool) cdi.TriggerRecord {
	return cdi.TriggerRecord{ID: id, RequestID: id, RequestedAt: at(0), RequestedBy: "alice", Force: force}
}

// records are n of requests that others answered, from number first.
func records(first, n int) []cdi.TriggerRecord {
	var list []cdi.TriggerRecord
	for i := range n {
		list = append(list, record(fmt.Sprintf("old-%d", first+i), "older", false))
	}
	return list
}

// unreachable are conditions of a cron whose latest poll failed.
func unreachable(reason string) []cdi.DataImportCronCondition {
	return []cdi.DataImportCronCondition{
		{Type: cdi.DataImportCronUpToDate, ConditionState: cdi.ConditionState{Status: corev1.ConditionTrue, Reason: "UpToDate"}},
		{Type: cdi.DataImportCronSourceReachable, ConditionState: cdi.ConditionState{
			Status: corev1.ConditionFalse, Reason: reason, Message: "registry.example: too many requests",
		}},
	}
}

// limitedStatus is one of which the source wants to be left alone.
func limitedStatus(until metav1.Time, status cdi.DataImportCronStatus) cdi.DataImportCronStatus {
	status.NextPoll, status.Conditions = &until, unreachable("RateLimited")
	return status
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package dataimportcron

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"goldenimage.dev/pkg/apis/cdi"
)

func TestRefusals(t *testing.T) {
	deleted := func(cron *cdi.DataImportCron) { cron.DeletionTimestamp = new(at(0)) }
	conflicts := `Operation cannot be fulfilled on dataimportcrons.cdi.kubevirt.io "fedora": `
	for name, test := range map[string]struct {
		status  cdi.DataImportCronStatus
		change  func(*cdi.DataImportCron)
		asked   request
		code    int32
		message string
		// retry is when to ask again, in seconds.
		retry int32
	}{
		"another cron of that name": {
			asked: asks("r1", func(r *request) { r.uid = "uid-0" }),
			code:  409, message: conflicts + `metadata.uid is "uid-0", but that of the DataImportCron is "uid-1"`,
		},
		"another cron of that name that knows the ID": {
			status: cdi.DataImportCronStatus{RecentTriggers: []cdi.TriggerRecord{record("r1", "r1", false)}},
			asked:  asks("r1", func(r *request) { r.uid = "uid-0" }),
			code:   409, message: conflicts + `metadata.uid is "uid-0", but that of the DataImportCron is "uid-1"`,
		},
		"a version that is no more": {
			asked: asks("r1", func(r *request) { r.resourceVersion = "6" }),
			code:  409, message: conflicts + `metadata.resourceVersion is "6", but that of the DataImportCron is "7"`,
		},
		"a cron that is being deleted": {
			change: deleted, asked: asks(""),
			code: 409, message: conflicts + "it is being deleted, and is not polled any more",
		},
		"a cron that is being deleted and knows the ID": {
			status: cdi.DataImportCronStatus{RecentTriggers: []cdi.TriggerRecord{record("r1", "r1", false)}},
			change: deleted, asked: asks("r1"),
			code: 409, message: conflicts + "it is being deleted, and is not polled any more",
		},
		"a known ID with more": {
			status: cdi.DataImportCronStatus{RecentTriggers: []cdi.TriggerRecord{record("r1", "r1", false)}},
			asked:  asks("r1", byForce),
			code:   409, message: conflicts + `spec.requestID "r1" was sent before without spec.force: use another requestID`,
		},
		"a known ID with more, though another made the one that waits use force": {
			status: cdi.DataImportCronStatus{
				TriggerRequest: waits("r1", withForce, standsFor(1)), RecentTriggers: []cdi.TriggerRecord{record("r1", "r1", false), record("r2", "r1", true)},
			},
			asked: asks("r1", byForce),
			code:  409, message: conflicts + `spec.requestID "r1" was sent before without spec.force: use another requestID`,
		},
		"a source that wants to be left alone": {
			status: limitedStatus(at(90*time.Minute), cdi.DataImportCronStatus{}), asked: asks(""),
			code: 429, retry: 5400,
			message: `the source of DataImportCron "fedora" asked not to be polled before 2026-10-01T13:30:00Z: registry.example: too many requests`,
		},
		"one that does for a part of a second": {
			status: limitedStatus(at(time.Millisecond), cdi.DataImportCronStatus{}), asked: asks(""),
			code: 429, retry: 1,
			message: `the source of DataImportCron "fedora" asked not to be polled before 2026-10-01T12:00:00Z: registry.example: too many requests`,
		},
		"one that does for part of a second more": {
			status: limitedStatus(at(1100*time.Millisecond), cdi.DataImportCronStatus{}), asked: asks(""),
			code: 429, retry: 2,
			message: `the source of DataImportCron "fedora" asked not to be polled before 2026-10-01T12:00:01Z: registry.example: too many requests`,
		},
		"one that does for longer than can be said": {
			status: limitedStatus(metav1.Date(2126, time.October, 1, 12, 0, 0, 0, time.UTC), cdi.DataImportCronStatus{}), asked: asks(""),
			code: 429, retry: 1<<31 - 1,
			message: `the source of DataImportCron "fedora" asked not to be polled before 2126-10-01T12:00:00Z: registry.example: too many requests`,
		},
		"a source that wants to be left alone while a request waits": {
			status: limitedStatus(at(time.Minute), cdi.DataImportCronStatus{TriggerRequest: waits("r1")}), asked: asks(""),
			code: 429, retry: 60,
			message: `the source of DataImportCron "fedora" asked not to be polled before 2026-10-01T12:01:00Z: registry.example: too many requests`,
		},
		"one more than a hundred": {
			status: cdi.DataImportCronStatus{TriggerRequest: waits("r1", standsFor(100))}, asked: asks(""),
			code: 429, retry: 10,
			message: `request r1 for a poll of DataImportCron "fedora" still waits, and stands for 100 others already`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			cron := stored(test.status)
			if test.change != nil {
				test.change(cron)
			}
			got := answerTo(cron, test.asked, noon())
			if diff := cmp.Diff(cron.Status, got.status); diff != "" {
				t.Errorf("status (-want +got):\n%s", diff)
			}
			refused, ok := got.refused.(apierrors.APIStatus)
			if !ok {
				t.Fatalf("refused with %v", got.refused)
			}
			status := refused.Status()
			if status.Code != test.code || status.Message != test.message || status.Details.RetryAfterSeconds != test.retry {
				t.Errorf("refused with %d, retry after %d: %s", status.Code, status.Details.RetryAfterSeconds, status.Message)
			}
		})
	}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package dataimportcron

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"goldenimage.dev/pkg/apis/cdi"
)

func TestAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		status cdi.DataImportCronStatus
		asked  request
		answer cdi.DataImportCronTriggerStatus
		// want of the status, nil if it stays as it is.
		want *cdi.DataImportCronStatus
	}{
		"a first request waits for its poll": {
			asked:  asks("r1", func(r *request) { r.Reason = "new build" }),
			answer: byAlice("r1"),
			want: &cdi.DataImportCronStatus{
				TriggerRequest: ofAlice("r1", func(r *cdi.TriggerRequest) { r.Reason = "new build" }),
				RecentTriggers: []cdi.TriggerRecord{recordOfAlice("r1", false)},
			},
		},
		"one without an ID of its own is not remembered": {
			asked: asks("", byForce), answer: byAlice("chosen"),
			want: &cdi.DataImportCronStatus{TriggerRequest: ofAlice("chosen", withForce)},
		},
		"one after another was answered waits for its own poll": {
			status: cdi.DataImportCronStatus{
				TriggerRequest: waits("r1", withForce, standsFor(3)), LastTrigger: handled("r1", 3, cdi.PollUnchanged),
				RecentTriggers: []cdi.TriggerRecord{record("r1", "r1", true)},
			},
			asked: asks("r2"), answer: byAlice("r2"),
			want: &cdi.DataImportCronStatus{
				TriggerRequest: ofAlice("r2"), LastTrigger: handled("r1", 3, cdi.PollUnchanged),
				RecentTriggers: []cdi.TriggerRecord{record("r1", "r1", true), recordOfAlice("r2", false)},
			},
		},
		"one that waits stands for a later one": {
			status: cdi.DataImportCronStatus{TriggerRequest: waits("r1"), RecentTriggers: []cdi.TriggerRecord{record("r1", "r1", false)}},
			asked:  asks("r2"), answer: byBob("r1", true),
			want: &cdi.DataImportCronStatus{
				TriggerRequest: waits("r1", standsFor(1)),
				RecentTriggers: []cdi.TriggerRecord{record("r1", "r1", false), record("r2", "r1", false)},
			},
		},
		"and takes its force over": {
			status: cdi.DataImportCronStatus{TriggerRequest: waits("r1")},
			asked:  asks("r2", byForce), answer: byBob("r1", true),
			want: &cdi.DataImportCronStatus{
				TriggerRequest: waits("r1", withForce, standsFor(1)), RecentTriggers: []cdi.TriggerRecord{record("r2", "r1", true)},
			},
		},
		"and keeps its own": {
			status: cdi.DataImportCronStatus{TriggerRequest: waits("r1", withForce)},
			asked:  asks(""), answer: byBob("r1", true),
			want: &cdi.DataImportCronStatus{TriggerRequest: waits("r1", withForce, standsFor(1))},
		},
		"one behind another's outcome waits": {
			status: cdi.DataImportCronStatus{TriggerRequest: waits("r1"), LastTrigger: handled("r0", 9, cdi.PollUnchanged)},
			asked:  asks(""), answer: byBob("r1", true),
			want: &cdi.DataImportCronStatus{TriggerRequest: waits("r1", standsFor(1)), LastTrigger: handled("r0", 9, cdi.PollUnchanged)},
		},
		"one that was added to since its poll began waits for the next": {
			status: cdi.DataImportCronStatus{TriggerRequest: waits("r1", standsFor(2)), LastTrigger: handled("r1", 1, cdi.PollUnchanged)},
			asked:  asks(""), answer: byBob("r1", true),
			want: &cdi.DataImportCronStatus{TriggerRequest: waits("r1", standsFor(3)), LastTrigger: handled("r1", 1, cdi.PollUnchanged)},
		},
		"one that waits stands for a hundred others": {
			status: cdi.DataImportCronStatus{TriggerRequest: waits("r1", standsFor(99))},
			asked:  asks(""), answer: byBob("r1", true),
			want: &cdi.DataImportCronStatus{TriggerRequest: waits("r1", standsFor(100))},
		},
		"a hundred that were answered are not in the way": {
			status: cdi.DataImportCronStatus{TriggerRequest: waits("r1", standsFor(100)), LastTrigger: handled("r1", 100, cdi.PollUnchanged)},
			asked:  asks(""), answer: byAlice("chosen"),
			want: &cdi.DataImportCronStatus{TriggerRequest: ofAlice("chosen"), LastTrigger: handled("r1", 100, cdi.PollUnchanged)},
		},
		"a force whose poll failed is taken over": {
			status: cdi.DataImportCronStatus{TriggerRequest: waits("r1", withForce), LastTrigger: handled("r1", 0, cdi.PollFailed)},
			asked:  asks("r2"), answer: byAlice("r2"),
			want: &cdi.DataImportCronStatus{
				TriggerRequest: ofAlice("r2", withForce), LastTrigger: handled("r1", 0, cdi.PollFailed),
				RecentTriggers: []cdi.TriggerRecord{recordOfAlice("r2", false)},
			},
		},
		"no force comes of a poll that failed without": {
			status: cdi.DataImportCronStatus{TriggerRequest: waits("r1"), LastTrigger: handled("r1", 0, cdi.PollFailed)},
			asked:  asks(""), answer: byAlice("chosen"),
			want: &cdi.DataImportCronStatus{TriggerRequest: ofAlice("chosen"), LastTrigger: handled("r1", 0, cdi.PollFailed)},
		},
		"twenty are remembered, the oldest is forgotten": {
			status: cdi.DataImportCronStatus{RecentTriggers: records(1, 20)},
			asked:  asks("r1"), answer: byAlice("r1"),
			want: &cdi.DataImportCronStatus{TriggerRequest: ofAlice("r1"), RecentTriggers: append(records(2, 19), recordOfAlice("r1", false))},
		},
		"what somebody else made too long is cut": {
			status: cdi.DataImportCronStatus{RecentTriggers: records(1, 50)},
			asked:  asks("r1"), answer: byAlice("r1"),
			want: &cdi.DataImportCronStatus{TriggerRequest: ofAlice("r1"), RecentTriggers: append(records(32, 19), recordOfAlice("r1", false))},
		},
		"an ID that was forgotten asks anew": {
			status: cdi.DataImportCronStatus{
				TriggerRequest: waits("r9"), LastTrigger: handled("r9", 0, cdi.PollUnchanged), RecentTriggers: records(1, 20),
			},
			asked: asks("old-0"), answer: byAlice("old-0"),
			want: &cdi.DataImportCronStatus{
				TriggerRequest: ofAlice("old-0"), LastTrigger: handled("r9", 0, cdi.PollUnchanged),
				RecentTriggers: append(records(2, 19), recordOfAlice("old-0", false)),
			},
		},
		"the same request while it waits": {
			status: cdi.DataImportCronStatus{TriggerRequest: waits("r1"), RecentTriggers: []cdi.TriggerRecord{record("r1", "r1", false)}},
			asked:  asks("r1"), answer: byBob("r1", false),
		},
		"the same request after it was answered": {
			status: cdi.DataImportCronStatus{
				TriggerRequest: waits("r1"), LastTrigger: handled("r1", 0, cdi.PollUnchanged), RecentTriggers: []cdi.TriggerRecord{record("r1", "r1", false)},
			},
			asked: asks("r1"), answer: byBob("r1", false),
		},
		"the same request long after": {
			status: cdi.DataImportCronStatus{
				TriggerRequest: waits("r9"), LastTrigger: handled("r8", 0, cdi.PollUnchanged),
				RecentTriggers: append([]cdi.TriggerRecord{record("r1", "r0", false)}, records(1, 19)...),
			},
			asked: asks("r1"), answer: byBob("r0", true),
		},
		"the same request while the source wants to be left alone": {
			status: limitedStatus(at(time.Hour), cdi.DataImportCronStatus{RecentTriggers: []cdi.TriggerRecord{record("r1", "r1", true)}}),
			asked:  asks("r1", byForce), answer: byBob("r1", false),
		},
		"the same request while a hundred others wait": {
			status: cdi.DataImportCronStatus{TriggerRequest: waits("r1", standsFor(100)), RecentTriggers: []cdi.TriggerRecord{record("r2", "r1", false)}},
			asked:  asks("r2"), answer: byBob("r1", true),
		},
		"the same request for a version that was current when it was sent first": {
			status: cdi.DataImportCronStatus{RecentTriggers: []cdi.TriggerRecord{record("r1", "r1", false)}},
			asked:  asks("r1", func(r *request) { r.resourceVersion = "6" }), answer: byBob("r1", false),
		},
		"the same request with less": {
			status: cdi.DataImportCronStatus{RecentTriggers: []cdi.TriggerRecord{record("r1", "r1", true)}},
			asked:  asks("r1"), answer: byBob("r1", false),
		},
		"one that waits is known though many others came since": {
			status: cdi.DataImportCronStatus{TriggerRequest: waits("r1", standsFor(20)), RecentTriggers: records(1, 20)},
			asked:  asks("r1"), answer: byBob("r1", false),
		},
		"one that waits is known by the ID that the server chose": {
			status: cdi.DataImportCronStatus{TriggerRequest: waits("chosen-before", withForce)},
			asked:  asks("chosen-before", byForce), answer: byBob("chosen-before", false),
		},
		"a wish of the source that is over is not in the way": {
			status: limitedStatus(at(0), cdi.DataImportCronStatus{}),
			asked:  asks(""), answer: byAlice("chosen"),
			want: new(limitedStatus(at(0), cdi.DataImportCronStatus{TriggerRequest: ofAlice("chosen")})),
		},
		"a retry of another failure is not in the way": {
			status: cdi.DataImportCronStatus{NextPoll: new(at(time.Hour)), Conditions: unreachable("Unreachable")},
			asked:  asks(""), answer: byAlice("chosen"),
			want: &cdi.DataImportCronStatus{NextPoll: new(at(time.Hour)), Conditions: unreachable("Unreachable"), TriggerRequest: ofAlice("chosen")},
		},
		"the cron that is meant": {
			asked:  asks("", func(r *request) { r.uid, r.resourceVersion = "uid-1", "7" }),
			answer: byAlice("chosen"), want: &cdi.DataImportCronStatus{TriggerRequest: ofAlice("chosen")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			cron := stored(test.status)
			before := cron.DeepCopy()
			got := answerTo(cron, test.asked, noon())
			if diff := cmp.Diff(before, cron); diff != "" {
				t.Errorf("what is stored was changed (-want +got):\n%s", diff)
			}
			want := outcome{status: before.Status, answer: test.answer}
			if test.want != nil {
				want.status = *test.want
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(outcome{})); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
			// Whoever sends it again gets the same, and nothing is written.
			if !test.asked.named {
				return
			}
			cron.Status = got.status
			again := answerTo(cron, test.asked, noon().Add(time.Hour))
			if diff := cmp.Diff(got, again, cmp.AllowUnexported(outcome{})); diff != "" {
				t.Errorf("when it is sent again (-want +got):\n%s", diff)
			}
		})
	}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package strategy

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"goldenimage.dev/pkg/apis/cdi"
)

func TestTimesThatCannotBeWrittenAreRefused(t *testing.T) {
	west := time.FixedZone("west", -3600)
	late := metav1.NewTime(time.Date(9999, 12, 31, 23, 59, 59, 0, west))
	early := metav1.NewTime(time.Date(0, 1, 1, 0, 0, 0, 0, time.FixedZone("east", 3600)))
	last := metav1.NewTime(time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC))
	managed := []metav1.ManagedFieldsEntry{{Time: &last}, {Time: &late}}
	for name, test := range map[string]struct {
		object cdi.DataImportCron
		want   []string
	}{
		"no time":                     {cdi.DataImportCron{}, nil},
		"the last one":                {cdi.DataImportCron{Status: cdi.DataImportCronStatus{NextPoll: &last}}, nil},
		"one too late in the status":  {cdi.DataImportCron{Status: cdi.DataImportCronStatus{NextPoll: &late}}, []string{"status.nextPoll"}},
		"one too early in the status": {cdi.DataImportCron{Status: cdi.DataImportCronStatus{NextPoll: &early}}, []string{"status.nextPoll"}},
		"one in a condition": {
			cdi.DataImportCron{Status: cdi.DataImportCronStatus{Conditions: []cdi.DataImportCronCondition{{ConditionState: cdi.ConditionState{LastHeartbeatTime: late}}}}},
			[]string{"status.conditions[0].lastHeartbeatTime"},
		},
		"one of the managers": {
			cdi.DataImportCron{ObjectMeta: metav1.ObjectMeta{ManagedFields: managed}}, []string{"metadata.managedFields[1].time"},
		},
		"one in the template": {
			cdi.DataImportCron{Spec: cdi.DataImportCronSpec{Template: cdi.DataVolume{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: late}}}},
			[]string{"spec.template.metadata.creationTimestamp"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, err := range validateTimes(&test.object) {
				got = append(got, err.Field)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
}

func BenchmarkValidateTimes(b *testing.B) {
	cron := &cdi.DataImportCron{Status: cdi.DataImportCronStatus{Conditions: make([]cdi.DataImportCronCondition, 3)}}
	for b.Loop() {
		validateTimes(cron)
	}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

func TestConditionsOfACronAreInOrderWhoeverWritesFirst(t *testing.T) {
	progress, reachable, current := v1beta1.DataImportCronProgressing, v1beta1.DataImportCronSourceReachable, v1beta1.DataImportCronUpToDate
	want := []v1beta1.DataImportCronConditionType{progress, reachable, current}
	for name, order := range map[string][]v1beta1.DataImportCronConditionType{
		"in order":          want,
		"the other way":     {current, reachable, progress},
		"the poll first":    {reachable, current, progress},
		"one of them twice": {current, progress, current, reachable},
	} {
		t.Run(name, func(t *testing.T) {
			var list []v1beta1.DataImportCronCondition
			for _, kind := range order {
				SetCron(&list, kind, v1beta1.ConditionState{Status: "True", Reason: string(kind)}, time.Now())
			}
			var got []v1beta1.DataImportCronConditionType
			for _, c := range list {
				got = append(got, c.Type)
				if c.Reason != string(c.Type) || c.Status != "True" {
					t.Errorf("condition %+v", c)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("order (-want +got):\n%s", diff)
			}
		})
	}
}

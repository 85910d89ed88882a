// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"cmp"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// Change tells what setting a condition did.
type Change struct {
	// Written: something other than the observed generation differs.
	Written bool
	// Flipped: the status or the reason differs, which is worth an event.
	Flipped bool
}

// SetCron sets a condition of a DataImportCron. The times of want are ignored. Conditions are in
// the order of their types: who writes first is up to chance, and what users compare is not.
func SetCron(list *[]v1beta1.DataImportCronCondition, kind v1beta1.DataImportCronConditionType, want v1beta1.ConditionState, now time.Time) Change {
	for i := range *list {
		if (*list)[i].Type == kind {
			return Set(&(*list)[i].ConditionState, want, now)
		}
	}
	added := v1beta1.DataImportCronCondition{Type: kind}
	change := Set(&added.ConditionState, want, now)
	*list = append(*list, added)
	slices.SortStableFunc(*list, func(a, b v1beta1.DataImportCronCondition) int {
		return cmp.Compare(a.Type, b.Type)
	})
	return change
}

// SetSource sets a condition of a DataSource. The times of want are ignored.
func SetSource(list *[]v1beta1.DataSourceCondition, kind v1beta1.DataSourceConditionType, want v1beta1.ConditionState, now time.Time) Change {
	for i := range *list {
		if (*list)[i].Type == kind {
			return Set(&(*list)[i].ConditionState, want, now)
		}
	}
	*list = append(*list, v1beta1.DataSourceCondition{Type: kind})
	return Set(&(*list)[len(*list)-1].ConditionState, want, now)
}

// SetVolume sets a condition of a DataVolume. The times of want are ignored.
func SetVolume(list *[]v1beta1.DataVolumeCondition, kind v1beta1.DataVolumeConditionType, want v1beta1.ConditionState, now time.Time) Change {
	for i := range *list {
		if (*list)[i].Type == kind {
			return Set(&(*list)[i].ConditionState, want, now)
		}
	}
	*list = append(*list, v1beta1.DataVolumeCondition{Type: kind})
	return Set(&(*list)[len(*list)-1].ConditionState, want, now)
}

// Cron returns a condition of a DataImportCron, nil if it has none of that type.
func Cron(list []v1beta1.DataImportCronCondition, kind v1beta1.DataImportCronConditionType) *v1beta1.ConditionState {
	for i := range list {
		if list[i].Type == kind {
			return &list[i].ConditionState
		}
	}
	return nil
}

// Source returns a condition of a DataSource, nil if it has none of that type.
func Source(list []v1beta1.DataSourceCondition, kind v1beta1.DataSourceConditionType) *v1beta1.ConditionState {
	for i := range list {
		if list[i].Type == kind {
			return &list[i].ConditionState
		}
	}
	return nil
}

// Volume returns a condition of a DataVolume, nil if it has none of that type.
func Volume(list []v1beta1.DataVolumeCondition, kind v1beta1.DataVolumeConditionType) *v1beta1.ConditionState {
	for i := range list {
		if list[i].Type == kind {
			return &list[i].ConditionState
		}
	}
	return nil
}

// Set makes a condition of any kind what it shall be. It moves the transition time when the
// status changes, and the heartbeat when the status, the reason or the message does; the times
// of want are ignored.
func Set(have *v1beta1.ConditionState, want v1beta1.ConditionState, now time.Time) Change {
	change := Change{Flipped: have.Status != want.Status || have.Reason != want.Reason}
	change.Written = change.Flipped || have.Message != want.Message
	stamp := metav1.NewTime(now.Truncate(time.Second))
	if have.Status != want.Status {
		have.LastTransitionTime = stamp
	}
	if change.Written {
		have.LastHeartbeatTime = stamp
	}
	have.Status, have.Reason, have.Message = want.Status, want.Reason, want.Message
	have.ObservedGeneration = want.ObservedGeneration
	return change
}

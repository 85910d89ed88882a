// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"goldenimage.dev/pkg/apis/cdi"
)

func TestValidateDataImportCronStatusUpdate(t *testing.T) {
	for name, test := range map[string]struct {
		old, updated cdi.DataImportCronStatus
		want         []fault
	}{
		"nothing is valid": {cdi.DataImportCronStatus{SourceFormat: new(cdi.DataImportCronSourceFormatPvc)}, cdi.DataImportCronStatus{}, nil},
		"a usual status is valid": {cdi.DataImportCronStatus{}, cdi.DataImportCronStatus{
			CurrentImports:  []cdi.ImportStatus{{DataVolumeName: "fedora-0123456789ab", Digest: "sha256:0123456789ab"}},
			LastImportedPVC: &cdi.DataVolumeSourcePVC{Namespace: "a", Name: "b"},
			SourceFormat:    new(cdi.DataImportCronSourceFormatSnapshot),
			LastPoll:        &cdi.PollStatus{Outcome: cdi.PollFailed, Failures: 3},
			TriggerRequest:  &cdi.TriggerRequest{RequestID: "a"},
			LastTrigger:     &cdi.TriggerOutcome{RequestID: "a", Outcome: cdi.PollUnchanged},
			Conditions: []cdi.DataImportCronCondition{
				{Type: cdi.DataImportCronUpToDate, ConditionState: cdi.ConditionState{Status: corev1.ConditionTrue}},
				{Type: "SomethingElse", ConditionState: cdi.ConditionState{Status: corev1.ConditionUnknown}},
			},
		}, nil},
		"what is invalid may stay": {
			cdi.DataImportCronStatus{SourceFormat: new(cdi.DataImportCronSourceFormat("tape"))},
			cdi.DataImportCronStatus{SourceFormat: new(cdi.DataImportCronSourceFormat("tape"))}, nil,
		},
		"everything is wrong, and all of it is told": {cdi.DataImportCronStatus{}, cdi.DataImportCronStatus{
			CurrentImports:  []cdi.ImportStatus{{}, {DataVolumeName: "A", Digest: "sha256:0"}},
			LastImportedPVC: &cdi.DataVolumeSourcePVC{},
			SourceFormat:    new(cdi.DataImportCronSourceFormat("tape")),
			LastPoll:        &cdi.PollStatus{Outcome: "Perhaps", Failures: -1},
			TriggerRequest:  &cdi.TriggerRequest{Coalesced: -1},
			LastTrigger:     &cdi.TriggerOutcome{Coalesced: -1},
			Conditions:      []cdi.DataImportCronCondition{{}},
		}, []fault{
			required("status.currentImports[0].DataVolumeName", "name of the DataVolume is not valid: give a name"),
			required("status.currentImports[0].Digest", "give the digest that is imported"),
			invalid("status.currentImports[1].DataVolumeName", "name of the DataVolume is not valid: "+badName),
			required("status.lastImportedPVC.namespace", "last imported PVC is not valid: give a namespace"),
			required("status.lastImportedPVC.name", "last imported PVC is not valid: give a name"),
			unsupported("status.sourceFormat", "Illegal source format: accepted are pvc, snapshot"),
			invalid("status.lastPoll.failures", "must be 0 or more"),
			unsupported("status.lastPoll.outcome", "Illegal outcome: accepted are Unchanged, Updated, Failed"),
			invalid("status.triggerRequest.coalesced", "must be 0 or more"),
			invalid("status.lastTrigger.coalesced", "must be 0 or more"),
			unsupported("status.lastTrigger.outcome", "Illegal outcome: accepted are Unchanged, Updated, Failed"),
			required("status.conditions[0].type", "give the type of the condition"),
			unsupported("status.conditions[0].status", "Illegal status: accepted are True, False, Unknown"),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			old, updated := fedoraCron(), fedoraCron()
			old.Status, updated.Status = test.old, test.updated
			// Status is written whatever the spec that was stored.
			updated.Spec = cdi.DataImportCronSpec{}
			compare(t, test.want, ValidateDataImportCronStatusUpdate(updated, old))
		})
	}
}

func TestValidateConditions(t *testing.T) {
	good := cdi.ConditionState{Status: corev1.ConditionFalse, Reason: "NotFound", Message: "PVC not found"}
	long := cdi.ConditionState{Status: "Maybe", Reason: strings.Repeat("a", 1025), Message: strings.Repeat("a", 32769)}
	for name, test := range map[string]struct {
		states map[string]cdi.ConditionState
		order  []string
		want   []fault
	}{
		"one is valid":            {map[string]cdi.ConditionState{"Ready": good}, []string{"Ready"}, nil},
		"the same type twice":     {map[string]cdi.ConditionState{"Ready": good}, []string{"Ready", "Ready"}, []fault{{field.ErrorTypeDuplicate, "status.conditions[1].type", ""}}},
		"status, reason, message": {map[string]cdi.ConditionState{"Ready": long}, []string{"Ready"}, []fault{unsupported("status.conditions[0].status", "Illegal status: accepted are True, False, Unknown"), invalid("status.conditions[0].reason", "must be at most 1024 bytes long"), invalid("status.conditions[0].message", "must be at most 32768 bytes long")}},
	} {
		t.Run(name, func(t *testing.T) {
			source, volume := dataSource(cdi.DataSourceSource{}), fedoraRef()
			for _, kind := range test.order {
				source.Status.Conditions = append(source.Status.Conditions, cdi.DataSourceCondition{Type: cdi.DataSourceConditionType(kind), ConditionState: test.states[kind]})
				volume.Status.Conditions = append(volume.Status.Conditions, cdi.DataVolumeCondition{Type: cdi.DataVolumeConditionType(kind), ConditionState: test.states[kind]})
			}
			compare(t, test.want, ValidateDataSourceStatusUpdate(source, dataSource(cdi.DataSourceSource{})))
			compare(t, test.want, ValidateDataVolumeStatusUpdate(volume, fedoraRef()))
			compare(t, nil, ValidateDataSourceStatusUpdate(source, source))
			compare(t, nil, ValidateDataVolumeStatusUpdate(volume, volume))
		})
	}
}

func TestValidateDataVolumeStatusUpdate(t *testing.T) {
	updated := fedoraRef()
	updated.Status = cdi.DataVolumeStatus{ClaimName: "A", RestartCount: -1, Phase: "AnyOther", Progress: "N/A"}
	compare(t, []fault{
		invalid("status.claimName", "name of the claim is not valid: "+badName),
		invalid("status.restartCount", "must be 0 or more"),
	}, ValidateDataVolumeStatusUpdate(updated, fedoraRef()))
}

func TestRecentTriggers(t *testing.T) {
	record := func(id string) cdi.TriggerRecord { return cdi.TriggerRecord{ID: id, RequestID: "a"} }
	many := func(count int) []cdi.TriggerRecord {
		records := make([]cdi.TriggerRecord, count)
		for i := range records {
			records[i] = record(fmt.Sprint("id-", i))
		}
		return records
	}
	const path = "status.recentTriggers"
	for name, test := range map[string]struct {
		records []cdi.TriggerRecord
		want    []fault
	}{
		"twenty are valid":             {many(20), nil},
		"twenty-one are too many":      {many(21), []fault{tooMany(path, 20)}},
		"an ID comes twice":            {[]cdi.TriggerRecord{record("a"), record("b"), record("a")}, []fault{duplicate(path + "[2].id")}},
		"IDs are missing":              {[]cdi.TriggerRecord{{}}, []fault{required(path+"[0].id", "give the ID that the request had"), required(path+"[0].requestID", "give the ID of the request whose poll answers it")}},
		"two without an ID are no two": {[]cdi.TriggerRecord{record(""), record("")}, []fault{required(path+"[0].id", "give the ID that the request had"), required(path+"[1].id", "give the ID that the request had")}},
	} {
		t.Run(name, func(t *testing.T) {
			updated := fedoraCron()
			updated.Status.RecentTriggers = test.records
			compare(t, test.want, ValidateDataImportCronStatusUpdate(updated, fedoraCron()))
		})
	}
}

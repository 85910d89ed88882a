// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package tables

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"goldenimage.dev/pkg/apis/cdi"
)

var now = time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)

func fixed() *clocktesting.FakePassiveClock { return clocktesting.NewFakePassiveClock(now) }

func ago(d time.Duration) metav1.Time { return metav1.NewTime(now.Add(-d)) }

func agoPtr(d time.Duration) *metav1.Time { return new(ago(d)) }

func object(name string, age time.Duration) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: "golden-images", Name: name, CreationTimestamp: ago(age), ResourceVersion: "7"}
}

const (
	day = 24 * time.Hour

	firstDigest  = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	secondDigest = "sha256:fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
)

func cron(name string, age time.Duration, status cdi.DataImportCronStatus) cdi.DataImportCron {
	return cdi.DataImportCron{
		ObjectMeta: object(name, age),
		Spec: cdi.DataImportCronSpec{
			Schedule:          "30 1 * * 1",
			ManagedDataSource: "fedora",
			Template: cdi.DataVolume{Spec: cdi.DataVolumeSpec{Source: &cdi.DataVolumeSource{
				Registry: &cdi.DataVolumeSourceRegistry{URL: new("docker://quay.io/containerdisks/fedora:latest")},
			}}},
		},
		Status: status,
	}
}

func cronCondition(kind cdi.DataImportCronConditionType, status corev1.ConditionStatus, reason, message string) cdi.DataImportCronCondition {
	return cdi.DataImportCronCondition{Type: kind, ConditionState: cdi.ConditionState{Status: status, Reason: reason, Message: message}}
}

func crons() *cdi.DataImportCronList {
	reachable := cronCondition(cdi.DataImportCronSourceReachable, corev1.ConditionTrue, "Resolved", "The registry was asked")
	done := cronCondition(cdi.DataImportCronProgressing, corev1.ConditionFalse, "NoImport", "No current import")
	upToDate := cronCondition(cdi.DataImportCronUpToDate, corev1.ConditionTrue, "UpToDate", "Latest import is up to date")
	published := cdi.DataImportCronStatus{
		CurrentImports:      []cdi.ImportStatus{{DataVolumeName: "fedora-0123456789ab", Digest: firstDigest}},
		LastImportedPVC:     &cdi.DataVolumeSourcePVC{Namespace: "golden-images", Name: "fedora-0123456789ab"},
		LastImportTimestamp: agoPtr(9 * day),
		SourceFormat:        new(cdi.DataImportCronSourceFormatPvc),
		NextPoll:            new(metav1.NewTime(now.Add(3*day + 2*time.Hour))),
		LastPoll:            &cdi.PollStatus{Time: ago(4 * day), Outcome: cdi.PollUnchanged, Digest: firstDigest},
		Conditions:          []cdi.DataImportCronCondition{reachable, done, upToDate},
	}

	importing := *published.DeepCopy()
	importing.CurrentImports = []cdi.ImportStatus{{DataVolumeName: "fedora-fedcba987654", Digest: secondDigest}}
	importing.LastPoll = &cdi.PollStatus{Time: ago(20 * time.Second), Outcome: cdi.PollUpdated, Digest: secondDigest}
	importing.Conditions = []cdi.DataImportCronCondition{
		reachable,
		cronCondition(cdi.DataImportCronProgressing, corev1.ConditionTrue, "ImportProgressing", "Import is progressing"),
		cronCondition(cdi.DataImportCronUpToDate, corev1.ConditionFalse, "Outdated", "Source digest updated since last import"),
	}

	unreachable := *published.DeepCopy()
	unreachable.NextPoll = agoPtr(time.Second)
	unreachable.LastPoll = &cdi.PollStatus{Time: ago(5 * time.Minute), Outcome: cdi.PollFailed, Failures: 3}
	unreachable.Conditions = []cdi.DataImportCronCondition{
		cronCondition(cdi.DataImportCronSourceReachable, corev1.ConditionFalse, "Unauthorized", "The registry wants credentials: name a Secret by secretRef"),
		done, upToDate,
	}

	trigger := cron("trigger-only", time.Hour, cdi.DataImportCronStatus{
		Conditions: []cdi.DataImportCronCondition{cronCondition(cdi.DataImportCronUpToDate, corev1.ConditionFalse, "NoDigest", "No source digest")},
	})
	trigger.Spec.Schedule = ""

	suspended := cron("suspended", 30*day, published)
	suspended.Spec.Suspend = new(true)

	neverPolled := cron("suspended-at-once", time.Hour, cdi.DataImportCronStatus{Conditions: []cdi.DataImportCronCondition{
		cronCondition(cdi.DataImportCronSourceReachable, corev1.ConditionUnknown, "Suspended", "Polls are suspended"),
		cronCondition(cdi.DataImportCronUpToDate, corev1.ConditionFalse, "NoDigest", "No source digest"),
	}})
	neverPolled.Spec.Suspend = new(true)

	foreign := cron("written-by-others", 400*day, cdi.DataImportCronStatus{LastExecutionTimestamp: agoPtr(2 * time.Hour)})
	foreign.Spec.Template.Spec.Source.Registry = &cdi.DataVolumeSourceRegistry{ImageStream: new("fedora:40")}

	polled := cron("polled-alone", time.Minute, cdi.DataImportCronStatus{
		LastPoll: &cdi.PollStatus{Time: ago(0), Outcome: cdi.PollUpdated, Digest: "short"},
	})
	polled.Spec.Template.Spec.Source = nil

	return &cdi.DataImportCronList{Items: []cdi.DataImportCron{
		cron("current", 30*day, published), cron("importing", 30*day, importing), cron("unreachable", 30*day, unreachable),
		trigger, suspended, neverPolled, foreign, polled, {ObjectMeta: metav1.ObjectMeta{Name: "empty"}},
	}}
}

func sources() *cdi.DataSourceList {
	condition := func(status corev1.ConditionStatus, reason, message string) cdi.DataSourceStatus {
		return cdi.DataSourceStatus{Conditions: []cdi.DataSourceCondition{{
			Type: cdi.DataSourceReady, ConditionState: cdi.ConditionState{Status: status, Reason: reason, Message: message},
		}}}
	}
	source := func(name string, source cdi.DataSourceSource, status cdi.DataSourceStatus) cdi.DataSource {
		return cdi.DataSource{ObjectMeta: object(name, 2*day), Spec: cdi.DataSourceSpec{Source: source}, Status: status}
	}
	return &cdi.DataSourceList{Items: []cdi.DataSource{
		source("fedora", cdi.DataSourceSource{PVC: &cdi.DataVolumeSourcePVC{Namespace: "golden-images", Name: "fedora-0123456789ab"}},
			condition(corev1.ConditionTrue, "Ready", "DataSource is ready to be consumed")),
		source("snapshot", cdi.DataSourceSource{Snapshot: &cdi.DataVolumeSourceSnapshot{Namespace: "elsewhere", Name: "fedora"}},
			condition(corev1.ConditionFalse, "NotFound", "Snapshot not found")),
		source("pointer", cdi.DataSourceSource{DataSource: &cdi.DataSourceRefSourceDataSource{Namespace: "golden-images", Name: "fedora"}}, cdi.DataSourceStatus{}),
		source("empty", cdi.DataSourceSource{}, condition(corev1.ConditionFalse, "NoSource", "No source set")),
	}}
}

func volumes() *cdi.DataVolumeList {
	condition := func(kind cdi.DataVolumeConditionType, status corev1.ConditionStatus, reason, message string) cdi.DataVolumeCondition {
		return cdi.DataVolumeCondition{Type: kind, ConditionState: cdi.ConditionState{Status: status, Reason: reason, Message: message}}
	}
	volume := func(name string, spec cdi.DataVolumeSpec, status cdi.DataVolumeStatus) cdi.DataVolume {
		return cdi.DataVolume{ObjectMeta: object(name, 90*time.Second), Spec: spec, Status: status}
	}
	fedora := cdi.DataVolumeSpec{Source: &cdi.DataVolumeSource{Registry: &cdi.DataVolumeSourceRegistry{URL: new("docker://quay.io/containerdisks/fedora@" + firstDigest)}}}
	ref := cdi.DataVolumeSpec{SourceRef: &cdi.DataVolumeSourceRef{Kind: "DataSource", Name: "fedora"}}
	refElsewhere := *ref.DeepCopy()
	refElsewhere.SourceRef.Namespace = new("elsewhere")
	return &cdi.DataVolumeList{Items: []cdi.DataVolume{
		volume("importing", fedora, cdi.DataVolumeStatus{
			Phase: cdi.ImportInProgress, Progress: "12.34%", ClaimName: "importing", RestartCount: 2,
			Conditions: []cdi.DataVolumeCondition{
				condition(cdi.DataVolumeBound, corev1.ConditionTrue, "Bound", "PVC importing Bound"),
				condition(cdi.DataVolumeRunning, corev1.ConditionTrue, "Pod is running", ""),
				condition(cdi.DataVolumeReady, corev1.ConditionFalse, "TransferRunning", ""),
			},
		}),
		volume("fedora-ref", ref, cdi.DataVolumeStatus{
			Phase: cdi.Succeeded, Progress: "100.0%", ClaimName: "fedora-ref",
			Conditions: []cdi.DataVolumeCondition{
				condition(cdi.DataVolumeReady, corev1.ConditionTrue, "", ""),
				condition(cdi.DataVolumeRunning, corev1.ConditionFalse, "Completed", "Clone Complete"),
			},
		}),
		volume("waiting", refElsewhere, cdi.DataVolumeStatus{
			Phase: cdi.Pending, Progress: "N/A", ClaimName: "waiting",
			Conditions: []cdi.DataVolumeCondition{condition(cdi.DataVolumeBound, corev1.ConditionFalse, "Pending", "StorageClass nope does not exist")},
		}),
		volume("failed", cdi.DataVolumeSpec{Source: &cdi.DataVolumeSource{PVC: &cdi.DataVolumeSourcePVC{Namespace: "elsewhere", Name: "disk"}}}, cdi.DataVolumeStatus{
			Phase:      cdi.Failed,
			Conditions: []cdi.DataVolumeCondition{condition(cdi.DataVolumeReady, corev1.ConditionFalse, "VolumeTooSmall", "The disk needs 10Gi: ask for more")},
		}),
		volume("stream", cdi.DataVolumeSpec{Source: &cdi.DataVolumeSource{Registry: &cdi.DataVolumeSourceRegistry{ImageStream: new("fedora:40")}}}, cdi.DataVolumeStatus{}),
		volume("snapshot", cdi.DataVolumeSpec{Source: &cdi.DataVolumeSource{Snapshot: &cdi.DataVolumeSourceSnapshot{Namespace: "a", Name: "b"}}}, cdi.DataVolumeStatus{}),
		volume("blank", cdi.DataVolumeSpec{Source: &cdi.DataVolumeSource{Blank: &cdi.DataVolumeBlankImage{}}}, cdi.DataVolumeStatus{}),
		volume("registry", cdi.DataVolumeSpec{Source: &cdi.DataVolumeSource{Registry: &cdi.DataVolumeSourceRegistry{}}}, cdi.DataVolumeStatus{}),
		volume("nothing", cdi.DataVolumeSpec{}, cdi.DataVolumeStatus{}),
	}}
}

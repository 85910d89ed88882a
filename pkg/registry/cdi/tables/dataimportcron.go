// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package tables

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi"
)

type cronRow = row[cdi.DataImportCron]

// DataImportCron returns the tables of DataImportCrons, with times relative to a clock.
func DataImportCron(clk clock.PassiveClock) rest.TableConvertor {
	items := func(object runtime.Object) ([]cdi.DataImportCron, bool) {
		list, ok := object.(*cdi.DataImportCronList)
		if !ok {
			return nil, false
		}
		return list.Items, true
	}
	return newConvertor(cdi.Resource("dataimportcrons"), clk, items, cronColumns())
}

func cronColumns() []column[cdi.DataImportCron] {
	return []column[cdi.DataImportCron]{
		text("Schedule", always, "When the source is polled; <none> if only by trigger.",
			func(r cronRow) string { return r.object.Spec.Schedule }),
		text("DataSource", always, "DataSource that is kept current.",
			func(r cronRow) string { return r.object.Spec.ManagedDataSource }),
		text("Up-To-Date", always, "Whether the DataSource points to what the source holds.",
			func(r cronRow) string { return string(state(r.object, cdi.DataImportCronUpToDate).Status) }),
		text("Reason", always, "What is going on or wrong, in a word.",
			func(r cronRow) string { return story(r.object).Reason }),
		text("Digest", always, "First digits of the digest of the latest content.",
			func(r cronRow) string { return short(latestDigest(&r.object.Status)) }),
		text("Last-Import", always, "Time since an import was published.",
			func(r cronRow) string { return r.at.since(r.object.Status.LastImportTimestamp) }),
		text("Next-Poll", always, "Time until the source is polled; suspended if only by trigger for a while.", nextPoll),
		age[cdi.DataImportCron](),
		text("Format", wide, "What imports are kept as.", sourceFormat),
		text("Source", wide, "Where the content comes from.",
			func(r cronRow) string { return volumeSource(&r.object.Spec.Template, r.object.Namespace) }),
		text("Last-Poll", wide, "Time since the source was polled, and how that went.", lastPoll),
		text("PVC", wide, "Claim or snapshot that the DataSource points to.", lastImport),
		text("Message", wide, "What is going on or wrong, in a sentence.",
			func(r cronRow) string { return story(r.object).Message }),
	}
}

// state returns a condition, the zero one if there is none of that type.
func state(cron *cdi.DataImportCron, kind cdi.DataImportCronConditionType) cdi.ConditionState {
	for _, c := range cron.Status.Conditions {
		if c.Type == kind {
			return c.ConditionState
		}
	}
	return cdi.ConditionState{}
}

// story chooses the condition that tells a reader most. A source that cannot be reached is
// news even while the last import is current; and if there is none yet, why the import does
// not get on is a better answer than that it is missing.
func story(cron *cdi.DataImportCron) cdi.ConditionState {
	source := state(cron, cdi.DataImportCronSourceReachable)
	// Unknown is why nobody has asked the source yet, or that it is suspended.
	if source.Status == corev1.ConditionFalse || source.Status == corev1.ConditionUnknown {
		return source
	}
	current := state(cron, cdi.DataImportCronUpToDate)
	progress := state(cron, cdi.DataImportCronProgressing)
	// NoImport says nothing that Up-To-Date does not say better.
	if current.Status != corev1.ConditionTrue && progress.Reason != "" && progress.Reason != "NoImport" {
		return progress
	}
	return current
}

// latestDigest is what was imported last or is being imported, or what the source holds.
func latestDigest(status *cdi.DataImportCronStatus) string {
	if len(status.CurrentImports) > 0 {
		return status.CurrentImports[0].Digest
	}
	if status.LastPoll != nil {
		return status.LastPoll.Digest
	}
	return ""
}

func sourceFormat(r cronRow) string {
	if format := r.object.Status.SourceFormat; format != nil {
		return string(*format)
	}
	return ""
}

func nextPoll(r cronRow) string {
	if ptr.Deref(r.object.Spec.Suspend, false) {
		return "suspended"
	}
	return r.at.until(r.object.Status.NextPoll)
}

func lastPoll(r cronRow) string {
	poll := r.object.Status.LastPoll
	if poll == nil {
		// CDI's field; it tells no outcome.
		return r.at.since(r.object.Status.LastExecutionTimestamp)
	}
	outcome := string(poll.Outcome)
	if poll.Failures > 1 {
		outcome = fmt.Sprintf("%s %d times", outcome, poll.Failures)
	}
	return fmt.Sprintf("%s (%s)", r.at.since(&poll.Time), outcome)
}

func lastImport(r cronRow) string {
	if pvc := r.object.Status.LastImportedPVC; pvc != nil {
		return pvc.Name
	}
	return ""
}

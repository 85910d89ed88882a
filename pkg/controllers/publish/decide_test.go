// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package publish

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/test/gen"
)

const (
	cronName = "cron"
	importA  = "fedora-aaaaaaaaaaaa"
	importB  = "fedora-bbbbbbbbbbbb"
	typeKey  = "instancetype.kubevirt.io/default-instancetype"
)

type modifiers = []gen.Modifier

// verdict is what tests look at of a decision.
type verdict struct {
	Published, PointsTo   string
	Moves, Writes, Points bool
	Status                corev1.ConditionStatus
	Reason, Message       string
}

func judge(d decision) verdict {
	v := verdict{
		Moves: d.moves, Writes: d.source != nil, Points: d.points,
		Status: d.upToDate.Status, Reason: d.upToDate.Reason, Message: d.upToDate.Message,
	}
	if d.published != nil {
		v.Published = d.published.Name
	}
	if d.source != nil {
		v.PointsTo = d.source.Spec.Source.PVC.Name
	}
	return v
}

// managed returns the DataSource as this controller makes it.
func managed(to string, more ...gen.Modifier) *v1beta1.DataSource {
	return gen.DataSource(gen.ManagedDataSource, append(modifiers{
		gen.OfCron(cronName), gen.WithLabel(v1beta1.LabelApp, v1beta1.LabelAppValue), gen.ToClaim(gen.Namespace, to),
	}, more...)...)
}

func TestDecide(t *testing.T) {
	a, b := gen.Digest("a"), gen.Digest("b")
	const yes, no = corev1.ConditionTrue, corev1.ConditionFalse
	done := gen.DataVolume(importA, gen.OfCron(cronName), gen.InPhase(v1beta1.Succeeded))
	working := gen.DataVolume(importA, gen.OfCron(cronName), gen.InPhase(v1beta1.ImportInProgress))
	broken := gen.DataVolume(importA, gen.OfCron(cronName), gen.InPhase(v1beta1.Failed))
	full := gen.Claim(importA, gen.OfCron(cronName), gen.Populated())
	bound := gen.Claim(importA, gen.OfCron(cronName), gen.Bound())
	for name, test := range map[string]struct {
		cron modifiers
		in   input
		want verdict
	}{
		"nothing is known": {
			want: verdict{Status: no, Reason: ReasonNoDigest, Message: "No source digest"},
		},
		"a digest that nobody imports yet": {
			cron: modifiers{gen.Desires(a)},
			want: verdict{Status: no, Reason: ReasonOutdated, Message: "Source digest updated since last import"},
		},
		"an import in progress": {
			cron: modifiers{gen.Desires(a), gen.Imports(importA, a)}, in: input{volume: working, claim: bound},
			want: verdict{Status: no, Reason: ReasonImportProgressing, Message: "Import is progressing"},
		},
		"an import that failed": {
			cron: modifiers{gen.Desires(a), gen.Imports(importA, a)}, in: input{volume: broken},
			want: verdict{Status: no, Reason: ReasonImportFailed, Message: "Import failed: the condition Progressing says why"},
		},
		"a first import that succeeded": {
			cron: modifiers{gen.Desires(a), gen.Imports(importA, a)}, in: input{volume: done, claim: full},
			want: verdict{
				Published: importA, PointsTo: importA, Moves: true, Writes: true, Points: true,
				Status: yes, Reason: ReasonUpToDate, Message: "Latest import is up to date",
			},
		},
		"a complete claim whose DataVolume is gone": {
			cron: modifiers{gen.Desires(a), gen.Imports(importA, a)}, in: input{claim: full},
			want: verdict{
				Published: importA, PointsTo: importA, Moves: true, Writes: true, Points: true,
				Status: yes, Reason: ReasonUpToDate, Message: "Latest import is up to date",
			},
		},
		"what is published needs nothing": {
			cron: modifiers{gen.Desires(a), gen.Imports(importA, a), gen.Published(importA)}, in: input{volume: done, claim: full, source: managed(importA)},
			want: verdict{Published: importA, Status: yes, Reason: ReasonUpToDate, Message: "Latest import is up to date"},
		},
		"a newer digest": {
			cron: modifiers{gen.Desires(b), gen.Imports(importA, a), gen.Published(importA)}, in: input{volume: done, claim: full, source: managed(importA)},
			want: verdict{Published: importA, Status: no, Reason: ReasonOutdated, Message: "Source digest updated since last import"},
		},
		"an import that succeeded is published though there is a newer digest": {
			cron: modifiers{gen.Desires(b), gen.Imports(importA, a), gen.Published(importB)}, in: input{volume: done, claim: full, source: managed(importB)},
			want: verdict{
				Published: importA, PointsTo: importA, Moves: true, Writes: true, Points: true,
				Status: no, Reason: ReasonOutdated, Message: "Source digest updated since last import",
			},
		},
		"a newer import in progress leaves the DataSource": {
			cron: modifiers{gen.Desires(a), gen.Imports(importA, a), gen.Published(importB)}, in: input{volume: working, claim: bound, source: managed(importB)},
			want: verdict{Published: importB, Status: no, Reason: ReasonImportProgressing, Message: "Import is progressing"},
		},
		"a published claim that is gone leaves the DataSource": {
			cron: modifiers{gen.Desires(a), gen.Imports(importA, a), gen.Published(importA)}, in: input{source: managed(importA)},
			want: verdict{Published: importA, Status: no, Reason: ReasonImportProgressing, Message: "Import is progressing"},
		},
		"a DataSource that was deleted comes back while an import is in progress": {
			cron: modifiers{gen.Desires(a), gen.Imports(importA, a), gen.Published(importB)}, in: input{volume: working},
			want: verdict{
				Published: importB, PointsTo: importB, Writes: true, Points: true,
				Status: no, Reason: ReasonImportProgressing, Message: "Import is progressing",
			},
		},
		"a DataSource that was edited is put back": {
			cron: modifiers{gen.Desires(a), gen.Imports(importA, a), gen.Published(importA)},
			in:   input{volume: done, claim: full, source: managed("mine")},
			want: verdict{
				Published: importA, PointsTo: importA, Writes: true, Points: true,
				Status: yes, Reason: ReasonUpToDate, Message: "Latest import is up to date",
			},
		},
		"a label that is missing is put back": {
			cron: modifiers{gen.Desires(a), gen.Imports(importA, a), gen.Published(importA), gen.WithLabel(typeKey, "u1.medium")},
			in:   input{volume: done, claim: full, source: managed(importA)},
			want: verdict{Published: importA, PointsTo: importA, Writes: true, Status: yes, Reason: ReasonUpToDate, Message: "Latest import is up to date"},
		},
		"a DataSource without a label is not touched": {
			cron: modifiers{gen.Desires(a), gen.Imports(importA, a)},
			in:   input{volume: done, claim: full, source: gen.DataSource(gen.ManagedDataSource)},
			want: verdict{
				Published: importA, Moves: true, Status: no, Reason: ReasonNotManaged,
				Message: "DataSource fedora is not managed by a DataImportCron: delete it, or label it cdi.kubevirt.io/dataImportCron=cron",
			},
		},
		"another cron's DataSource is not touched": {
			cron: modifiers{gen.Desires(a), gen.Imports(importA, a)},
			in:   input{volume: done, claim: full, source: managed("x", gen.OfCron("other")), manager: "other"},
			want: verdict{
				Published: importA, Moves: true, Status: no, Reason: ReasonAlreadyManaged,
				Message: "DataSource fedora is already managed by DataImportCron other",
			},
		},
		"a DataSource whose cron is gone is taken over": {
			cron: modifiers{gen.Desires(a), gen.Imports(importA, a), gen.Published(importA)},
			in:   input{volume: done, claim: full, source: managed(importA, gen.OfCron("other"))},
			want: verdict{Published: importA, PointsTo: importA, Writes: true, Status: yes, Reason: ReasonUpToDate, Message: "Latest import is up to date"},
		},
		"a digest that was taken away": {
			cron: modifiers{gen.Imports(importA, a), gen.Published(importA)}, in: input{volume: done, claim: full, source: managed(importA)},
			want: verdict{Published: importA, Status: no, Reason: ReasonNoDigest, Message: "No source digest"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.in.cron = gen.DataImportCron(cronName, test.cron...)
			if diff := cmp.Diff(test.want, judge(decide(test.in))); diff != "" {
				t.Errorf("decision (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLabelsOfTheDataSource(t *testing.T) {
	const preference = "instancetype.kubevirt.io/default-preference"
	in := input{
		cron: gen.DataImportCron(cronName, gen.Desires(gen.Digest("a")), gen.Imports(importA, gen.Digest("a")), gen.WithLabel(typeKey, "of-cron")),
		claim: gen.Claim(importA, gen.Populated(), gen.WithLabel(typeKey, "of-image"), gen.WithLabel(preference, "fedora"),
			gen.WithLabel("team", "os"), gen.WithLabel(v1beta1.LabelDataVolumeUID, "x")),
		source: managed("x", gen.WithLabel("mine", "stays"), gen.WithLabel(v1beta1.LabelDataImportCronCleanup, "true")),
	}
	want := map[string]string{
		typeKey: "of-cron", preference: "fedora", "mine": "stays",
		v1beta1.LabelDataImportCron: cronName, v1beta1.LabelApp: v1beta1.LabelAppValue,
	}
	if diff := cmp.Diff(want, decide(in).source.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	gen.RetainNone()(in.cron)
	if got := decide(in).source.Labels[v1beta1.LabelDataImportCronCleanup]; got != "true" {
		t.Errorf("cleanup label is %q", got)
	}
}

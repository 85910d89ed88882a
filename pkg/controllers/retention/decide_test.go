// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package retention

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/test/gen"
)

const cronName = "cron"

type modifiers = []gen.Modifier

func hoursAgo(hours int) time.Time { return gen.Epoch().Add(-time.Duration(hours) * time.Hour) }

// complete returns an import that was last current some hours ago.
func complete(name string, hours int, more ...gen.Modifier) entry {
	return entry{
		name:   name,
		volume: gen.DataVolume(name, gen.OfCron(cronName), gen.InPhase(v1beta1.Succeeded)),
		claim:  gen.Claim(name, append(modifiers{gen.OfCron(cronName), gen.Populated(), gen.LastUsed(hoursAgo(hours))}, more...)...),
	}
}

func incomplete(name string, phase v1beta1.DataVolumePhase, digest string, more ...gen.Modifier) entry {
	return entry{name: name, volume: gen.DataVolume(name, append(modifiers{
		gen.OfCron(cronName), gen.InPhase(phase), gen.WithAnnotation(v1beta1.AnnSourceDigest, digest),
	}, more...)...)}
}

func with(e entry, change func(*entry)) entry {
	change(&e)
	return e
}

func TestDecide(t *testing.T) {
	a, b := gen.Digest("a"), gen.Digest("b")
	// i4 was published last, before that i3, and so on.
	five := []entry{complete("i0", 50), complete("i1", 40), complete("i2", 30), complete("i3", 20), complete("i4", 10)}
	published := modifiers{gen.Imports("i4", a), gen.Published("i4"), gen.Desires(a)}
	type names = []string
	for name, test := range map[string]struct {
		cron    modifiers
		source  *v1beta1.DataSource
		entries []entry
		want    names
		why     why
		again   time.Duration
	}{
		"three are kept":                    {cron: published, entries: five, want: names{"i0", "i1"}, why: whyOutdated},
		"fewer than three are kept":         {cron: published, entries: five[2:]},
		"one is kept":                       {cron: append(modifiers{gen.ImportsToKeep(1)}, published...), entries: five, want: names{"i0", "i1", "i2", "i3"}, why: whyOutdated},
		"of none, the published one is":     {cron: append(modifiers{gen.ImportsToKeep(0)}, published...), entries: five, want: names{"i0", "i1", "i2", "i3"}, why: whyOutdated},
		"all are kept":                      {cron: append(modifiers{gen.NeverCollect()}, published...), entries: five},
		"all are kept until one is current": {cron: modifiers{gen.Desires(a)}, entries: five},
		"an import in progress takes no place": {
			cron: modifiers{gen.Imports("i5", b), gen.Published("i4"), gen.Desires(b)}, entries: append(five[1:5:5], incomplete("i5", v1beta1.ImportInProgress, b)),
			want: names{"i1"}, why: whyOutdated,
		},
		"the published one is kept though it is the oldest": {
			cron: modifiers{gen.Imports("i0", a), gen.Published("i0"), gen.Desires(a)}, entries: five, want: names{"i1", "i2"}, why: whyOutdated,
		},
		"what the DataSource points to is kept": {
			cron: append(modifiers{gen.ImportsToKeep(1)}, published...), entries: five[2:],
			source: gen.DataSource(gen.ManagedDataSource, gen.ToClaim("", "i2")), want: names{"i3"}, why: whyOutdated,
		},
		"a complete import that is about to be published is kept": {
			cron: modifiers{gen.ImportsToKeep(1), gen.Imports("i3", a), gen.Published("i4"), gen.Desires(a)}, entries: five[2:], want: names{"i2"}, why: whyOutdated,
		},
		"what somebody needs is kept": {
			cron: published, entries: []entry{with(five[0], func(e *entry) { e.needed = true }), five[1], five[2], five[3], five[4]}, want: names{"i1"}, why: whyOutdated,
		},
		"what is pinned is kept": {
			cron: published, entries: []entry{complete("i0", 50, gen.WithAnnotation(AnnPinned, "true")), five[1], five[2], five[3], five[4]}, want: names{"i1"}, why: whyOutdated,
		},
		"what was current a moment ago is left alone for a moment": {
			cron: append(modifiers{gen.ImportsToKeep(1)}, published...),
			entries: []entry{
				complete("i3", 20, gen.LastUsed(gen.Epoch().Add(-3*time.Second))), complete("i4", 10, gen.LastUsed(gen.Epoch().Add(-3*time.Second))), five[0],
			},
			want: names{"i0"}, why: whyOutdated, again: 7 * time.Second,
		},
		"times are compared as times, not as text": {
			cron: append(modifiers{gen.ImportsToKeep(2)}, published...),
			entries: []entry{
				complete("i4", 10), complete("i0", 0, gen.WithAnnotation(v1beta1.AnnLastUseTime, "2026-10-01T11:59:00.12Z")),
				complete("i1", 0, gen.WithAnnotation(v1beta1.AnnLastUseTime, "2026-10-01T11:59:00.1Z")),
			},
			want: names{"i1"}, why: whyOutdated,
		},
		"what never said when it was current was so when it was created": {
			cron: append(modifiers{gen.ImportsToKeep(2)}, published...),
			entries: []entry{
				five[4], five[3], complete("i9", 0, gen.WithAnnotation(v1beta1.AnnLastUseTime, "long ago"), gen.CreatedAt(hoursAgo(21))),
			},
			want: names{"i9"}, why: whyOutdated,
		},
		"claims without a DataVolume count": {
			cron: published, entries: []entry{
				with(five[0], func(e *entry) { e.volume = nil }), with(five[1], func(e *entry) { e.volume = nil }), five[2], five[3], five[4],
			},
			want: names{"i0", "i1"}, why: whyOutdated,
		},
		"what is being deleted takes no place": {
			cron: published, entries: []entry{five[1], five[2], with(five[3], func(e *entry) { e.claim = gen.Claim("i3", gen.BeingDeleted()) }), five[4]},
		},
		"a failed import of an older digest goes": {
			cron: published, entries: append(five[2:5:5], incomplete("x", v1beta1.Failed, b)), want: names{"x"}, why: whyAbandoned,
		},
		"an unfinished import of an older digest goes": {
			cron: published, entries: append(five[2:5:5], incomplete("x", v1beta1.ImportInProgress, b)), want: names{"x"}, why: whyAbandoned,
		},
		"an unfinished import that is about to be current stays": {
			cron: published, entries: append(five[2:5:5], incomplete("x", v1beta1.PhaseUnset, a)),
		},
		"a failed import that is current stays": {
			cron: modifiers{gen.Imports("x", b), gen.Published("i4"), gen.Desires(a)}, entries: append(five[2:5:5], incomplete("x", v1beta1.Failed, b)),
		},
		"an import that is being deleted is left alone": {
			cron: published, entries: append(five[2:5:5], incomplete("x", v1beta1.Failed, b, gen.BeingDeleted())),
		},
		"a DataVolume whose claim is gone goes": {
			cron: published, entries: append(five[2:5:5], incomplete("x", v1beta1.Succeeded, b)), want: names{"x"}, why: whyLost,
		},
		"a published DataVolume whose claim is gone is for imports to mend": {
			cron: published, entries: []entry{incomplete("i4", v1beta1.Succeeded, a)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := decide(input{cron: gen.DataImportCron(cronName, test.cron...), source: test.source, entries: test.entries}, gen.Epoch())
			var got names
			for _, gone := range d.delete {
				got = append(got, gone.name)
				if gone.why != test.why {
					t.Errorf("%s is deleted because %s", gone.name, gone.why)
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("deleted (-want +got):\n%s", diff)
			}
			var again time.Duration
			if !d.again.IsZero() {
				again = d.again.Sub(gen.Epoch())
			}
			if again != test.again {
				t.Errorf("again after %s, want %s", again, test.again)
			}
		})
	}
}

func TestCronGone(t *testing.T) {
	goes := gen.WithLabel(v1beta1.LabelDataImportCronCleanup, "true")
	d := decide(input{
		entries: []entry{
			{name: "stays", claim: gen.Claim("stays")},
			{name: "claim", claim: gen.Claim("claim", goes)},
			{name: "volume", volume: gen.DataVolume("volume", goes), claim: gen.Claim("volume")},
			{name: "going", claim: gen.Claim("going", goes, gen.BeingDeleted())},
			{name: "other", claim: gen.Claim("other", gen.WithLabel(v1beta1.LabelDataImportCronCleanup, "false"))},
		},
		sources: []*v1beta1.DataSource{gen.DataSource("stays"), gen.DataSource("goes", goes), gen.DataSource("going", goes, gen.BeingDeleted())},
	}, gen.Epoch())
	var got []string
	for _, gone := range d.delete {
		got = append(got, gone.name)
	}
	for _, source := range d.deleteSources {
		got = append(got, "source "+source.Name)
	}
	if diff := cmp.Diff([]string{"claim", "volume", "source goes"}, got); diff != "" {
		t.Errorf("deleted (-want +got):\n%s", diff)
	}
}

func TestCopiedKeys(t *testing.T) {
	source := func(volume *v1beta1.DataVolume, namespace, name string) *v1beta1.DataVolume {
		volume.Spec.Source = &v1beta1.DataVolumeSource{PVC: &v1beta1.DataVolumeSourcePVC{Namespace: namespace, Name: name}}
		return volume
	}
	for name, test := range map[string]struct {
		obj  any
		want []string
	}{
		"a clone whose source is pinned": {gen.DataVolume("x", gen.Clones("golden-images/i1")), []string{"golden-images/i1"}},
		"a clone that has not begun":     {source(gen.DataVolume("x"), "golden-images", "i1"), []string{"golden-images/i1"}},
		"a clone within its namespace":   {source(gen.DataVolume("x"), "", "i1"), []string{"golden-images/i1"}},
		"a clone that succeeded":         {gen.DataVolume("x", gen.Clones("golden-images/i1"), gen.InPhase(v1beta1.Succeeded)), nil},
		"a clone that failed":            {gen.DataVolume("x", gen.Clones("golden-images/i1"), gen.InPhase(v1beta1.Failed)), nil},
		"an import":                      {gen.DataVolume("x"), nil},
		"something else":                 {&corev1.Pod{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := copiedKeys(test.obj)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
		})
	}
}

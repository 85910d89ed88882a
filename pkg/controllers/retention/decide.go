// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package retention

import (
	"cmp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/lineage"
)

// grace is how long what was current is left alone: longer than a cache lags behind.
const grace = 10 * time.Second

// entry is an import. Volume and claim have the same name; one of them may be nil.
type entry struct {
	name   string
	volume *v1beta1.DataVolume
	claim  *corev1.PersistentVolumeClaim
	// needed tells that a clone in flight or a DataSource other than the cron's needs the claim.
	needed bool
}

// input is what a decision is made from.
type input struct {
	// cron is nil if it is gone.
	cron *v1beta1.DataImportCron
	// source that the cron manages, nil if there is none.
	source *v1beta1.DataSource
	// sources are the DataSources with the cron's label.
	sources []*v1beta1.DataSource
	entries []entry
}

// deletion is an import to delete.
type deletion struct {
	entry
	why why
}

// decision is what to do.
type decision struct {
	delete        []deletion
	deleteSources []*v1beta1.DataSource
	// again is when to look again, zero for not before something changes.
	again time.Time
}

// decide tells which imports are to go.
func decide(in input, now time.Time) decision {
	if in.cron == nil {
		return in.cronGone()
	}
	var d decision
	if ptr.Deref(in.cron.Spec.GarbageCollect, v1beta1.DataImportCronGarbageCollectOutdated) == v1beta1.DataImportCronGarbageCollectNever {
		return d
	}
	var complete []entry
	for _, e := range in.entries {
		switch {
		case lineage.Complete(e.volume, e.claim):
			complete = append(complete, e)
		case e.volume == nil || e.volume.DeletionTimestamp != nil || in.wanted(e):
		case e.volume.Status.Phase != v1beta1.Succeeded:
			d.delete = append(d.delete, deletion{e, whyAbandoned})
		case e.claim == nil || lineage.Lost(e.claim):
			d.delete = append(d.delete, deletion{e, whyLost})
		}
	}
	if in.cron.Status.LastImportedPVC != nil {
		in.outdated(&d, complete, now)
	}
	return d
}

// cronGone decides for imports and DataSources whose cron is no more.
func (in input) cronGone() decision {
	var d decision
	for _, source := range in.sources {
		if lineage.GoesWithCron(source) && source.DeletionTimestamp == nil {
			d.deleteSources = append(d.deleteSources, source)
		}
	}
	for _, e := range in.entries {
		goes := (e.volume != nil && lineage.GoesWithCron(e.volume)) || (e.claim != nil && lineage.GoesWithCron(e.claim))
		if goes && !e.terminating() {
			d.delete = append(d.delete, deletion{e, whyCronGone})
		}
	}
	return d
}

func (e entry) terminating() bool {
	if e.volume != nil {
		return e.volume.DeletionTimestamp != nil
	}
	return e.claim.DeletionTimestamp != nil
}

// outdated adds those complete imports to a decision that are more than shall be kept.
func (in input) outdated(d *decision, complete []entry, now time.Time) {
	slices.SortFunc(complete, func(a, b entry) int {
		return cmp.Or(
			order(in.published(b), in.published(a)),
			b.used().Compare(a.used()),
			strings.Compare(a.name, b.name),
		)
	})
	keep := max(int(ptr.Deref(in.cron.Spec.ImportsToKeep, v1beta1.DefaultImportsToKeep)), 1)
	for _, e := range complete[min(keep, len(complete)):] {
		if e.needed || e.pinned() || in.published(e) || in.current(e) {
			continue
		}
		if over := e.used().Add(grace); now.Before(over) {
			if d.again.IsZero() || over.Before(d.again) {
				d.again = over
			}
			continue
		}
		d.delete = append(d.delete, deletion{e, whyOutdated})
	}
}

func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// published tells whether the cron's DataSource points to an import, or shall.
func (in input) published(e entry) bool {
	if last := in.cron.Status.LastImportedPVC; last != nil && last.Name == e.name {
		return true
	}
	if in.source == nil || in.source.Spec.Source.PVC == nil {
		return false
	}
	to := in.source.Spec.Source.PVC
	return to.Name == e.name && (to.Namespace == "" || to.Namespace == in.cron.Namespace)
}

func (in input) current(e entry) bool {
	return slices.ContainsFunc(in.cron.Status.CurrentImports, func(i v1beta1.ImportStatus) bool { return i.DataVolumeName == e.name })
}

// wanted tells whether an import that is not complete shall be: it is current, or is about to
// be, since imports makes a DataVolume before it says so.
func (in input) wanted(e entry) bool {
	digest := e.volume.Annotations[v1beta1.AnnSourceDigest]
	return in.current(e) || in.published(e) || (digest != "" && digest == in.cron.Annotations[v1beta1.AnnSourceDesiredDigest])
}

func (e entry) pinned() bool {
	return e.claim != nil && e.claim.Annotations[AnnPinned] == "true"
}

// used returns when an import was last current; one that never said was when it was created.
func (e entry) used() time.Time {
	var created time.Time
	if e.volume != nil {
		if when, err := time.Parse(time.RFC3339Nano, e.volume.Annotations[v1beta1.AnnLastUseTime]); err == nil {
			created = when
		}
	}
	if e.claim == nil {
		return created
	}
	if when, err := time.Parse(time.RFC3339Nano, e.claim.Annotations[v1beta1.AnnLastUseTime]); err == nil {
		return when
	}
	if created.IsZero() {
		created = e.claim.CreationTimestamp.Time
	}
	return created
}

// digest returns what an import holds, "" if it does not say.
func (e entry) digest() string {
	if e.claim != nil && e.claim.Annotations[v1beta1.AnnSourceDigest] != "" {
		return e.claim.Annotations[v1beta1.AnnSourceDigest]
	}
	if e.volume != nil {
		return e.volume.Annotations[v1beta1.AnnSourceDigest]
	}
	return ""
}

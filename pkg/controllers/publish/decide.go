// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package publish

import (
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/lineage"
)

// input is what a decision is made from.
type input struct {
	cron *v1beta1.DataImportCron
	// volume and claim of the current import, nil if there is none.
	volume *v1beta1.DataVolume
	claim  *corev1.PersistentVolumeClaim
	// source that the cron manages, nil if there is none.
	source *v1beta1.DataSource
	// manager is the other DataImportCron that source's label names, if it exists and manages
	// a DataSource of that name.
	manager string
}

// current returns the import that the status names, the zero one if it names none.
func (in input) current() v1beta1.ImportStatus {
	if imports := in.cron.Status.CurrentImports; len(imports) > 0 {
		return imports[0]
	}
	return v1beta1.ImportStatus{}
}

// decision is what to do.
type decision struct {
	// published is the claim that the DataSource shall point to, nil if none ever did.
	published *v1beta1.DataVolumeSourcePVC
	// moves tells that it is another than the status says.
	moves bool
	// source as it shall be, nil to leave it.
	source *v1beta1.DataSource
	// points tells that source points to another claim than before.
	points bool
	// upToDate is the condition.
	upToDate v1beta1.ConditionState
}

// decide tells what the DataSource of a cron shall point to.
func decide(in input) decision {
	d := decision{published: in.cron.Status.LastImportedPVC}
	complete := lineage.Complete(in.volume, in.claim)
	if name := in.current().DataVolumeName; complete && (d.published == nil || d.published.Name != name) {
		d.published = &v1beta1.DataVolumeSourcePVC{Namespace: in.cron.Namespace, Name: name}
		d.moves = true
	}
	conflict := in.conflict()
	if conflict == nil && d.published != nil {
		in.decideSource(&d)
	}
	switch {
	case conflict != nil:
		d.upToDate = *conflict
	default:
		d.upToDate = in.upToDate(complete)
	}
	return d
}

// conflict returns the condition if the DataSource is somebody else's, nil otherwise.
func (in input) conflict() *v1beta1.ConditionState {
	if in.source == nil {
		return nil
	}
	owner := in.source.Labels[v1beta1.LabelDataImportCron]
	switch {
	case owner == "":
		state := no(ReasonNotManaged, fmt.Sprintf(
			"DataSource %s is not managed by a DataImportCron: delete it, or label it %s=%s", in.source.Name, v1beta1.LabelDataImportCron, in.cron.Name))
		return &state
	case owner != in.cron.Name && in.manager != "":
		state := no(ReasonAlreadyManaged, fmt.Sprintf("DataSource %s is already managed by DataImportCron %s", in.source.Name, in.manager))
		return &state
	}
	return nil
}

// decideSource compares the DataSource with what it shall be.
func (in input) decideSource(d *decision) {
	want := &v1beta1.DataSource{ObjectMeta: metav1.ObjectMeta{Name: in.cron.Spec.ManagedDataSource, Namespace: in.cron.Namespace}}
	if in.source != nil {
		want = in.source.DeepCopy()
	}
	if want.Labels == nil {
		want.Labels = map[string]string{}
	}
	// The image's labels, and over them the cron's, where an admin can change them.
	if in.volume != nil && in.volume.Name == d.published.Name {
		maps.Copy(want.Labels, lineage.Travelling(in.volume.Labels))
	}
	if in.claim != nil && in.claim.Name == d.published.Name {
		maps.Copy(want.Labels, lineage.Travelling(in.claim.Labels))
	}
	delete(want.Labels, v1beta1.LabelDataImportCronCleanup)
	maps.Copy(want.Labels, lineage.Labels(in.cron))
	want.Spec.Source = v1beta1.DataSourceSource{PVC: d.published.DeepCopy()}

	d.points = in.source == nil || !equality.Semantic.DeepEqual(in.source.Spec, want.Spec)
	if d.points || !equality.Semantic.DeepEqual(in.source.Labels, want.Labels) {
		d.source = want
	}
}

func (in input) upToDate(complete bool) v1beta1.ConditionState {
	desired := in.cron.Annotations[v1beta1.AnnSourceDesiredDigest]
	switch {
	case desired == "":
		return no(ReasonNoDigest, messageNoDigest)
	case in.current().Digest != desired:
		return no(ReasonOutdated, messageOutdated)
	case complete:
		return v1beta1.ConditionState{Status: corev1.ConditionTrue, Reason: ReasonUpToDate, Message: messageUpToDate}
	case in.volume != nil && in.volume.Status.Phase == v1beta1.Failed:
		return no(ReasonImportFailed, "Import failed: the condition Progressing says why")
	}
	return no(ReasonImportProgressing, messageProgressing)
}

func no(reason, message string) v1beta1.ConditionState {
	return v1beta1.ConditionState{Status: corev1.ConditionFalse, Reason: reason, Message: message}
}

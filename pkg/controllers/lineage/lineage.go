// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package lineage

import (
	"regexp"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	listers "goldenimage.dev/pkg/generated/listers/cdi/v1beta1"
)

// Populated is the value of AnnPopulated on a claim whose content is complete.
const Populated = "true"

const cleanup = "true"

// kubeVirt matches labels that are about virtual machines, such as instancetype.kubevirt.io/….
var kubeVirt = regexp.MustCompile(`^([a-z0-9.-]+\.)?kubevirt\.io/[A-Za-z0-9._-]+$`)

// Cron returns the key of the DataImportCron whose label obj carries.
func Cron(obj metav1.Object) (types.NamespacedName, bool) {
	name := obj.GetLabels()[v1beta1.LabelDataImportCron]
	return types.NamespacedName{Namespace: obj.GetNamespace(), Name: name}, name != ""
}

// Crons is Cron for the handlers of informers.
func Crons(obj any) []types.NamespacedName {
	meta, ok := obj.(metav1.Object)
	if !ok {
		return nil
	}
	key, ok := Cron(meta)
	if !ok {
		return nil
	}
	return []types.NamespacedName{key}
}

// CronsOfClaim is Crons for claims: one without a label is of the DataImportCron whose label the
// DataVolume of its name carries.
func CronsOfClaim(volumes listers.DataVolumeLister) func(obj any) []types.NamespacedName {
	return func(obj any) []types.NamespacedName {
		if keys := Crons(obj); keys != nil {
			return keys
		}
		claim, ok := obj.(*corev1.PersistentVolumeClaim)
		if !ok {
			return nil
		}
		volume, err := volumes.DataVolumes(claim.Namespace).Get(claim.Name)
		if err != nil {
			return nil
		}
		return Crons(volume)
	}
}

// Own maps an object to its own key, for the handlers of informers.
func Own(obj any) []types.NamespacedName {
	meta, ok := obj.(metav1.Object)
	if !ok {
		return nil
	}
	return []types.NamespacedName{{Namespace: meta.GetNamespace(), Name: meta.GetName()}}
}

// Labels returns what everything carries that is made for cron: whose it is, whether it goes
// when cron goes, and cron's labels about virtual machines.
func Labels(cron *v1beta1.DataImportCron) map[string]string {
	labels := Travelling(cron.Labels)
	labels[v1beta1.LabelDataImportCron] = cron.Name
	labels[v1beta1.LabelApp] = v1beta1.LabelAppValue
	if value := Cleanup(cron); value != nil {
		labels[v1beta1.LabelDataImportCronCleanup] = *value
	}
	return labels
}

// Cleanup returns the value that LabelDataImportCronCleanup shall have on what belongs to
// cron, nil for none.
func Cleanup(cron *v1beta1.DataImportCron) *string {
	if ptr.Deref(cron.Spec.RetentionPolicy, v1beta1.DataImportCronRetainAll) == v1beta1.DataImportCronRetainNone {
		return new(cleanup)
	}
	return nil
}

// GoesWithCron tells whether obj shall be deleted with its DataImportCron.
func GoesWithCron(obj metav1.Object) bool {
	return obj.GetLabels()[v1beta1.LabelDataImportCronCleanup] == cleanup
}

// Travelling returns the labels about virtual machines among some: they go from a
// DataImportCron to its imports, and from those to the DataSource, where tools look for them.
// Never nil.
func Travelling(labels map[string]string) map[string]string {
	travelling := map[string]string{}
	for key, value := range labels {
		if Travels(key) {
			travelling[key] = value
		}
	}
	return travelling
}

// Travels tells whether a label is among Travelling. Those by which this group marks its own
// objects are not: they say something about one object only.
func Travels(key string) bool {
	switch key {
	case v1beta1.LabelDataImportCron, v1beta1.LabelDataImportCronCleanup, v1beta1.LabelDataVolumeUID:
		return false
	}
	return kubeVirt.MatchString(key)
}

// Complete tells whether a claim holds a whole image. The DataVolume is the one of the claim's
// name; either may be nil. A claim without a DataVolume that was filled by somebody else counts
// when it is bound; one that this server was to fill counts only if it says that it is
// populated.
func Complete(volume *v1beta1.DataVolume, claim *corev1.PersistentVolumeClaim) bool {
	switch {
	case claim == nil || claim.DeletionTimestamp != nil || Lost(claim):
		return false
	case volume != nil:
		return volume.Status.Phase == v1beta1.Succeeded
	case claim.Annotations[v1beta1.AnnPopulated] == Populated:
		return true
	}
	return claim.Status.Phase == corev1.ClaimBound && claim.Annotations[v1beta1.AnnPopulationMethod] == "" && !OfVolume(claim)
}

// Lost tells whether a claim has lost its volume, and what was on it.
func Lost(claim *corev1.PersistentVolumeClaim) bool {
	return claim.Status.Phase == corev1.ClaimLost
}

// OfVolume tells whether a claim is owned by a DataVolume, and so goes with it.
func OfVolume(claim *corev1.PersistentVolumeClaim) bool {
	owner := metav1.GetControllerOf(claim)
	return owner != nil && owner.Kind == "DataVolume"
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package storageprofile

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// input is what a decision is made from.
type input struct {
	profile *v1beta1.StorageProfile
	// class of the profile's name, nil if there is none.
	class *storagev1.StorageClass
	// snapshots are the cluster's VolumeSnapshotClasses, in order of their names.
	snapshots []SnapshotClass
	// volumes are those of a class without a provisioner.
	volumes []*corev1.PersistentVolume
}

// decision is what to write.
type decision struct {
	// status without its conditions.
	status     v1beta1.StorageProfileStatus
	recognized v1beta1.ConditionState
	// annotations that the profile shall have, unless it has others under these keys.
	annotations map[string]string
}

// decide completes a profile. The reasons are listed in reasons.go.
func decide(in input) decision {
	if in.class == nil {
		return decision{recognized: state(corev1.ConditionFalse, ReasonNoClass,
			fmt.Sprintf("There is no StorageClass %s yet: the profile counts as soon as there is", in.profile.Name))}
	}
	var d decision
	row, notes := in.judge(&d)
	d.status.StorageClass, d.status.Provisioner = new(in.class.Name), new(in.class.Provisioner)
	snapshotClass, note := in.snapshotClass()
	notes = append(notes, note)
	if snapshotClass != "" {
		d.status.SnapshotClass = new(snapshotClass)
	}
	strategy, note := in.cloneStrategy(row, snapshotClass != "")
	notes = append(notes, note)
	d.status.CloneStrategy = &strategy
	d.status.DataImportCronSourceFormat = new(in.format(row, snapshotClass != ""))
	d.annotations = in.annotations(row)
	notes = append(notes, in.imagesNote())
	for _, note := range notes {
		if note != "" {
			d.recognized.Message += ". " + note
		}
	}
	return d
}

// judge tells what is known of the provisioner and what its claims can be like. It returns the
// provisioner's row, an empty one if there is none, and what there is to add to the message.
func (in input) judge(d *decision) (provisioner, []string) {
	name := in.class.Provisioner
	row, keys := find(provisioners(), in.class)
	var sets []set
	switch {
	case name == noProvisioner:
		if sets = ofVolumes(in.volumes); len(sets) > 0 {
			d.recognized = state(corev1.ConditionTrue, ReasonRecognized, "The class has no provisioner: its volumes show what claims can be like")
			break
		}
		d.recognized = state(corev1.ConditionFalse, ReasonNoVolumes, "The class has no provisioner, and there are no volumes of it that show what claims can be like")
	case row != nil && len(row.can) == 0:
		d.recognized = state(corev1.ConditionTrue, ReasonUnsupported, fmt.Sprintf("Provisioner %s makes no volumes that could hold a disk", name))
	case row != nil:
		sets = row.can
		d.recognized = state(corev1.ConditionTrue, ReasonRecognized, fmt.Sprintf("It is known what provisioner %s can do", name))
	case len(keys) > 0:
		d.recognized = state(corev1.ConditionFalse, ReasonParameters,
			fmt.Sprintf("Provisioner %s can do several things, and the parameters of the class (%s) do not say which", name, strings.Join(keys, ", ")))
	default:
		d.recognized = state(corev1.ConditionFalse, ReasonUnrecognized, fmt.Sprintf("It is not known what provisioner %s can do", name))
	}
	d.status.ClaimPropertySets = properties(sets)
	unknown := d.recognized.Status == corev1.ConditionFalse
	var notes []string
	switch {
	case len(in.profile.Spec.ClaimPropertySets) > 0:
		d.status.ClaimPropertySets = in.profile.Spec.ClaimPropertySets
		if unknown {
			notes = append(notes, "spec.claimPropertySets of this profile says what claims can be like")
		}
	case unknown:
		d.status.ClaimPropertySets = properties([]set{rwoFile})
		notes = append(notes, "Claims are assumed to be ReadWriteOnce with volume mode Filesystem: set spec.claimPropertySets of this profile if they can be otherwise")
	}
	if row == nil {
		return provisioner{}, notes
	}
	return *row, notes
}

// cloneStrategy returns how volumes are cloned, and what is wrong with what was asked for.
func (in input) cloneStrategy(row provisioner, snapshots bool) (v1beta1.CDICloneStrategy, string) {
	if asked := in.profile.Spec.CloneStrategy; asked != nil {
		return *asked, ""
	}
	var note string
	switch asked := v1beta1.CDICloneStrategy(in.class.Annotations[annCloneStrategy]); asked {
	case hostCopy, csiClone, snapshot:
		return asked, ""
	case "":
	default:
		note = fmt.Sprintf("Annotation %s of the StorageClass is ignored: it is none of %s, %s and %s", annCloneStrategy, hostCopy, snapshot, csiClone)
	}
	switch {
	case row.clone == hostCopy, row.clone == csiClone:
		return row.clone, note
	case snapshots:
		return snapshot, note
	}
	return hostCopy, note
}

// format returns what imports are kept as.
func (in input) format(row provisioner, snapshots bool) v1beta1.DataImportCronSourceFormat {
	if asked := in.profile.Spec.DataImportCronSourceFormat; asked != nil {
		return *asked
	}
	if row.snapshots && snapshots {
		return v1beta1.DataImportCronSourceFormatSnapshot
	}
	return v1beta1.DataImportCronSourceFormatPvc
}

func state(status corev1.ConditionStatus, reason, message string) v1beta1.ConditionState {
	return v1beta1.ConditionState{Status: status, Reason: reason, Message: message}
}

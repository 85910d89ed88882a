// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package storageprofile

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// noProvisioner stands for volumes that somebody makes by hand.
const noProvisioner = "kubernetes.io/no-provisioner"

// driver returns the CSI driver that serves a provisioner: most are named so. Kubernetes hands
// the classes of drivers that it once had built in to these.
func driver(provisioner string) string {
	switch provisioner {
	case "kubernetes.io/aws-ebs":
		return "ebs.csi.aws.com"
	case "kubernetes.io/azure-disk":
		return "disk.csi.azure.com"
	case "kubernetes.io/azure-file":
		return "file.csi.azure.com"
	case "kubernetes.io/cinder":
		return "cinder.csi.openstack.org"
	case "kubernetes.io/gce-pd":
		return "pd.csi.storage.gke.io"
	case "kubernetes.io/portworx-volume":
		return "pxd.portworx.com"
	case "kubernetes.io/vsphere-volume":
		return "csi.vsphere.vmware.com"
	}
	return provisioner
}

// find returns the row of the table for a class. If there is none, keys are the parameters by
// which those of its provisioner are told apart; none if the provisioner is not in the table.
func find(rows []provisioner, class *storagev1.StorageClass) (found *provisioner, keys []string) {
	name := driver(class.Provisioner)
	for i, row := range rows {
		if !slices.ContainsFunc(row.names, func(pattern string) bool { return like(pattern, name) }) {
			continue
		}
		if !slices.ContainsFunc(row.when, func(p parameter) bool { return !p.holds(class.Parameters) }) {
			return &rows[i], nil
		}
		for _, p := range row.when {
			keys = append(keys, p.key)
		}
	}
	slices.Sort(keys)
	return nil, slices.Compact(keys)
}

func (p parameter) holds(parameters map[string]string) bool {
	return like(strings.ToLower(p.like), strings.ToLower(parameters[p.key]))
}

// like tells whether a value matches a pattern, at either end of which a * may stand for any
// text. The pattern * is like any text but none.
func like(pattern, value string) bool {
	text := strings.Trim(pattern, "*")
	begins, ends := !strings.HasPrefix(pattern, "*"), !strings.HasSuffix(pattern, "*")
	switch {
	case begins && ends:
		return value == text
	case begins:
		return strings.HasPrefix(value, text)
	case ends:
		return strings.HasSuffix(value, text)
	}
	return value != "" && strings.Contains(value, text)
}

// property returns a set as the API has it.
func (s set) property() v1beta1.ClaimPropertySet {
	access, mode, _ := strings.Cut(string(s), " ")
	return v1beta1.ClaimPropertySet{
		AccessModes: []corev1.PersistentVolumeAccessMode{corev1.PersistentVolumeAccessMode(access)},
		VolumeMode:  new(corev1.PersistentVolumeMode(mode)),
	}
}

func properties(sets []set) []v1beta1.ClaimPropertySet {
	var all []v1beta1.ClaimPropertySet
	for _, s := range sets {
		all = append(all, s.property())
	}
	return all
}

// ofVolumes returns what volumes that somebody made can be claimed as: access by many comes
// before access by one, and block devices before file systems. There are no more than 8.
func ofVolumes(volumes []*corev1.PersistentVolume) []set {
	rank := []corev1.PersistentVolumeAccessMode{
		corev1.ReadWriteMany, corev1.ReadWriteOnce, corev1.ReadWriteOncePod, corev1.ReadOnlyMany,
	}
	var sets []set
	for _, access := range rank {
		for _, mode := range []corev1.PersistentVolumeMode{corev1.PersistentVolumeBlock, corev1.PersistentVolumeFilesystem} {
			if slices.ContainsFunc(volumes, func(pv *corev1.PersistentVolume) bool {
				return modeOf(pv) == mode && slices.Contains(pv.Spec.AccessModes, access)
			}) {
				sets = append(sets, set(string(access)+" "+string(mode)))
			}
		}
	}
	return sets
}

func modeOf(pv *corev1.PersistentVolume) corev1.PersistentVolumeMode {
	if pv.Spec.VolumeMode == nil {
		return corev1.PersistentVolumeFilesystem
	}
	return *pv.Spec.VolumeMode
}

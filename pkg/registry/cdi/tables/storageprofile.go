// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package tables

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi"
)

type profileRow = row[cdi.StorageProfile]

// StorageProfile returns the tables of StorageProfiles, with times relative to a clock.
func StorageProfile(clk clock.PassiveClock) rest.TableConvertor {
	items := func(object runtime.Object) ([]cdi.StorageProfile, bool) {
		list, ok := object.(*cdi.StorageProfileList)
		if !ok {
			return nil, false
		}
		return list.Items, true
	}
	return newConvertor(cdi.Resource("storageprofiles"), clk, items, []column[cdi.StorageProfile]{
		text("Provisioner", always, "What makes volumes of the class.",
			func(r profileRow) string { return ptr.Deref(r.object.Status.Provisioner, "") }),
		text("Claims", always, "Access modes and volume modes that claims get, the best first.", claimProperties),
		text("Clone", always, "How volumes are cloned.",
			func(r profileRow) string { return string(ptr.Deref(r.object.Status.CloneStrategy, "")) }),
		text("Format", always, "What imports are kept as.",
			func(r profileRow) string { return string(ptr.Deref(r.object.Status.DataImportCronSourceFormat, "")) }),
		age[cdi.StorageProfile](),
		text("Snapshot-Class", wide, "VolumeSnapshotClass for snapshots of volumes of the class.",
			func(r profileRow) string { return ptr.Deref(r.object.Status.SnapshotClass, "") }),
		text("Recognized", wide, "Whether the provisioner is one whose abilities are known.",
			func(r profileRow) string { return string(recognized(r.object).Status) }),
		text("Message", wide, "What is known of the provisioner, in a sentence.",
			func(r profileRow) string { return recognized(r.object).Message }),
	})
}

func recognized(profile *cdi.StorageProfile) cdi.ConditionState {
	for _, c := range profile.Status.Conditions {
		if c.Type == cdi.StorageProfileRecognized {
			return c.ConditionState
		}
	}
	return cdi.ConditionState{}
}

// claimProperties joins the sets as RWX/Block,RWO/Filesystem. The modes are those that kubectl
// abbreviates so for claims.
func claimProperties(r profileRow) string {
	short := map[corev1.PersistentVolumeAccessMode]string{
		corev1.ReadWriteOnce: "RWO", corev1.ReadOnlyMany: "ROX", corev1.ReadWriteMany: "RWX", corev1.ReadWriteOncePod: "RWOP",
	}
	var sets []string
	for _, set := range r.object.Status.ClaimPropertySets {
		var modes []string
		for _, mode := range set.AccessModes {
			modes = append(modes, short[mode])
		}
		sets = append(sets, path(strings.Join(modes, "+"), string(ptr.Deref(set.VolumeMode, corev1.PersistentVolumeFilesystem))))
	}
	return strings.Join(sets, ",")
}

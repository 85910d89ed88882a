// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package tables

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"goldenimage.dev/pkg/apis/cdi"
)

// clusterWide is the metadata of an object without a namespace.
func clusterWide(name string, age time.Duration) metav1.ObjectMeta {
	meta := object(name, age)
	meta.Namespace = ""
	return meta
}

func profiles() *cdi.StorageProfileList {
	set := func(volumeMode corev1.PersistentVolumeMode, modes ...corev1.PersistentVolumeAccessMode) cdi.ClaimPropertySet {
		return cdi.ClaimPropertySet{AccessModes: modes, VolumeMode: &volumeMode}
	}
	recognized := func(status corev1.ConditionStatus, message string) []cdi.StorageProfileCondition {
		return []cdi.StorageProfileCondition{{
			Type: cdi.StorageProfileRecognized, ConditionState: cdi.ConditionState{Status: status, Message: message},
		}}
	}
	return &cdi.StorageProfileList{Items: []cdi.StorageProfile{
		{ObjectMeta: clusterWide("ceph", 400*day), Status: cdi.StorageProfileStatus{
			Provisioner: new("rook-ceph.rbd.csi.ceph.com"), CloneStrategy: new(cdi.CloneStrategyCsiClone),
			ClaimPropertySets: []cdi.ClaimPropertySet{
				set(corev1.PersistentVolumeBlock, corev1.ReadWriteMany),
				set(corev1.PersistentVolumeFilesystem, corev1.ReadWriteOnce, corev1.ReadOnlyMany),
			},
			DataImportCronSourceFormat: new(cdi.DataImportCronSourceFormatSnapshot), SnapshotClass: new("ceph-snapshots"),
			Conditions: recognized(corev1.ConditionTrue, "The provisioner is known"),
		}},
		{ObjectMeta: clusterWide("homemade", time.Hour), Status: cdi.StorageProfileStatus{
			Provisioner: new("example.com/disks"), CloneStrategy: new(cdi.CloneStrategyHostAssisted),
			ClaimPropertySets:          []cdi.ClaimPropertySet{set(corev1.PersistentVolumeFilesystem, corev1.ReadWriteOncePod)},
			DataImportCronSourceFormat: new(cdi.DataImportCronSourceFormatPvc),
			Conditions:                 recognized(corev1.ConditionFalse, "The provisioner is not known"),
		}},
		{ObjectMeta: clusterWide("new", time.Second)},
	}}
}

func configs() *cdi.CDIConfigList {
	return &cdi.CDIConfigList{Items: []cdi.CDIConfig{{
		ObjectMeta: clusterWide(cdi.CDIConfigName, 3*day),
		Spec: cdi.CDIConfigSpec{
			InsecureRegistries: []string{"registry.example.com:5000", "other.example.com"}, FeatureGates: []string{"HonorWaitForFirstConsumer"},
		},
		Status: cdi.CDIConfigStatus{FilesystemOverhead: &cdi.FilesystemOverhead{Global: "0.06"}},
	}}}
}

func installations() *cdi.CDIList {
	return &cdi.CDIList{Items: []cdi.CDI{
		{ObjectMeta: clusterWide(cdi.CDIName, 3*day), Status: cdi.CDIStatus{Phase: cdi.CDIPhaseDeployed, ObservedVersion: "v0.1.0"}},
		{ObjectMeta: clusterWide("second", time.Minute), Status: cdi.CDIStatus{
			Phase: cdi.CDIPhaseError, ObservedVersion: "v0.1.0",
			Conditions: []cdi.CDICondition{{Type: cdi.CDIDegraded, ConditionState: cdi.ConditionState{Message: "There is another one"}}},
		}},
		{ObjectMeta: clusterWide("third", 0)},
	}}
}

func importSources() *cdi.VolumeImportSourceList {
	source := func(name string, source *cdi.ImportSourceType) cdi.VolumeImportSource {
		return cdi.VolumeImportSource{ObjectMeta: object(name, time.Hour), Spec: cdi.VolumeImportSourceSpec{Source: source}}
	}
	list := &cdi.VolumeImportSourceList{Items: []cdi.VolumeImportSource{
		source("registry", &cdi.ImportSourceType{Registry: &cdi.DataVolumeSourceRegistry{URL: new("docker://quay.io/containerdisks/fedora:latest")}}),
		source("http", &cdi.ImportSourceType{HTTP: &cdi.DataVolumeSourceHTTP{URL: "https://example.com/disk.qcow2"}}),
		source("s3", &cdi.ImportSourceType{S3: &cdi.DataVolumeSourceS3{URL: "https://s3.example.com/disk.qcow2"}}),
		source("gcs", &cdi.ImportSourceType{GCS: &cdi.DataVolumeSourceGCS{URL: "gs://bucket/disk.qcow2"}}),
		source("blank", &cdi.ImportSourceType{Blank: &cdi.DataVolumeBlankImage{}}),
		source("imageio", &cdi.ImportSourceType{Imageio: &cdi.DataVolumeSourceImageIO{URL: "https://ovirt.example.com"}}),
		source("vddk", &cdi.ImportSourceType{VDDK: &cdi.DataVolumeSourceVDDK{URL: "https://vcenter.example.com"}}),
		source("nothing", &cdi.ImportSourceType{}),
		source("absent", nil),
	}}
	list.Items[0].Spec.ContentType = cdi.DataVolumeArchive
	return list
}

func cloneSources() *cdi.VolumeCloneSourceList {
	source := func(name, kind string) cdi.VolumeCloneSource {
		return cdi.VolumeCloneSource{ObjectMeta: object(name, time.Hour), Spec: cdi.VolumeCloneSourceSpec{
			Source: corev1.TypedLocalObjectReference{Kind: kind, Name: "fedora"},
		}}
	}
	return &cdi.VolumeCloneSourceList{Items: []cdi.VolumeCloneSource{source("claim", "PersistentVolumeClaim"), source("snapshot", "VolumeSnapshot")}}
}

func uploadSources() *cdi.VolumeUploadSourceList {
	return &cdi.VolumeUploadSourceList{Items: []cdi.VolumeUploadSource{
		{ObjectMeta: object("disk", time.Hour)},
		{ObjectMeta: object("files", time.Hour), Spec: cdi.VolumeUploadSourceSpec{ContentType: cdi.DataVolumeArchive}},
	}}
}

func transfers() *cdi.ObjectTransferList {
	source := cdi.TransferSource{Kind: "DataVolume", Namespace: "golden-images", Name: "fedora"}
	return &cdi.ObjectTransferList{Items: []cdi.ObjectTransfer{
		{ObjectMeta: clusterWide("moved", time.Hour), Spec: cdi.ObjectTransferSpec{
			Source: source, Target: cdi.TransferTarget{Namespace: new("vms"), Name: new("disk")},
		}, Status: cdi.ObjectTransferStatus{Phase: cdi.ObjectTransferComplete}},
		{ObjectMeta: clusterWide("renamed", 0), Spec: cdi.ObjectTransferSpec{Source: source, Target: cdi.TransferTarget{Name: new("disk")}}},
	}}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package storageprofile

import "goldenimage.dev/pkg/apis/cdi/v1beta1"

// Reasons of the condition Recognized. Clients of CDI know the first two.
const (
	// ReasonRecognized: it is known what the provisioner can do.
	ReasonRecognized = "RecognizedProvisioner"
	// ReasonUnrecognized: it is not.
	ReasonUnrecognized = "UnrecognizedProvisioner"
	// ReasonParameters: the provisioner is known, but the parameters of the class do not say
	// which of the things that it can do are meant.
	ReasonParameters = "UnrecognizedParameters"
	// ReasonNoVolumes: the class has no provisioner, and no volumes to judge by.
	ReasonNoVolumes = "NoVolumes"
	// ReasonUnsupported: the provisioner is known not to make volumes for disks.
	ReasonUnsupported = "UnsupportedProvisioner"
	// ReasonNoClass: there is no StorageClass of the profile's name.
	ReasonNoClass = "StorageClassNotFound"
)

// Annotations of a StorageProfile.
const (
	// AnnMinimumSize is the size of the smallest volume that the storage makes.
	AnnMinimumSize = v1beta1.GroupName + "/minimumSupportedPvcSize"
	// AnnImportReadWriteOnce, with the value "true", gives imports ReadWriteOnce claims whatever
	// access mode comes first.
	AnnImportReadWriteOnce = v1beta1.GroupName + "/useReadWriteOnceForDataImportCron"
	// AnnImportSnapshotClass is the VolumeSnapshotClass for imports that are kept as snapshots.
	AnnImportSnapshotClass = v1beta1.GroupName + "/snapshotClassForDataImportCron"
)

const (
	// annCloneStrategy on a StorageClass is how its volumes are cloned.
	annCloneStrategy = v1beta1.GroupName + "/clone-strategy"
	// annDefaultSnapshotClass, with the value yes, on a VolumeSnapshotClass prefers it to
	// others of its driver.
	annDefaultSnapshotClass = "snapshot.storage.kubernetes.io/is-default-class"
	yes                     = "true"
)

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"math"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

const mebibyte = 1 << 20

// inflate returns the size in bytes of a Filesystem volume that holds a disk of size bytes,
// when the file system takes the share overhead of it.
func inflate(size int64, overhead float64) int64 {
	whole := (size + mebibyte - 1) / mebibyte * mebibyte
	return int64(math.Ceil(float64(whole) * (1 + overhead)))
}

// requestedSize returns the size in bytes that the user asked for, 0 if none.
func requestedSize(dv *v1beta1.DataVolume) int64 {
	var resources corev1.VolumeResourceRequirements
	switch {
	case dv.Spec.PVC != nil:
		resources = dv.Spec.PVC.Resources
	case dv.Spec.Storage != nil:
		resources = dv.Spec.Storage.Resources
	}
	return resources.Requests.Storage().Value()
}

// claimSize returns what a claim of a mode requests, in bytes.
func claimSize(in *input, mode corev1.PersistentVolumeMode, overhead float64) int64 {
	filesystem := mode != corev1.PersistentVolumeBlock
	asked := requestedSize(in.volume)
	switch {
	case asked > 0 && in.volume.Spec.Storage != nil && filesystem:
		return inflate(asked, overhead)
	case asked > 0 || in.source == nil:
		return asked
	}
	disk := diskSize(in.source)
	switch {
	case disk > 0 && filesystem:
		return inflate(disk, overhead)
	case disk > 0:
		return disk
	case filesystem && isBlock(in.source):
		return inflate(volumeSize(in.source), overhead)
	}
	return volumeSize(in.source)
}

// diskSize returns the size in bytes of the disk in a claim, 0 if it is not known.
func diskSize(claim *corev1.PersistentVolumeClaim) int64 {
	size, err := strconv.ParseInt(claim.Annotations[v1beta1.AnnVirtualSize], 10, 64)
	if err != nil {
		return 0
	}
	return max(size, 0)
}

// volumeSize returns the size in bytes that a claim has. A Block volume is copied as a whole, so
// what it got counts; what a Filesystem got beyond its request need not be asked for again.
func volumeSize(claim *corev1.PersistentVolumeClaim) int64 {
	size := claim.Spec.Resources.Requests.Storage().Value()
	if isBlock(claim) {
		size = max(size, claim.Status.Capacity.Storage().Value())
	}
	return size
}

// fits returns a *problem if what the user asked for is too small for the source. What is not
// known of a source the worker finds out.
func fits(in *input, mode corev1.PersistentVolumeMode, overhead float64) error {
	asked := requestedSize(in.volume)
	if asked == 0 {
		return nil
	}
	have, need, of := asked, diskSize(in.source), "disk"
	if need == 0 {
		need, of = volumeSize(in.source), "volume"
		if !isBlock(in.source) {
			// A request of either kind, compared with one of its kind.
			have = claimSize(in, mode, overhead)
		}
	}
	if have >= need {
		return nil
	}
	return problemf(reasonVolumeTooSmall, "The volume of %s is smaller than the %s of the source pvc %s, which has %s: make a DataVolume that requests at least that",
		readable(have), of, keyOf(in.source), readable(need))
}

func readable(size int64) string {
	return resource.NewQuantity(size, resource.BinarySI).String()
}

func isBlock(claim *corev1.PersistentVolumeClaim) bool {
	return claim.Spec.VolumeMode != nil && *claim.Spec.VolumeMode == corev1.PersistentVolumeBlock
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package disk fills a volume with a disk image.
//
// In: a Source, which is a stream or a file in one of the Formats, and a Target, which is a
// file to be made or a block device. Out: the raw disk in the Target, flushed, and an Info;
// or an Error that tells whether the image, its size, the reading or the writing is at
// fault. An Engine does it by one method, behind which it may be done in any way.
//
// A file appears under its name only when it is complete. Zeros are not written where the
// target has them anyway. Raw disks and qcow2 images (package qcow2) are written while they are
// read, compressed with gzip or zstd or not; of a qcow2 image whose tables come late, a part is
// kept beside the target meanwhile. The other formats are first stored there, checked by this
// package, and then converted by qemu-img, which is told the format and never guesses.
//
// Images are hostile: one that names other files (backing files, external data, extents) is
// refused before qemu-img sees it. The package imports nothing of Kubernetes.
package disk

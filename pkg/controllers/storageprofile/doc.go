// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package storageprofile keeps one StorageProfile for each StorageClass, of the same name: what
// claims of the class can be like, how they are cloned, and what imports are kept as.
//
// In: StorageClasses, the spec that an administrator gave a StorageProfile, VolumeSnapshotClasses
// (of an API that a cluster may not have, or get later), and, for classes without a provisioner,
// their PersistentVolumes. Out: StorageProfiles with a reference to their class as their owner,
// the status of each, and annotations that a profile lacks.
//
// The status is the spec, completed from the table in provisioners.go by the class's provisioner
// and parameters. Of a provisioner that is not in it the least is assumed: ReadWriteOnce with a
// file system. The condition Recognized says which it is, what was assumed, and what to write
// into the spec if it is wrong.
//
// A profile goes with its class: Kubernetes' garbage collector takes it by the owner reference,
// and so does this package, which asks the live API first. One that an administrator made before
// there is a class of that name is kept, and says what it waits for.
//
// Annotations are only ever added. One that is there is an administrator's, right or wrong.
//
// It may not change the spec of a StorageProfile, nor any other object.
package storageprofile

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Command plain-provisioner is a dynamic provisioner of the simplest kind, as many small
// clusters run one: for a claim it makes a folder that all may write to, and a hostPath
// PersistentVolume that is bound to the node; it deletes the folder with the volume.
//
// It is no CSI driver: it has no CSIDriver object, no snapshots and no block volumes. It
// takes no notice of a claim's size, nor of its data source: such a claim gets an empty
// volume. Software that populates volumes must cope with all of that.
package main

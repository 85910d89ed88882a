// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Command csi-driver is a CSI driver for the cluster's one node. A volume is a sparse
// file of the volume's size. It reaches a Pod as the block device that a loop device
// makes of it, or as the ext4 file system on that: so a volume is as large as was asked
// for, less what the file system needs, and ENOSPC is real. Snapshots and clones are
// copies that share their data, if the folder that it is given lies on a file system that
// can (XFS with reflink, btrfs).
//
// It answers the CSI calls of the external-provisioner, the external-snapshotter and the
// kubelet on a Unix socket, keeps all it knows below that folder, and talks to nobody.
package main

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Command testdisk makes a container disk for tests and examples: an ext4 file system with
// real files, as a qcow2 or raw disk, in an image of one layer and no base, the way the
// images of quay.io/containerdisks look. It pushes the image to a registry or writes it as
// an OCI archive, and prints the manifest's digest. The same options give the same digest
// on the same machine.
//
// It runs mkfs.ext4 and debugfs (e2fsprogs) and qemu-img, and needs no privilege. A
// password is read from a file, never from the arguments or the environment.
package main

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Command image writes a one-layer container image as an OCI archive, which
// "ctr images import" reads. Each file argument is IMAGE_PATH=LOCAL_PATH, or
// IMAGE_PATH=>TARGET for a symbolic link. It is for the cluster's own helper images; the
// product's images are not made by it.
package main

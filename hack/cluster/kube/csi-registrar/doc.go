// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Command csi-registrar tells the kubelet of a CSI driver: it serves the kubelet's plugin
// registration service on a socket in the folder that the kubelet watches. It does not
// speak to the driver.
package main

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Command hyperkube is one binary with every Kubernetes component that the cluster needs,
// and etcd, so that the long link happens once. The component is chosen by the name that
// the binary is called by (a symbolic link), or by the first argument. It adds nothing to
// the components' own commands.
package main

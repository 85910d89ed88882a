// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package etcd runs an etcd with one member inside the process, for a server that needs no
// other. It listens on a Unix socket in its data directory alone, so that nobody but the
// process's own user can reach it.
package etcd

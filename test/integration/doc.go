// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package integration drives the server as a client does: the real API machinery on a real
// etcd in this process, reached by the generated clientset. There is no Kubernetes beside it,
// so that controllers do not run; the end-to-end tests have them.
package integration

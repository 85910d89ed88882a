// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package installation stores CDI objects, which stand for the installation, and answers their
// subresource status. It writes to etcd and calls nobody else.
package installation

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package cdiconfig stores the CDIConfig and answers its subresource status. It writes to etcd and
// calls nobody else.
package cdiconfig

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package objecttransfer stores ObjectTransfers and answers their subresource status. It writes to
// etcd and calls nobody else.
package objecttransfer

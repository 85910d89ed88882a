// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package dataimportcron stores DataImportCrons and answers their subresources status and
// trigger. It writes to etcd and calls nobody else.
package dataimportcron

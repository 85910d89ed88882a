// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package volumesource stores VolumeImportSources, VolumeCloneSources and VolumeUploadSources, which
// claims name in their dataSourceRef. They have no subresources. It writes to etcd and calls
// nobody else.
package volumesource

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package app is the worker: read the Request, open its source, write the disk, leave a
// Result.
//
// In: the files that the server mounted into the Pod (pkg/apis/importer/v1 names them). Out:
// the filled volume, progress on standard output, a log for people on standard error, the
// Result and an exit code. What the worker can read is the table in openers.go.
//
// It uses no Kubernetes client, and no credential leaves it other than to the registry.
package app

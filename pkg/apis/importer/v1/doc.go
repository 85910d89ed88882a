// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package v1 is the contract between the server and the worker that moves the
// bytes of one volume.
//
// In: the server writes one Request as JSON; the kubelet mounts it into the worker's
// Pod at RequestPath. Credentials and certificates are files beside it, never part
// of it. Out: while it runs the worker prints one Progress as JSON on a line of its
// standard output, at least every ProgressInterval; when it ends it leaves one Result
// as JSON in its termination message and one of the exit codes below.
//
// The package imports the standard library alone, so that the worker needs no
// Kubernetes library to read it. Golden files pin both documents.
package v1

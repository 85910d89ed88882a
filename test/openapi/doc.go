// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package openapi checks the OpenAPI v3 document that generated clients are made from.
//
// The document comes from the server, which runs in this process on a real etcd. What goes out
// is a rendering of it that a reviewer can read, and that a golden file holds: a line for each
// operation, a paragraph for each type of ours. "go test ./test/openapi -update" writes it anew.
//
// The folder typescript is the other half: hack/test-openapi.sh takes the document through a
// real API server, checks it, has TypeScript generated from it by two generators, and runs the
// programs there against the cluster.
package openapi

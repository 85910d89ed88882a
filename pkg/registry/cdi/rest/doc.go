// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package rest is the table of what the server serves: from the name of a resource to its
// storage.
package rest

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package install registers all versions of the API group with a scheme.
package install

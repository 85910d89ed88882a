// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package deps holds the project's packages to who may import whom.
//
// What goes in is the import graph as go list tells it, without tests; what comes out is each
// import that the table forbids, with the way that leads to it. The table is in rules_test.go:
// who adds a package finds there what it may know.
package deps

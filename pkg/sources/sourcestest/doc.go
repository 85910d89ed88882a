// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package sourcestest checks that a kind of source keeps the contract of package sources.
//
// In: a function that sets up one source with one disk, and the faults that it can have. A
// fault that a kind cannot have is named with the reason why, and is a skipped test that shows
// it. Out: failed tests. It knows no kind, and only tests may import it.
package sourcestest

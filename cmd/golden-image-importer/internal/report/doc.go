// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package report tells the server what the worker does.
//
// In: the engine's progress, and at the end a Result. Out: lines of JSON on the worker's
// standard output, and the termination message. It decides nothing.
package report

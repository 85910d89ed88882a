// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package datasource says of each DataSource whether it can be cloned, be it a DataImportCron's
// or a user's own.
//
// In: a DataSource, the claim or DataSource that it points to, and the DataVolume that fills that
// claim. Out: its status (the condition Ready and, while that is true, the source after
// following a pointer), and the labels about virtual machines that its image has. On a DataSource
// with the label of a DataImportCron the labels are package publish's.
//
// A claim that is bound is not enough: one that a DataVolume is filling, or that was to be
// filled and is not complete, is not ready. Transition times move only when the status does.
//
// It may not change where a DataSource points, nor any other object.
package datasource

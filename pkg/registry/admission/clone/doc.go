// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package clone decides at the request whether a user may have the content of a volume in
// another namespace: in a DataVolume, or behind a DataSource that is written. In comes the
// request with its user; out goes a refusal, or nothing. It asks the authorizer that the
// server has, reads DataSources, and writes nothing.
//
// What it cannot see is a DataSource that is pointed elsewhere after the DataVolume was
// made; then it is the DataSource's writer who was asked.
package clone

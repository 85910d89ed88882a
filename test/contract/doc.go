// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package contract compares our documents with those of the Containerized Data Importer.
//
// Its API module is a dependency of tests alone. What goes in are objects of all its kinds,
// lists among them, and of ours, filled at random; each is written as JSON, read strictly by
// the other side and taken back. Fields that only we have are in one table, which is held
// against both sides' types; anything else that differs fails. FuzzRoundTrip holds our own
// codec to the same: what it accepts it writes so that it can read it again.
package contract

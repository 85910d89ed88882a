// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package contract compares our documents with those of the Containerized Data Importer.
//
// Its API module is a dependency of these tests alone. What goes in are objects of its types
// and of ours, filled at random; each is written as JSON, read strictly by the other side and
// taken back. Fields that only we have are in one table, which is held against both sides'
// types; anything else that differs fails.
package contract

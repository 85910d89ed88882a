// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package rest is the table of what the server serves, from the name of a resource to its
// storage, and what stands in front of it in the chain of handlers: each takes a request and
// passes it on, changed where the machinery would not understand it, or refuses it where the
// machinery would not survive it.
package rest

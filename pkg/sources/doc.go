// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package sources says what a source of disk images is, apart from any kind of source.
//
// Two processes use it. The server resolves: a Resolver turns what the user wrote into
// a Revision, which names one immutable content. The worker opens: an Opener turns a
// Revision into a stream. A kind of source is a package below this one that implements
// one or both; which kinds a binary has is a table in that binary's app package.
//
// The package may not import a kind, a client or a transport library.
package sources

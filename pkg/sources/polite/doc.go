// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package polite asks sources what they hold on behalf of all who want to know, so that a
// registry sees the least requests that can tell its images apart.
//
// In: Questions, from any number of goroutines, none of which waits. Out: calls of
// sources.Resolvers, and Answers, each of which serves everybody who asked the same.
//
//	Ask → answer that is fresh → one request per question → queue of the host → Resolver
//
// A host has a queue of its own, so that one which does not answer delays no other. What leaves
// the queue is bounded by a rate and by a number at once. A host that asks to be left alone is:
// until then its questions are answered with that. A host that fails again and again is given
// up: its questions are answered with that failure, and it is tried now and then with one of
// them, until it answers.
//
// Hosts, and what they say, are hostile: names, waiting questions, answers and pauses are
// bounded. An error that goes to somebody else than who caused it names the host alone, not what
// was asked for. Of what a source is read with no more is kept than a hash, once it was asked.
//
// The package may not know any kind of source, nor who asks.
package polite

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package cdiclient is the parent of a client for the types of the Containerized Data
// Importer's API module: a clientset, listers and informers.
//
// They are what the Containerized Data Importer generates from those types: its own client is
// no module that others can import, so that the same generators make it here. What comes in
// are that module's types, with its markers; what goes out is code that speaks to our server
// as an old client does, which knows nothing of our additive fields. Only tests may import it.
package cdiclient

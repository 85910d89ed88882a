// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package reference reads the names of container images as users write them.
//
// In: docker://host[:port]/repository[:tag|@digest] and oci-archive: URLs, and bare image
// names. Out: a Reference, whose parts are normalised as every container tool does it
// (docker://fedora is index.docker.io/library/fedora:latest), or an error that names the
// value and what is accepted.
//
// It is a leaf and the only importer of go-containerregistry's name package, so that what
// that library lets through is checked in one place. It may not use the network.
package reference

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package nodepull resolves images that only nodes may read, because the node has credentials
// or a mirror for their registry that the server has not.
//
// In: a Location, which is an image's URL and the DataImportCron that follows it. Out: the
// digest that the container runtime of a node reports. To get it the package has one Pod made in
// the DataImportCron's namespace whose container is the image itself. The Pod runs a program of
// this project in it that ends at once, so nothing of the image is run; it has no credential, no
// token and no privilege, and it is deleted whatever happens.
//
// That pulls the whole image, so it is for when nothing else works. The caller decides that, and
// says so to the user; what it asks for by digest costs no Pod. The caller's context has to have
// a deadline, of minutes.
//
// There is no Opener: an image that a node pulls is mounted into the worker. The package may not
// read Secrets: what the kubelet needs it finds by their names.
package nodepull

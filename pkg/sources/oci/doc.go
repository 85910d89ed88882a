// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package oci reads container disks: OCI images that hold one disk below /disk.
//
// In: docker:// references, credentials, certificates and a proxy as a sources.Access. Out: a
// Resolver, which asks a registry for a tag's digest and, of an index, for the image of one
// platform, and an Opener, which streams the disk of an image at a digest while it is
// downloaded, without scratch space.
//
// Registries and images are hostile. Manifests and configurations are bounded and checked
// against their digests before they are read; a layer's compressed bytes are bounded by the
// manifest and hashed, and the stream ends with io.EOF only if every hash matched. No connection
// is made to link-local addresses and those of a cloud's metadata, whatever a name is looked up
// as, unless the administrator listed the registry as insecure. No error and no log line holds a
// credential or the query of a URL.
//
// The package uses go-containerregistry's authentication and asks for manifests and blobs
// itself: that library's client neither tells when to come back (Retry-After) nor resumes a
// blob. It may not write to disk, and knows nothing of Kubernetes.
package oci

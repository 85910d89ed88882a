// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package imagestream is the kind of source that is a tag of an OpenShift ImageStream in the same
// cluster. In comes namespace/name[:tag]; out go the digest and the reference of the image that
// the tag names now, and the names of ImageStreams whose tags have changed.
//
// ImageStreams are watched, so an answer costs no request. Their API, image.openshift.io/v1, may
// be absent, and may come and go while the server runs: then it is looked for once a minute,
// and nothing else is asked. While it cannot be read there is no answer but that.
//
// There is no Opener: what is imported is the image that the reference names, as a node or a
// worker reads any other image.
package imagestream

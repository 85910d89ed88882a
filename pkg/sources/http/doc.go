// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package web reads disk images that are files on web servers, as cloud images are published.
//
// In: http:// and https:// URLs, credentials, headers and certificates as a sources.Access. Out:
// a Resolver, which finds out by one HEAD whether the file is another one, and an Opener, which
// streams the file and takes it up again where a connection broke off.
//
// What names a content. A server does not say what a file's digest is, so a Revision's Digest is
// made from what it does say, together with the URL. In this order:
//
//   - etag:<64 hex>, of a strong ETag that the URL's own host gave. Mirrors that a host redirects
//     to have ETags of their own, which would change with each poll.
//   - modified:<64 hex>, of Last-Modified and the length.
//   - sha256:<64 hex>, the file's digest as a checksum file beside it has it.
//   - etag:<64 hex>, of any other ETag.
//
// A server that gives none of these cannot be polled. The checksum files that are looked for are
// <file>.sha256, <file>.sha256sum, and SHA256SUMS, sha256sum.txt and CHECKSUM in its folder.
// What they say of the file is the Revision's Content: a file that was published again as it
// was has another Digest and the same Content. They are asked for only when the Digest is not
// the known one. One that is older than the file, or does not say how old it is although the
// file does, is not used: it may be of the file before.
//
// A Revision's Location is the URL with a fragment that pins it. The Opener verifies a checksum
// if it has one, which is then all that counts; otherwise it refuses an answer that what the
// Digest was made from does not fit any more.
//
// Servers are hostile. Checksum files, headers, redirects, waiting and retries are bounded.
// Credentials and headers go to the URL's own host alone. Link-local addresses, where clouds
// offer credentials, are not connected to. No error and no log line holds a credential or the
// query of a URL. The package may not write to disk, and knows nothing of Kubernetes.
package web

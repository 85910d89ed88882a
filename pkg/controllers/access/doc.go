// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package access gathers what a source needs to be read besides its name: the credentials of
// its Secret, or of the Secrets that a ServiceAccount pulls with; the certificate authorities of
// its ConfigMap; and what the CDIConfig says for all sources, which registries are insecure and
// by which proxy they are reached.
//
// In: a source as the user wrote it, and the namespace it belongs to. Out: sources.Access, or
// an Error whose reason becomes that of a condition. It keeps no credential: each call reads the
// cluster, one object at a time and never a list, so that a Secret that was mended counts at
// once. Only which Secrets a ServiceAccount names may be half a minute old. What it returns must
// not be logged.
package access

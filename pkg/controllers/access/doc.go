// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package access gathers what a registry source needs to be read besides its name: the
// credentials of its Secret, the certificate authorities of its ConfigMap, and whether its
// registry is one that the admin calls insecure.
//
// In: a source as the user wrote it, and the namespace it belongs to. Out: sources.Access, or
// an Error whose reason becomes that of a condition. It keeps nothing: each call reads the
// cluster, so that a Secret that was mended counts at once. What it returns must not be logged.
package access

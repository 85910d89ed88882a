// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package installation keeps what stands for the installation as a whole: the CDI object, by which
// tools see that there is one, and the CDIConfig "config", which they read.
//
// In: CDI objects, the CDIConfig, the names of the StorageClasses, and what the server was started
// with. Out: both objects where they are missing, the status of both, and the spec of the
// CDIConfig.
//
// The oldest CDI object that is not being deleted counts. If there are others, all say by the
// condition Degraded that these are to be deleted, and those are in phase Error. If there is none
// at all, one named "cdi" is made.
//
// spec.config of the CDI that counts becomes the spec of the CDIConfig. Where a CDI has no
// spec.config, the spec of the CDIConfig is its own: an administrator may edit it directly, and
// what was copied into it stays. Of a proxy's URL in the spec, which may hold a password, the
// status repeats what is no secret.
//
// It may not change the spec of a CDI, nor any other object.
package installation

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package pvc is the kind of source that is a PersistentVolumeClaim in the same cluster. In
// comes namespace/name; out goes the claim's UID as the digest uid:<uid>, once its content is
// complete: a claim is another content when it is another claim.
//
// There is no Opener. The DataVolume that is made for a revision is a clone, which the server
// makes as it makes any other.
//
// It does not ask who may have the content: whoever names the claim was asked when it was named,
// and is asked again when it is cloned. What it tells of a claim elsewhere is that it is there,
// whether it is complete, and its UID.
package pvc

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package tables shapes what kubectl get prints: is it current, from where, since when, what
// comes next.
//
// What comes in is an internal object or a list of them, as the storage returns it; what goes
// out is a metav1.Table whose rows hold the objects. A cell without a value is <none>. Times
// are told relative to a clock that is passed in. The package asks nobody anything: all that
// a row says is in its object.
package tables

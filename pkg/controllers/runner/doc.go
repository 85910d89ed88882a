// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package runner is the loop that all controllers share: keys come in from informers and
// timers, each key is synced by one worker at a time, a failed key comes again after a
// growing pause. What a sync does is no business of this package.
package runner

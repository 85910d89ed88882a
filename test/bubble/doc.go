// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package bubble is a cluster in memory for tests of controllers: two fake clientsets that
// behave like API servers where controllers depend on it (resource versions, conflicts, status
// apart from spec, preconditions, garbage of owners), informers on them, and a recorder of
// events. Objects come in; what controllers made of them goes out.
//
// It is made for testing/synctest: in a bubble the informers have caught up when synctest.Wait
// returns, and hours pass in no time. Only tests may use it.
package bubble

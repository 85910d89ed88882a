// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build race

package simulation

// raceDetector tells whether the race detector runs along.
const raceDetector = true

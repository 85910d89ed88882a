// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package simulation runs the poll controller, and what makes it polite, through a week that takes
// seconds: ten thousand crons, leaders that hand over or are killed, registries that go down, limit
// or lose an image. What comes in is a story, told by times; what is looked at is every poll that
// is written down and every request that a registry gets, against what the schedules alone ask for.
// The API server and the registries are stand-ins; nothing of the pipeline is.
package simulation

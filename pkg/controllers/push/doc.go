// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Package push turns what registries tell of pushes into polls.
//
// In: POST requests with the notifications of distribution, Harbor, Quay and Docker Hub, from
// senders that know a token of one Secret. Out: trigger requests of the DataImportCrons that
// follow the repository and tag, through the API as everybody makes them; whoever runs the
// controllers polls. Nothing else is taken from a notification: what was pushed is
// read from the registry, so a sender that lies causes a poll and nothing more.
//
// It may not read registries, nor call an address that a notification names, nor log what a
// request holds.
package push

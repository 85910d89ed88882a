// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"goldenimage.dev/pkg/controllers/poll"
	"goldenimage.dev/pkg/sources/oci"
)

// resolvers is the table of the kinds of sources that the server can ask for what they hold.
// A kind of source is added here and, if the worker reads it, in the importer's openers.
func resolvers(registry *oci.Resolver) map[poll.Kind]poll.Resolver {
	return map[poll.Kind]poll.Resolver{
		poll.KindRegistry: registry,
	}
}

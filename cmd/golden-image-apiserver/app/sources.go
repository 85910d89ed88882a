// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"k8s.io/client-go/tools/cache"

	"goldenimage.dev/pkg/controllers/lineage"
	"goldenimage.dev/pkg/controllers/poll"
	"goldenimage.dev/pkg/sources/pvc"
)

// resolvers is the table of the kinds of sources that the server can ask for what they hold.
// A kind of source is added here and, if the worker reads it, in the importer's openers.
func resolvers(env environment) map[poll.Kind]poll.Resolver {
	claims, volumes := env.core.Core().V1().PersistentVolumeClaims(), env.group.Cdi().V1beta1().DataVolumes()
	return map[poll.Kind]poll.Resolver{
		poll.KindRegistry: env.resolver,
		poll.KindPVC: pvc.NewResolver(pvc.Config{
			Claims: claims.Lister(), Volumes: volumes.Lister(), Complete: lineage.Complete,
			Synced: []cache.InformerSynced{claims.Informer().HasSynced, volumes.Informer().HasSynced},
		}),
	}
}

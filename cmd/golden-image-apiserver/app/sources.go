// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"maps"
	"slices"
	"time"

	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/reference"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/lineage"
	"goldenimage.dev/pkg/controllers/poll"
	"goldenimage.dev/pkg/sources"
	web "goldenimage.dev/pkg/sources/http"
	"goldenimage.dev/pkg/sources/imagestream"
	"goldenimage.dev/pkg/sources/nodepull"
	"goldenimage.dev/pkg/sources/oci"
	"goldenimage.dev/pkg/sources/polite"
	"goldenimage.dev/pkg/sources/pvc"
)

// nodePollTimeout is how long a Pod may take that asks for an image on a node: the node pulls
// it, which may be large.
const nodePollTimeout = 10 * time.Minute

// A catalogue is what the server knows of sources: the kinds that it can ask for what they hold,
// and who asks them.
type catalogue struct {
	resolvers map[poll.Kind]sources.Resolver
	watchers  map[poll.Kind]sources.Watcher
	asker     *polite.Asker
	streams   *imagestream.Resolver
	close     []func()
}

// newCatalogue makes the table of the kinds of sources that the server can ask for what they
// hold. A kind of source is added here and, if the worker reads it, in the importer's openers.
func (c CompletedConfig) newCatalogue(env environment) *catalogue {
	claims, volumes := env.core.Core().V1().PersistentVolumeClaims(), env.group.Cdi().V1beta1().DataVolumes()
	images := oci.NewResolver(oci.Options{Observe: env.traffic.Observe})
	files := web.NewResolver(web.Options{Observe: env.traffic.Observe})
	streams := imagestream.New(env.streams, c.Clock)
	s := &catalogue{
		streams: streams,
		close:   []func(){images.Close, files.Close},
		resolvers: map[poll.Kind]sources.Resolver{
			poll.KindRegistry: images,
			poll.KindHTTP:     files,
			poll.KindNode: nodepull.NewResolver(nodepull.Config{
				Client: env.kube, Image: c.Options.ImporterImage, PullPolicy: c.Options.ImporterPullPolicy,
				PullSecrets: c.Options.ImporterPullSecrets, Clock: c.Clock,
			}),
			poll.KindImageStream: streams,
			poll.KindPVC: pvc.NewResolver(pvc.Config{
				Claims: claims.Lister(), Volumes: volumes.Lister(), Complete: lineage.Complete,
				Synced: []cache.InformerSynced{claims.Informer().HasSynced, volumes.Informer().HasSynced},
			}),
		},
		watchers: map[poll.Kind]sources.Watcher{poll.KindImageStream: streams},
	}
	named := map[string]sources.Resolver{}
	for kind, resolver := range s.resolvers {
		named[string(kind)] = resolver
	}
	s.asker = polite.New(polite.Config{
		Resolvers: named, Limits: c.Options.RegistryRequests, Clock: c.Clock,
		Timeouts:    map[string]time.Duration{string(poll.KindNode): nodePollTimeout},
		Independent: []string{string(poll.KindNode)}, Metrics: env.traffic,
	})
	s.close = append([]func(){s.asker.Close}, s.close...)
	return s
}

// kinds are those that users may write.
func (s *catalogue) kinds() []poll.Kind {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.resolvers)), func(kind poll.Kind) bool { return kind == poll.KindNode })
}

func (s *catalogue) shutdown() {
	for _, end := range s.close {
		end()
	}
}

// images is a Resolver for who waits for an answer, with the same limits as for all.
type images struct{ asker *polite.Asker }

// Resolve asks a registry.
func (i images) Resolve(ctx context.Context, query sources.Query) (sources.Revision, error) {
	question := polite.Question{Kind: string(poll.KindRegistry), Query: query}
	if ref, err := reference.Parse(query.Location); err == nil {
		question.Host = ref.Registry()
	}
	return i.asker.Resolve(ctx, question)
}

// nodeLocation names the image of a cron as nodes are asked for it.
func nodeLocation(cron *v1beta1.DataImportCron) string {
	spec := &cron.Spec.Template.Spec
	return nodepull.Target{
		Namespace: cron.Namespace, Name: cron.Name, UID: string(cron.UID), ServiceAccount: spec.ServiceAccountName,
		PullSecret: ptr.Deref(spec.Source.Registry.SecretRef, ""), URL: *spec.Source.Registry.URL,
	}.String()
}

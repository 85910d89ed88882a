// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/reference"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/sources"
)

// A Kind of source is the name of the field that the source stands in, below template.spec.source.
type Kind string

// Kinds of sources that a DataImportCron may have.
const (
	// KindRegistry is an image in a registry.
	KindRegistry Kind = "registry.url"
	// KindNode is an image in a registry that nodes alone may read.
	KindNode Kind = "node"
	// KindImageStream is a tag of an OpenShift ImageStream.
	KindImageStream Kind = "registry.imageStream"
	// KindPVC is another claim.
	KindPVC Kind = "pvc"
	// KindHTTP is a file on a web server.
	KindHTTP Kind = "http"
)

// source returns the kind of a cron's source and its location, as that kind's Resolver takes it.
func source(cron *v1beta1.DataImportCron) (kind Kind, location string) {
	src := cron.Spec.Template.Spec.Source
	switch {
	case src == nil:
		return "none", ""
	case src.Registry != nil && ptr.Deref(src.Registry.URL, "") != "":
		return KindRegistry, *src.Registry.URL
	case src.Registry != nil && src.Registry.ImageStream != nil:
		return KindImageStream, cron.Namespace + "/" + *src.Registry.ImageStream
	case src.PVC != nil:
		return KindPVC, cmp.Or(src.PVC.Namespace, cron.Namespace) + "/" + src.PVC.Name
	case src.HTTP != nil:
		return KindHTTP, src.HTTP.URL
	}
	return "other", ""
}

// shown is a cron's source as it is named in events: as the user wrote it.
func shown(cron *v1beta1.DataImportCron) string {
	kind, location := source(cron)
	switch kind {
	case KindImageStream:
		return "ImageStream " + *cron.Spec.Template.Spec.Source.Registry.ImageStream
	case KindHTTP:
		// What follows may be a signature.
		location, _, _ = strings.Cut(location, "?")
	case KindRegistry, KindNode, KindPVC:
	}
	return location
}

// host returns which registry or server is asked, "" if it is none.
func host(kind Kind, location string) string {
	switch kind {
	case KindRegistry:
		if ref, err := reference.Parse(location); err == nil {
			return ref.Registry()
		}
	case KindHTTP:
		if u, err := url.Parse(location); err == nil {
			return u.Host
		}
	case KindNode, KindImageStream, KindPVC:
	}
	return ""
}

// onNode tells whether nodes are asked if the server may not read the source.
func onNode(cron *v1beta1.DataImportCron) bool {
	src := cron.Spec.Template.Spec.Source
	return src != nil && src.Registry != nil && ptr.Deref(src.Registry.PullMethod, "") == v1beta1.RegistryPullNode
}

// accessOf reads what a cron's source is asked with.
func (c *Controller) accessOf(ctx context.Context, cron *v1beta1.DataImportCron) (sources.Access, error) {
	src := cron.Spec.Template.Spec.Source
	var found sources.Access
	var err error
	switch {
	case src == nil:
	case src.Registry != nil && src.Registry.URL != nil:
		found, err = c.access.RegistryAs(ctx, cron.Namespace, cron.Spec.Template.Spec.ServiceAccountName, src.Registry)
	case src.HTTP != nil:
		found, err = c.access.HTTP(ctx, cron.Namespace, src.HTTP)
	}
	if err != nil {
		return sources.Access{}, fmt.Errorf("gather access: %w", err)
	}
	return found, nil
}

// errNotSupported is a sources.Error of a kind that no Resolver is there for.
var errNotSupported = errors.New("source is not supported")

func (c *Controller) notSupported(kind Kind) error {
	supported := make([]string, 0, len(c.kinds))
	for _, k := range slices.Sorted(maps.Keys(c.kinds)) {
		supported = append(supported, "template.spec.source."+string(k))
	}
	return sources.Errorf(sources.Invalid,
		"%w: this server cannot poll template.spec.source.%s. Supported are: %s. A digest that is set in the annotation %s is imported without a poll",
		errNotSupported, kind, strings.Join(supported, ", "), v1beta1.AnnSourceDesiredDigest)
}

// bySource is the name of the index by kind and location, without the latter's tag.
const bySource = "source"

func indexBySource(obj any) ([]string, error) {
	cron, ok := obj.(*v1beta1.DataImportCron)
	if !ok {
		return nil, nil
	}
	kind, location := source(cron)
	return []string{sourceKey(kind, location)}, nil
}

// sourceKey is the key of a location in the index. Watchers exist for kinds alone whose names
// hold no colon besides that of a tag.
func sourceKey(kind Kind, location string) string {
	if kind == KindImageStream {
		location, _, _ = strings.Cut(location, ":")
	}
	return string(kind) + " " + location
}

// changed has the crons polled whose source is said to hold something else.
func (c *Controller) changed(kind Kind, location string) {
	crons, err := c.index.ByIndex(bySource, sourceKey(kind, location))
	if err != nil {
		return
	}
	for _, obj := range crons {
		cron, ok := obj.(*v1beta1.DataImportCron)
		if !ok {
			continue
		}
		key := types.NamespacedName{Namespace: cron.Namespace, Name: cron.Name}
		c.memory.change(key)
		c.runner.Enqueue(key)
	}
}

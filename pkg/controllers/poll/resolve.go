// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/access"
	"goldenimage.dev/pkg/sources"
)

// A Kind of source is the name of the field that the source stands in, below template.spec.source.
type Kind string

// Kinds of sources that a DataImportCron may have.
const (
	// KindRegistry is an image in a registry.
	KindRegistry Kind = "registry.url"
	// KindImageStream is a tag of an OpenShift ImageStream.
	KindImageStream Kind = "registry.imageStream"
	// KindPVC is another claim.
	KindPVC Kind = "pvc"
)

// A Resolver finds out what a source holds now. It is a sources.Resolver, which must be safe
// for concurrent use.
type Resolver = sources.Resolver

// deadline of a poll, from the first read of a Secret to the registry's answer.
const deadline = 30 * time.Second

// source returns the kind of a cron's source and its location, as that kind's Resolver takes it.
func source(cron *v1beta1.DataImportCron) (kind Kind, location string) {
	src := cron.Spec.Template.Spec.Source
	switch {
	case src == nil:
		return "none", ""
	case src.Registry != nil && ptr.Deref(src.Registry.URL, "") != "":
		return KindRegistry, *src.Registry.URL
	case src.Registry != nil && src.Registry.ImageStream != nil:
		return KindImageStream, *src.Registry.ImageStream
	case src.PVC != nil:
		return KindPVC, cmp.Or(src.PVC.Namespace, cron.Namespace) + "/" + src.PVC.Name
	}
	return "other", ""
}

// errNotSupported is a sources.Error of a kind that no Resolver is there for.
var errNotSupported = errors.New("source is not supported")

// resolve asks a cron's source what it holds. It changes nothing.
func (c *Controller) resolve(ctx context.Context, cron *v1beta1.DataImportCron) (sources.Revision, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	kind, location := source(cron)
	resolver, ok := c.resolvers[kind]
	if !ok {
		return sources.Revision{}, c.notSupported(kind)
	}
	var auth sources.Access
	if registry := cron.Spec.Template.Spec.Source.Registry; registry != nil {
		var err error
		if auth, err = c.access.Registry(ctx, cron.Namespace, registry); err != nil {
			return sources.Revision{}, fmt.Errorf("gather access: %w", err)
		}
	}
	revision, err := resolver.Resolve(ctx, sources.Query{Location: location, Access: auth})
	if err == nil && revision.Digest == "" {
		err = sources.Errorf(sources.Invalid, "%s answers without a digest", location)
	}
	return revision, err
}

func (c *Controller) notSupported(kind Kind) error {
	supported := make([]string, 0, len(c.resolvers))
	for _, k := range slices.Sorted(maps.Keys(c.resolvers)) {
		supported = append(supported, "template.spec.source."+string(k))
	}
	return sources.Errorf(sources.Invalid,
		"%w: this server cannot poll template.spec.source.%s. Supported are: %s. A digest that is set in the annotation %s is imported without a poll",
		errNotSupported, kind, strings.Join(supported, ", "), v1beta1.AnnSourceDesiredDigest)
}

// explain returns the reason and the message of a failed poll, for the user.
func explain(err error) (reason, message string) {
	var missing *access.Error
	switch {
	case errors.As(err, &missing):
		return missing.Reason, missing.Message
	case errors.Is(err, errNotSupported):
		return ReasonSourceNotSupported, sentence(err)
	case errors.Is(err, context.DeadlineExceeded):
		return ReasonUnreachable, fmt.Sprintf("No answer within %s: check that the registry and the network work (%v)", deadline, err)
	}
	return reasonOf(sources.KindOf(err)), sentence(err)
}

func sentence(err error) string {
	if e, ok := errors.AsType[*sources.Error](err); ok {
		return e.Message
	}
	return err.Error()
}

func reasonOf(kind sources.Kind) string {
	switch kind {
	case sources.RateLimited:
		return ReasonRateLimited
	case sources.Unreachable:
		return ReasonUnreachable
	case sources.Certificate:
		return ReasonCertificateNotTrusted
	case sources.Unauthorized:
		return ReasonUnauthorized
	case sources.NotFound:
		return ReasonSourceNotFound
	case sources.Invalid:
		return ReasonSourceInvalid
	case sources.Transient, sources.Mismatch, sources.NoDisk:
	}
	return ReasonPollFailed
}

// wish returns when the source that failed asked to be tried again, zero if it did not.
func wish(err error) time.Time {
	if e, ok := errors.AsType[*sources.Error](err); ok {
		return e.NotBefore
	}
	return time.Time{}
}

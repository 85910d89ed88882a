// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"cmp"
	"context"
	"runtime"
	"strings"
	"time"

	"goldenimage.dev/pkg/apis/cdi/reference"
	"goldenimage.dev/pkg/sources"
)

// Options bound how long a registry is waited for. The zero value takes the defaults.
type Options struct {
	// RequestTimeout bounds Resolve, and each manifest and configuration that Open reads;
	// 0 means 30 s.
	RequestTimeout time.Duration
	// StallTimeout is how long a registry may be silent in the middle of a blob; 0 means 60 s.
	StallTimeout time.Duration
	// RetryDelay is the pause before the first of the retries that Open makes; it doubles
	// with each. 0 means 1 s.
	RetryDelay time.Duration
	// Observe is told of each HTTP exchange, those for tokens included; nil means nobody.
	Observe sources.Observer
}

func (o Options) withDefaults() Options {
	for value, standard := range map[*time.Duration]time.Duration{
		&o.RequestTimeout: 30 * time.Second,
		&o.StallTimeout:   60 * time.Second,
		&o.RetryDelay:     time.Second,
	} {
		if *value <= 0 {
			*value = standard
		}
	}
	return o
}

// A Resolver asks registries for the digests of tags. It keeps connections, tokens and what
// indexes hold between calls, and is safe for concurrent use. It does not retry: its caller
// knows when to ask again.
type Resolver struct {
	options  Options
	sessions *sessions
	children *children
}

var _ sources.Resolver = (*Resolver)(nil)

// NewResolver returns a Resolver. Close it to end its idle connections.
func NewResolver(o Options) *Resolver {
	o = o.withDefaults()
	return &Resolver{options: o, sessions: newSessions(o), children: newChildren(maxChildren)}
}

// Close ends connections that are kept for later calls.
func (r *Resolver) Close() { r.sessions.close() }

// Resolve returns what location, a docker:// URL or an image's name, is now. The Revision's
// Digest is what the tag names; Content and Platform are those of the image for
// Access.Architecture if that is an index, and empty if it is an image. Location is
// host/repository@digest; Size is not known. All errors are sources.Errors.
func (r *Resolver) Resolve(ctx context.Context, query sources.Query) (sources.Revision, error) {
	ref, err := parse(query.Location)
	if err != nil {
		return sources.Revision{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.options.RequestTimeout)
	defer cancel()
	revision, reused, err := r.ask(ctx, ref, query)
	if reused && sources.KindOf(err) == sources.Unauthorized {
		// The kept session may authenticate in a way that the registry has left since; a new
		// one asks it how.
		revision, _, err = r.ask(ctx, ref, query)
	}
	return revision, err
}

func (r *Resolver) ask(ctx context.Context, ref reference.Reference, query sources.Query) (revision sources.Revision, reused bool, err error) {
	c, err := r.sessions.connect(ctx, ref, query.Access)
	if err != nil {
		return sources.Revision{}, false, err
	}
	l := lookup{client: c, known: query.Known, architecture: cmp.Or(query.Access.Architecture, runtime.GOARCH)}
	digest, found, err := r.find(ctx, l)
	if err == nil && found.offered != "" {
		err = found.missing(sources.Invalid, ref, l.architecture)
	}
	if err != nil {
		return sources.Revision{}, c.reused, c.failure(err)
	}
	return sources.Revision{Digest: digest, Content: found.digest, Location: ref.Pin(digest).String(), Platform: found.platform}, c.reused, nil
}

// parse reads a location. Its error is a sources.Error.
func parse(location string) (reference.Reference, error) {
	read := reference.ParseName
	if strings.Contains(location, "://") || strings.HasPrefix(location, "oci-archive:") {
		read = reference.Parse
	}
	ref, err := read(location)
	if err != nil {
		return ref, sources.Errorf(sources.Invalid, "%w", err)
	}
	if ref.Transport() != reference.Docker {
		return ref, sources.Errorf(sources.Invalid, "%s is a file, which a cluster cannot read: push the image to a registry and give docker://host/repository:tag", ref)
	}
	return ref, nil
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"time"

	"goldenimage.dev/pkg/sources"
)

// Options bound how long a server is waited for. The zero value takes the defaults.
type Options struct {
	// RequestTimeout bounds Resolve; 0 means 30 s.
	RequestTimeout time.Duration
	// StallTimeout is how long a server may be silent in the middle of a file; 0 means 60 s.
	StallTimeout time.Duration
	// RetryDelay is the pause before the first of the retries that an Opener makes; it
	// doubles with each. 0 means 1 s.
	RetryDelay time.Duration
	// Observe is told of each request; nil is nobody.
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

// A Resolver asks web servers whether files have changed. It keeps connections between calls,
// and is safe for concurrent use. It does not retry: its caller knows when to ask again.
type Resolver struct {
	options    Options
	transports *transports
}

var _ sources.Resolver = (*Resolver)(nil)

// NewResolver returns a Resolver. Close it to end its idle connections.
func NewResolver(o Options) *Resolver {
	return &Resolver{options: o.withDefaults(), transports: &transports{}}
}

// Close ends connections that are kept for later calls.
func (r *Resolver) Close() { r.transports.close() }

// Resolve returns what the file at an http:// or https:// URL is now. If it is Known, that takes
// one request. The Revision's Size is that of the file. All errors are sources.Errors.
func (r *Resolver) Resolve(ctx context.Context, query sources.Query) (sources.Revision, error) {
	target, err := parseURL(query.Location)
	if err != nil {
		return sources.Revision{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.options.RequestTimeout)
	defer cancel()
	c, err := newClient(r.transports, r.options, target, query.Access)
	if err != nil {
		return sources.Revision{}, err
	}
	found, err := c.head(ctx)
	if err != nil {
		return sources.Revision{}, c.failure(err)
	}
	revision := sources.Revision{Digest: found.identity(), Size: found.length}
	if known := query.Known; revision.Digest != "" && revision.Digest == known.Digest {
		revision.Content = known.Content
	} else if revision.Content, err = c.published(ctx, found); err != nil {
		return sources.Revision{}, c.failure(err)
	}
	for _, other := range []string{revision.Content, found.tagDigest()} {
		if revision.Digest == "" {
			revision.Digest = other
		}
	}
	if revision.Digest == "" {
		return sources.Revision{}, sources.Errorf(sources.Invalid,
			"%s cannot be polled: its server gives neither an ETag nor Last-Modified with a length, and there is no checksum file beside it, such as %s.sha256 or SHA256SUMS",
			shown(target), baseName(target))
	}
	revision.Location = Pin(target.String(), revision.Digest, revision.Content)
	return revision, nil
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"encoding/json"
	"strings"

	"goldenimage.dev/pkg/sources"
)

// A lookup is one question for a registry.
type lookup struct {
	client       *client
	known        sources.Revision
	architecture string
}

// find returns the digest that the identifier names, and what it holds for the architecture. It
// asks for the digest alone, and for the document only if that does not tell all.
func (r *Resolver) find(ctx context.Context, l lookup) (digest string, found child, err error) {
	ref := l.client.ref
	said, err := l.client.headManifest(ctx, ref.Identifier())
	switch {
	case err != nil:
		return "", child{}, err
	case said.digest == "", ref.Digest() != "" && said.digest != ref.Digest():
		return l.read(ctx)
	case said.mediaType.IsImage():
		return said.digest, child{}, nil
	}
	if known, ok := l.fromKnown(said.digest); ok {
		return said.digest, known, nil
	}
	key := childKey{registry: ref.Registry(), repository: ref.Repository(), digest: said.digest, architecture: l.architecture}
	found, err = r.children.get(ctx, key, func() (child, error) { return l.readIndex(ctx, said.digest) })
	if err != nil || !found.misnamed {
		return said.digest, found, err
	}
	digest, found, err = l.read(ctx)
	if err == nil && digest == said.digest {
		// It was true after all, as when the document arrived damaged.
		r.children.put(key, found)
	}
	return digest, found, err
}

// fromKnown returns what the caller knows of a digest, if it does and asks for the same
// architecture. It is not of a document that is no index: an older answer did not tell.
func (l lookup) fromKnown(digest string) (child, bool) {
	parts := strings.Split(l.known.Platform, "/")
	if l.known.Digest != digest || !validDigest.MatchString(l.known.Content) || len(parts) < 2 || parts[1] != l.architecture {
		return child{}, false
	}
	return child{digest: l.known.Content, platform: l.known.Platform}, true
}

// readIndex reads the document that a digest names, and returns a misnamed child if the registry
// has none or another.
func (l lookup) readIndex(ctx context.Context, digest string) (child, error) {
	content, kind, _, err := l.client.manifest(ctx, digest)
	if err != nil {
		failure := l.client.failure(err)
		if k := sources.KindOf(failure); l.client.ref.Digest() == "" && (k == sources.Mismatch || k == sources.NotFound) {
			return child{misnamed: true}, nil
		}
		return child{}, failure
	}
	if !kind.IsIndex() {
		return child{}, nil
	}
	return chooseImage(l.client.ref, content, l.architecture)
}

// read reads what the identifier names now and hashes it, for registries that do not give its
// digest or give a wrong one.
func (l lookup) read(ctx context.Context) (digest string, found child, err error) {
	content, kind, digest, err := l.client.manifest(ctx, l.client.ref.Identifier())
	if err != nil {
		return "", child{}, err
	}
	// Nothing else tells that the document is not whole.
	if !json.Valid(content) {
		return "", child{}, sources.Errorf(sources.Invalid, "the manifest of %s is malformed: it is no JSON document, or not all of one", l.client.ref)
	}
	if kind.IsIndex() {
		found, err = chooseImage(l.client.ref, content, l.architecture)
	}
	return digest, found, err
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"goldenimage.dev/pkg/apis/cdi/reference"
	"goldenimage.dev/pkg/sources"
)

// maxDocument bounds manifests and configurations, in bytes. Registries refuse manifests
// above 4 MiB.
const maxDocument = 4 << 20

// acceptManifests is everything that a tag may name. A registry that misses the type of what
// it holds in the list may convert it, which changes the digest, or answer 404.
var acceptManifests = strings.Join([]string{
	string(types.OCIImageIndex), string(types.DockerManifestList),
	string(types.OCIManifestSchema1), string(types.DockerManifestSchema2),
	string(types.DockerManifestSchema1Signed), string(types.DockerManifestSchema1),
}, ",")

var validDigest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// A client reads one repository with one credential.
type client struct {
	call
	lease
	sessions *sessions
}

// connect returns a client of the reference's repository, reusing what earlier clients left.
func (s *sessions) connect(ctx context.Context, ref reference.Reference, access sources.Access) (*client, error) {
	auth, err := credential(ref, access)
	if err != nil {
		return nil, err
	}
	c := &client{sessions: s, call: call{ref: ref, authenticated: auth != (authn.AuthConfig{}), notes: &notes{}}}
	c.lease, err = s.get(withNotes(ctx, c.notes), ref, auth, access)
	return c, c.failure(err)
}

// url of a manifest or blob. Its scheme is changed on the way to a registry without TLS.
func (c *client) url(kind, identifier string) string {
	return "https://" + c.ref.Registry() + "/v2/" + c.ref.Repository() + "/" + kind + "/" + identifier
}

func (c *client) do(ctx context.Context, method, url string, header http.Header) (*http.Response, error) {
	request, err := http.NewRequestWithContext(withNotes(ctx, c.notes), method, url, nil)
	if err != nil {
		return nil, err
	}
	maps.Copy(request.Header, header)
	response, err := c.http.Do(request)
	if err != nil {
		if ctx.Err() == nil {
			c.endpoint.doubt(c.challenge)
		}
		return nil, err
	}
	switch response.StatusCode {
	case http.StatusUnauthorized:
		// The session's way to authenticate is out of date: the next one asks again.
		c.sessions.forget(c.lease)
	case http.StatusBadRequest, http.StatusForbidden:
		// This is also how a registry answers that has TLS by now, or stands behind another door.
		c.endpoint.doubt(c.challenge)
	}
	return response, nil
}

// A head is what a registry says of a manifest without sending it.
type head struct {
	// digest, "" if it gives none that is usable.
	digest string
	// mediaType, "" if it gives none.
	mediaType types.MediaType
}

// headManifest asks what an identifier names. Of a registry that does not tell, or knows no
// HEAD, it returns the zero head.
func (c *client) headManifest(ctx context.Context, identifier string) (head, error) {
	response, err := c.do(ctx, http.MethodHead, c.url("manifests", identifier), http.Header{"Accept": {acceptManifests}})
	if err != nil {
		return head{}, err
	}
	defer response.Body.Close() //nolint:errcheck // nothing was written
	switch response.StatusCode {
	case http.StatusOK:
		// Digests of a schema 1 manifest leave its signatures out: they are not over the bytes.
		kind := mediaType(response.Header.Get("Content-Type"))
		if kind.IsSchema1() {
			return head{}, errSchema1(c.ref)
		}
		digest := response.Header.Get("Docker-Content-Digest")
		if !validDigest.MatchString(digest) {
			return head{}, nil
		}
		return head{digest: digest, mediaType: kind}, nil
	case http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		// Some registries know no HEAD.
		return head{}, nil
	}
	return head{}, transport.CheckError(response, http.StatusOK)
}

// manifest returns a manifest, its media type and the digest of its bytes. When the
// identifier is a digest the bytes are those it names.
func (c *client) manifest(ctx context.Context, identifier string) (content []byte, kind types.MediaType, digest string, err error) {
	response, err := c.do(ctx, http.MethodGet, c.url("manifests", identifier), http.Header{"Accept": {acceptManifests}})
	if err != nil {
		return nil, "", "", err
	}
	defer response.Body.Close() //nolint:errcheck // nothing was written
	if err := transport.CheckError(response, http.StatusOK); err != nil {
		return nil, "", "", err
	}
	contentType := response.Header.Get("Content-Type")
	if mediaType(contentType).IsSchema1() {
		return nil, "", "", errSchema1(c.ref)
	}
	content, err = c.readDocument(response.Body, "manifest")
	if err != nil {
		return nil, "", "", err
	}
	digest = digestOf(content)
	if validDigest.MatchString(identifier) && digest != identifier {
		return nil, "", "", sources.Errorf(sources.Mismatch, "registry %s answers for %s with a manifest of digest %s", c.ref.Registry(), identifier, digest)
	}
	return content, documentType(content, contentType), digest, nil
}

// document returns a small blob, such as an image's configuration.
func (c *client) document(ctx context.Context, digest string) ([]byte, error) {
	response, err := c.do(ctx, http.MethodGet, c.url("blobs", digest), nil)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() //nolint:errcheck // nothing was written
	if err := transport.CheckError(response, http.StatusOK); err != nil {
		return nil, err
	}
	content, err := c.readDocument(response.Body, "configuration")
	if err != nil {
		return nil, err
	}
	if got := digestOf(content); got != digest {
		return nil, sources.Errorf(sources.Mismatch, "registry %s answers for %s with a blob of digest %s", c.ref.Registry(), digest, got)
	}
	return content, nil
}

func (c *client) readDocument(body io.Reader, what string) ([]byte, error) {
	var content bytes.Buffer
	n, err := content.ReadFrom(io.LimitReader(body, maxDocument+1))
	if err != nil {
		return nil, err
	}
	if n > maxDocument {
		return nil, sources.Errorf(sources.Invalid, "the %s of %s is larger than %d bytes", what, c.ref, maxDocument)
	}
	return content.Bytes(), nil
}

// blob opens a blob at an offset. It returns errNoRange if the registry cannot do that, and
// errNoMore if the blob ends there.
func (c *client) blob(ctx context.Context, digest string, offset int64) (io.ReadCloser, error) {
	header, want := http.Header{}, http.StatusOK
	if offset > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
		want = http.StatusPartialContent
	}
	response, err := c.do(ctx, http.MethodGet, c.url("blobs", digest), header)
	if err != nil {
		return nil, err
	}
	resumed := strings.HasPrefix(response.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", offset))
	switch {
	case offset > 0 && (response.StatusCode == http.StatusOK || response.StatusCode == http.StatusPartialContent && !resumed):
		err = errNoRange
	case response.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		err = errNoMore
	default:
		err = transport.CheckError(response, want)
	}
	if err != nil {
		return nil, errors.Join(err, response.Body.Close())
	}
	return response.Body, nil
}

func errSchema1(ref reference.Reference) error {
	return sources.Errorf(sources.Invalid, "%s has a manifest of Docker's schema 1, which is not supported: push it again with a current tool", ref)
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

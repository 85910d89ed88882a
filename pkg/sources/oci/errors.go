// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"goldenimage.dev/pkg/apis/cdi/reference"
	"goldenimage.dev/pkg/sources"
)

// secretField is where a user names credentials.
const secretField = "spec.template.spec.source.registry.secretRef (of a DataVolume: spec.source.registry.secretRef)"

// maxCause bounds how much of a cause's text goes into a message.
const maxCause = 300

// A call is what a failure needs to be told to a user.
type call struct {
	ref reference.Reference
	// authenticated tells that credentials were sent.
	authenticated bool
	notes         *notes
}

// failure turns an error of a call into a sources.Error.
func (c call) failure(err error) error {
	if err == nil {
		return nil
	}
	var known *sources.Error
	var status *transport.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &status):
		return c.statusFailure(status)
	case errors.Is(err, context.Canceled):
		return &sources.Error{Message: "reading " + c.ref.String() + " was canceled", Err: context.Canceled}
	}
	return c.networkFailure(err)
}

func (c call) networkFailure(err error) *sources.Error {
	registry := c.ref.Registry()
	var network *net.OpError
	var lookup *net.DNSError
	var refused *addressError
	var proxy *proxyError
	// The order matters: for a private address an error is often two, of which the second is
	// that plain HTTP is not allowed.
	switch certificate := certificateError(err); {
	case errors.As(err, &refused):
		return sources.Errorf(sources.Invalid, "registry %s is not read: %s: correct the URL, or add %s to the insecure registries if that is intended",
			registry, cleanText(refused.Error()), registry)
	case errors.As(err, &proxy):
		return sources.Errorf(sources.Unreachable, "registry %s cannot be reached: %s: correct spec.importProxy of the CDIConfig", registry, proxy.Error())
	case certificate != nil:
		return sources.Errorf(sources.Certificate, "the certificate of registry %s is not trusted: %s: put the authority's certificate in a ConfigMap named by certConfigMap",
			registry, clean(certificate))
	case errors.Is(err, http.ErrSchemeMismatch):
		return errNoTLS(registry)
	case isTimeout(err):
		return &sources.Error{
			Kind: sources.Unreachable, Message: "registry " + registry + " did not answer in time: check the network, a proxy or the registry itself", Err: context.DeadlineExceeded,
		}
	case errors.As(err, &lookup):
		return sources.Errorf(sources.Unreachable, "the name of registry %s cannot be looked up: %s: check the URL and the cluster's DNS", registry, clean(lookup))
	case errors.As(err, &network) && network.Op == "proxyconnect":
		return sources.Errorf(sources.Unreachable, "the proxy to registry %s cannot be reached: %s: check spec.importProxy of the CDIConfig", registry, clean(network.Err))
	case errors.As(err, &network) && network.Op == "dial":
		return sources.Errorf(sources.Unreachable, "registry %s cannot be reached: %s: check that it runs and that the network lets it through", registry, clean(network))
	case errors.Is(err, errPlainHTTP):
		return errNoTLS(registry)
	case errors.As(err, &network):
		return sources.Errorf(sources.Unreachable, "the connection to registry %s broke: %s: check that it runs and that the network lets it through", registry, clean(network))
	}
	return sources.Errorf(sources.Transient, "reading %s from its registry: %s", c.ref, clean(err))
}

func errNoTLS(registry string) *sources.Error {
	return sources.Errorf(sources.Unreachable, "registry %s offers no TLS: add %s to the insecure registries if that is intended", registry, registry)
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errStalled) || errors.As(err, &timeout) && timeout.Timeout()
}

func (c call) statusFailure(status *transport.Error) *sources.Error {
	kind := c.statusKind(status)
	failure := &sources.Error{Kind: kind, NotBefore: c.notes.retryAt()}
	registry, detail := c.ref.Registry(), diagnostics(status)
	switch kind {
	case sources.Unauthorized:
		failure.Message = "registry " + registry + " refuses anonymous access to " + c.ref.Repository() + detail +
			": give " + secretField + " a Secret with accessKeyId and secretKey, or with .dockerconfigjson; check also that the repository exists"
		if c.authenticated {
			failure.Message = "registry " + registry + " refuses the credentials for " + c.ref.Repository() + detail +
				": correct the Secret of " + secretField
		}
	case sources.NotFound:
		failure.Message = "registry " + registry + " holds no image " + c.ref.Repository() + separator(c.ref) + c.ref.Identifier() + detail + ": check the repository and the tag"
	case sources.RateLimited:
		failure.Message = "registry " + registry + " limits the rate of requests" + detail +
			": it is asked again later; credentials in " + secretField + " often raise the limit"
	case sources.Unreachable:
		failure.Message = registry + " does not answer as a registry" + detail + ": check the URL"
	default:
		failure.Message = "registry " + registry + " failed to answer for " + c.ref.Repository() + detail
	}
	return failure
}

func (c call) statusKind(status *transport.Error) sources.Kind {
	// A code says more than the status, if it is one of these.
	kinds := map[transport.ErrorCode]sources.Kind{
		transport.UnauthorizedErrorCode:        sources.Unauthorized,
		transport.DeniedErrorCode:              sources.Unauthorized,
		transport.TooManyRequestsErrorCode:     sources.RateLimited,
		transport.ManifestUnknownErrorCode:     sources.NotFound,
		transport.NameUnknownErrorCode:         sources.NotFound,
		transport.BlobUnknownErrorCode:         sources.NotFound,
		transport.ManifestBlobUnknownErrorCode: sources.NotFound,
	}
	for _, d := range status.Errors {
		if kind, ok := kinds[d.Code]; ok {
			return kind
		}
	}
	switch status.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return sources.Unauthorized
	case http.StatusTooManyRequests:
		return sources.RateLimited
	case http.StatusNotFound:
		// Not the image but the registry's root or token service is missing.
		if status.Request != nil && !strings.Contains(status.Request.URL.Path, "/manifests/") && !strings.Contains(status.Request.URL.Path, "/blobs/") {
			return sources.Unreachable
		}
		return sources.NotFound
	}
	return sources.Transient
}

// diagnostics returns what the registry said in its own words, led by " (", or its status.
func diagnostics(status *transport.Error) string {
	var said []string
	for _, d := range status.Errors {
		if len(said) == 3 {
			break
		}
		said = append(said, strings.TrimSuffix(string(d.Code)+" "+d.Message, " "))
	}
	if len(said) == 0 {
		said = append(said, strings.ToLower(http.StatusText(status.StatusCode)))
	}
	return " (" + cleanText(strings.Join(said, "; ")) + ")"
}

// certificateError returns the part of an error that is about a certificate, nil if none is.
func certificateError(err error) error {
	var verification *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &verification):
		return verification
	case errors.As(err, &authority):
		return authority
	case errors.As(err, &host):
		return host
	case errors.As(err, &invalid):
		return invalid
	}
	return nil
}

var (
	// query is the part of a URL where tokens and signatures are.
	query = regexp.MustCompile(`\?[^\s"']*`)
	// userinfo is where a password may be.
	userinfo = regexp.MustCompile(`//[^/\s"']*@`)
)

// clean returns an error's text without URLs that may hold signatures, bounded and printable.
func clean(err error) string {
	var wrapped *url.Error
	for errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return cleanText(err.Error())
}

func cleanText(text string) string {
	text = userinfo.ReplaceAllString(query.ReplaceAllString(text, "?…"), "//…@")
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if len(text) > maxCause {
		text = strings.ToValidUTF8(text[:maxCause], "") + "…"
	}
	return text
}

// separator is what stands between the name of an image and its tag or digest.
func separator(ref reference.Reference) string {
	if ref.Digest() != "" {
		return "@"
	}
	return ":"
}

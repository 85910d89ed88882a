// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"goldenimage.dev/pkg/sources"
)

const (
	// maxCause bounds how much of a cause's text goes into a message.
	maxCause = 300
	// maxRetryAfter bounds how long a server may keep us away.
	maxRetryAfter = 24 * time.Hour
)

// failure turns an error of a request into a sources.Error.
func (c *client) failure(err error) error {
	host := c.target.Host
	var network *net.OpError
	var lookup *net.DNSError
	var certificate *tls.CertificateVerificationError
	var redirect *redirectError
	var address *addressError
	if known, ok := errors.AsType[*sources.Error](err); ok || err == nil {
		if !ok {
			return nil
		}
		return known
	}
	switch {
	case errors.Is(err, context.Canceled):
		return &sources.Error{Message: "reading " + shown(c.target) + " was canceled", Err: context.Canceled}
	case errors.As(err, &redirect):
		return sources.Errorf(sources.Unreachable, "%s cannot be read: %s, which is not followed: give the URL that it leads to", shown(c.target), cleanText(redirect.why))
	case errors.As(err, &certificate):
		return sources.Errorf(sources.Certificate, "the certificate of server %s is not trusted: %s: put the authority's certificate in a ConfigMap named by certConfigMap",
			host, clean(certificate))
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, new(tls.RecordHeaderError)):
		return sources.Errorf(sources.Unreachable, "server %s offers no TLS: give an http:// URL if that is intended", host)
	case errors.As(err, &address):
		return sources.Errorf(sources.Unreachable, "server %s cannot be reached: %s: check the URL", host, address)
	case isTimeout(err):
		return &sources.Error{
			Kind: sources.Unreachable, Message: "server " + host + " did not answer in time: check the network, a proxy or the server itself", Err: context.DeadlineExceeded,
		}
	case errors.As(err, &lookup):
		return sources.Errorf(sources.Unreachable, "the name of server %s cannot be looked up: %s: check the URL and the cluster's DNS", host, clean(lookup))
	case errors.As(err, &network) && (network.Op == "dial" || network.Op == "proxyconnect"):
		return sources.Errorf(sources.Unreachable, "server %s cannot be reached: %s: check that it runs and that the network lets it through", host, clean(network))
	}
	return sources.Errorf(sources.Transient, "reading %s: %s", shown(c.target), clean(err))
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errStalled) || errors.As(err, &timeout) && timeout.Timeout()
}

// statusFailure is what a status that is no success means.
func (c *client) statusFailure(response *http.Response) *sources.Error {
	of, detail := shown(c.target), fmt.Sprintf(" (%d %s)", response.StatusCode, strings.ToLower(http.StatusText(response.StatusCode)))
	notBefore := retryAfter(response.Header.Get("Retry-After"), c.now())
	switch status := response.StatusCode; {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		if c.authenticated {
			return sources.Errorf(sources.Unauthorized, "server refuses the credentials for %s%s: correct the Secret that http.secretRef names, or the headers", of, detail)
		}
		return sources.Errorf(sources.Unauthorized,
			"server refuses anonymous access to %s%s: give http.secretRef a Secret with accessKeyId and secretKey, or http.secretExtraHeaders; check also that the file exists", of, detail)
	case status == http.StatusNotFound || status == http.StatusGone:
		return sources.Errorf(sources.NotFound, "%s does not exist%s: check the URL", of, detail)
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable && !notBefore.IsZero():
		failure := sources.Errorf(sources.RateLimited, "server %s asks to be left alone for a while%s: it is asked again later", c.target.Host, detail)
		failure.NotBefore = notBefore
		return failure
	case status == http.StatusProxyAuthRequired:
		return sources.Errorf(sources.Unreachable, "the proxy in front of %s refuses its credentials%s: correct the proxy's URL in the configuration", c.target.Host, detail)
	}
	return sources.Errorf(sources.Transient, "server failed to answer for %s%s", of, detail)
}

// retryAfter reads a Retry-After header, which is a number of seconds or a date. It returns the
// zero time if there is none or it is malformed.
func retryAfter(value string, now time.Time) time.Time {
	at, err := http.ParseTime(value)
	if seconds, numErr := strconv.ParseUint(value, 10, 31); numErr == nil {
		at, err = now.Add(time.Duration(seconds)*time.Second), nil
	}
	switch {
	case err != nil:
		return time.Time{}
	case at.Before(now):
		return now
	case at.After(now.Add(maxRetryAfter)):
		return now.Add(maxRetryAfter)
	}
	return at
}

// secrets are the parts of a URL where passwords, tokens and signatures are.
var secrets = regexp.MustCompile(`\?[^\s"']*|//[^\s/"']*@`)

// clean returns an error's text without URLs that may hold signatures, bounded and printable.
func clean(err error) string {
	var wrapped *url.Error
	for errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return cleanText(err.Error())
}

func cleanText(text string) string {
	text = secrets.ReplaceAllString(text, "…")
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

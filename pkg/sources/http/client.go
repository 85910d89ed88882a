// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"goldenimage.dev/pkg/sources"
)

// userAgent names the project to servers, the worker's requests included.
const userAgent = "golden-image-apiserver"

// A client reads one file with one credential.
type client struct {
	target *url.URL
	// authenticated tells that credentials or headers are sent.
	authenticated bool
	http          *http.Client
	now           func() time.Time
}

func newClient(t *transports, o Options, target *url.URL, access sources.Access) (*client, error) {
	base, err := t.get(access, time.Now())
	if err != nil {
		return nil, err
	}
	rt := &exchange{inner: base, origin: target, access: access, observe: o.Observe, stall: o.StallTimeout}
	return &client{
		target: target, authenticated: access.Username != "" || access.Password != "" || len(access.Header) > 0,
		http: &http.Client{Transport: rt, CheckRedirect: checkRedirect}, now: time.Now,
	}, nil
}

// do sends a request. A status that is neither a success nor among accepted is a failure.
func (c *client) do(ctx context.Context, method string, from *url.URL, header map[string]string, accepted ...int) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, from.String(), http.NoBody)
	if err != nil {
		return nil, err
	}
	// Digests and lengths are those of the file.
	request.Header.Set("Accept-Encoding", "identity")
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode/100 == 2 || slices.Contains(accepted, response.StatusCode) {
		return response, nil
	}
	_ = response.Body.Close() // what it says besides is not used
	return nil, c.statusFailure(response)
}

// head asks what the file is.
func (c *client) head(ctx context.Context) (answer, error) {
	response, err := c.do(ctx, http.MethodHead, c.target, nil,
		http.StatusMethodNotAllowed, http.StatusNotImplemented, http.StatusForbidden, http.StatusBadRequest)
	if err == nil && response.StatusCode/100 != 2 {
		// Some servers know no HEAD, and a signed URL is often good for GET alone.
		_ = response.Body.Close()
		response, err = c.do(ctx, http.MethodGet, c.target, map[string]string{"Range": "bytes=0-0"})
	}
	if err != nil {
		return answer{}, err
	}
	// Of a server that sends the whole file the rest is not read.
	_ = response.Body.Close()
	if err := checkPage(c.target, response); err != nil {
		return answer{}, err
	}
	return answerOf(c.target, response), nil
}

// published returns what a checksum file says of the file, as sha256:hex; "" if there is none
// that can be relied on.
func (c *client) published(ctx context.Context, found answer) (string, error) {
	for _, candidate := range checksumFiles(c.target) {
		sum, modified, err := c.checksumIn(ctx, candidate)
		if err != nil {
			return "", err
		}
		if sum == "" {
			continue
		}
		if !found.modified.IsZero() && modified.Before(found.modified) {
			// It may be of the file before; without a time it is before all.
			return "", nil
		}
		return sum, nil
	}
	return "", nil
}

// checksumIn reads one checksum file, which need not exist.
func (c *client) checksumIn(ctx context.Context, file checksumFile) (sum string, modified time.Time, err error) {
	response, err := c.do(ctx, http.MethodGet, file.url, nil)
	switch sources.KindOf(err) { //nolint:exhaustive // the others are failures
	case sources.NotFound, sources.Unauthorized:
		// Some servers answer like this for what is not there.
		return "", time.Time{}, nil
	}
	if err != nil {
		return "", time.Time{}, err
	}
	defer response.Body.Close() //nolint:errcheck // it reads only
	content, err := io.ReadAll(io.LimitReader(response.Body, maxChecksumFile+1))
	if err != nil {
		return "", time.Time{}, err
	}
	if len(content) > maxChecksumFile || checkPage(c.target, response) != nil {
		return "", time.Time{}, nil
	}
	return file.find(string(content), baseName(c.target)), answerOf(file.url, response).modified, nil
}

// Bounds of redirects.
const maxRedirects = 10

// errRedirect is a redirect that is not followed.
var errRedirect = errors.New("redirect refused")

type redirectError struct{ why string }

func (e *redirectError) Error() string { return e.why }

func (e *redirectError) Unwrap() error { return errRedirect }

// checkRedirect refuses to be sent from TLS to plain HTTP, and to this machine.
func checkRedirect(request *http.Request, via []*http.Request) error {
	// It would tell a mirror the query of the URL, which may be a signature.
	request.Header.Del("Referer")
	host, last := request.URL.Hostname(), via[len(via)-1].URL
	switch {
	case len(via) >= maxRedirects:
		return &redirectError{"it redirects too often"}
	case last.Scheme == "https" && request.URL.Scheme != "https":
		return &redirectError{"it redirects from TLS to " + request.URL.Scheme + "://" + request.URL.Host}
	case request.URL.User != nil:
		return &redirectError{"it redirects to a URL with a user name"}
	case host != via[0].URL.Hostname() && local(host):
		return &redirectError{"it redirects to " + request.URL.Host}
	}
	return nil
}

// baseName is the file's name as checksum files have it.
func baseName(target *url.URL) string {
	return target.Path[strings.LastIndexByte(target.Path, '/')+1:]
}

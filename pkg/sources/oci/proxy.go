// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpproxy"

	"goldenimage.dev/pkg/sources"
)

// A proxyError is a proxy's refusal to connect to a registry. It does not hold the proxy's URL.
type proxyError struct{ status int }

func (e *proxyError) Error() string {
	return fmt.Sprintf("the proxy answers %d %s", e.status, strings.ToLower(http.StatusText(e.status)))
}

// proxyFunc returns which proxy a request goes through, if any.
func proxyFunc(p sources.Proxy) (func(*http.Request) (*url.URL, error), error) {
	if p == (sources.Proxy{}) {
		return http.ProxyFromEnvironment, nil
	}
	for field, value := range map[string]string{"HTTPProxy": p.HTTP, "HTTPSProxy": p.HTTPS} {
		if !validProxy(value) {
			// The value may hold a password.
			return nil, sources.Errorf(sources.Invalid, "spec.importProxy.%s of the CDIConfig is not a URL such as http://proxy.example:3128", field)
		}
	}
	choose := (&httpproxy.Config{HTTPProxy: p.HTTP, HTTPSProxy: p.HTTPS, NoProxy: p.No}).ProxyFunc()
	return func(request *http.Request) (*url.URL, error) { return choose(request.URL) }, nil
}

// validProxy tells whether the library takes a value for a proxy. It would go without one.
func validProxy(value string) bool {
	if value == "" {
		return true
	}
	if !strings.Contains(value, "://") {
		value = "http://" + value
	}
	u, err := url.Parse(value)
	return err == nil && u.Hostname() != "" && slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme)
}

// onProxyResponse makes a typed error of what is a bare text otherwise.
func onProxyResponse(_ context.Context, _ *url.URL, _ *http.Request, response *http.Response) error {
	if response.StatusCode != http.StatusOK {
		return &proxyError{status: response.StatusCode}
	}
	return nil
}

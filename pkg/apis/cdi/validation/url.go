// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"goldenimage.dev/pkg/apis/cdi"
)

// Schemes of the URLs of web servers and buckets.
const (
	schemeHTTP  = "http"
	schemeHTTPS = "https"
	schemeGS    = "gs"
)

const acceptedHost = "accepted is host[:port], such as registry.example:5000, without a scheme or path"

// validateProxy checks how sources are reached. A proxy's URL may hold a password; no error
// repeats it.
func validateProxy(proxy *cdi.ImportProxy, path *field.Path) field.ErrorList {
	if proxy == nil {
		return nil
	}
	errs := validateProxyURL(proxy.HTTPProxy, path.Child("HTTPProxy"))
	errs = append(errs, validateProxyURL(proxy.HTTPSProxy, path.Child("HTTPSProxy"))...)
	if list := deref(proxy.NoProxy); strings.ContainsAny(list, "\n\r") {
		errs = append(errs, field.Invalid(path.Child("noProxy"), shorten(list), "must be one line: hosts and networks, separated by commas"))
	}
	return append(errs, optionalName(deref(proxy.TrustedCAProxy), path.Child("trustedCAProxy"), badConfigMap)...)
}

// validateProxyURL checks the URL of a proxy. An empty one is none.
func validateProxyURL(text *string, path *field.Path) field.ErrorList {
	if deref(text) == "" {
		return nil
	}
	const message, accepted = "URL of the proxy is not valid", ": accepted is http://host[:port] or https://host[:port]"
	parsed, err := url.Parse(*text)
	switch {
	case err != nil, parsed.Host == "", parsed.Hostname() == "":
		return field.ErrorList{field.Invalid(path, visibleURL(*text), message+accepted)}
	case parsed.Scheme != schemeHTTP && parsed.Scheme != schemeHTTPS:
		return field.ErrorList{field.Invalid(path, visibleURL(*text), message+": its scheme is neither http nor https"+accepted)}
	}
	return nil
}

// visibleURL returns of a URL what an error may repeat: nothing that may be a password, nor
// the query, which may be a signature. What stands before an @ in a path is lost with them.
func visibleURL(text string) string {
	if i := strings.LastIndexByte(text, '@'); i >= 0 {
		text = "…" + text[i:]
	}
	if before, _, found := strings.Cut(text, "?"); found {
		text = before + "?…"
	}
	return shorten(text)
}

func validateRegistryHosts(hosts []string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, host := range hosts {
		if cause := hostFault(host); cause != "" {
			errs = append(errs, field.Invalid(path.Index(i), visibleURL(host), "registry is not valid: "+cause+": "+acceptedHost))
		}
	}
	return errs
}

// hostFault returns what is wrong with a host[:port], "" if nothing is.
func hostFault(text string) string {
	switch {
	case text == "":
		return "it is empty"
	case strings.Contains(text, "://"):
		return "it has a scheme"
	case strings.Contains(text, "@"):
		return "it has a user name"
	case strings.ContainsAny(text, "/?#"):
		return "it has a path"
	}
	host, port := text, ""
	if i := strings.LastIndexByte(text, ':'); i > strings.LastIndexByte(text, ']') {
		host, port = text[:i], text[i+1:]
		if number, err := strconv.ParseUint(port, 10, 16); err != nil || number == 0 {
			return "its port is not a number from 1 to 65535"
		}
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, closed := strings.CutSuffix(inner, "]")
		address, err := netip.ParseAddr(inner)
		if err != nil || !closed || !address.Is6() || address.Zone() != "" {
			return "its address is not of IPv6"
		}
		return ""
	}
	if len(validation.IsDNS1123Subdomain(strings.ToLower(host))) > 0 {
		return "its host is neither a name nor an address"
	}
	return ""
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"errors"
	"net/netip"
	"testing"

	"goldenimage.dev/pkg/sources"
)

func TestAddressesThatAreRefused(t *testing.T) {
	for address, want := range map[string]bool{
		"169.254.169.254": true, "::ffff:169.254.169.254": true, "64:ff9b::a9fe:a9fe": true, "fe80::1%eth0": true,
		"fd00:ec2::254": true, "168.63.129.16": true, "0.0.0.0": true, "224.0.0.1": true,
		"127.0.0.1": false, "10.0.0.1": false, "192.0.2.1": false, "64:ff9b::c000:201": false, "2001:db8::1": false,
	} {
		t.Run(address, func(t *testing.T) {
			ip := netip.MustParseAddr(address)
			dial := refuseDial(t.Context(), "tcp", netip.AddrPortFrom(ip, 80).String(), nil)
			host := refuseHost(address)
			if refused(ip) != want || (dial != nil) != want || (host != nil) != want {
				t.Errorf("dial: %v, host: %v", dial, host)
			}
		})
	}
}

// TestAProxyIsNotAskedForThem lets a proxy connect in our place.
func TestAProxyIsNotAskedForThem(t *testing.T) {
	proxy := newSite(t, false)
	access := sources.Access{Proxy: sources.Proxy{HTTP: proxy.URL}}
	_, err := newResolver(t).Resolve(t.Context(), sources.Query{Location: "http://169.254.169.254/disk", Access: access})
	if known, ok := errors.AsType[*sources.Error](err); !ok || known.Kind != sources.Unreachable || len(proxy.requests()) > 0 {
		t.Errorf("got %v", err)
	}
}

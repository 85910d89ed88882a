// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
)

// localhost is this machine by name.
const localhost = "localhost"

var (
	// metadata are the services that give a cloud's credentials to its machines and are not
	// link-local.
	metadata = []netip.Addr{
		netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("fd20:ce::254"),
		netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("168.63.129.16"), netip.MustParseAddr("192.0.0.192"),
	}
	// nat64 holds IPv4 addresses in its last four bytes.
	nat64 = netip.MustParsePrefix("64:ff9b::/96")
)

// An addressError is about an address that no registry has, and that whoever may name a registry
// may not read.
type addressError struct{ host string }

func (e *addressError) Error() string {
	return e.host + " is an address of a single machine or of a cloud's metadata service"
}

// forbidden tells whether an address is link-local, that of a cloud's metadata, or none.
func forbidden(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	if nat64.Contains(ip) {
		bytes := ip.As16()
		ip = netip.AddrFrom4([4]byte(bytes[12:]))
	}
	return ip.IsLinkLocalUnicast() || ip.IsUnspecified() || slices.Contains(metadata, ip)
}

// checkAddress refuses to connect. It is called with the address that a name was looked up as,
// so that a name server cannot get around it.
func checkAddress(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if forbidden(at.Addr()) {
		return &addressError{host: at.Addr().String()}
	}
	return nil
}

// checkHost refuses the host of a request: a proxy would connect in our place. To this machine
// may go what is meant for a registry on it, not what a registry elsewhere sends there.
func checkHost(host, registry string) error {
	if ip, err := netip.ParseAddr(host); err == nil && forbidden(ip) {
		return &addressError{host: host}
	}
	if host != registry && local(host) && !local(registry) {
		return &addressError{host: host}
	}
	return nil
}

// local tells whether a host is this machine, by its name or address.
func local(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == localhost || err == nil && ip.Unmap().IsLoopback()
}

// checkRedirect refuses to be sent to this machine or to a cloud's metadata service. Other
// private addresses are where on-site registries keep their blobs.
func checkRedirect(request *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return errors.New("more than 10 redirects")
	}
	host := request.URL.Hostname()
	if host == via[0].URL.Hostname() {
		return nil
	}
	if ip, err := netip.ParseAddr(host); local(host) || err == nil && forbidden(ip) {
		return fmt.Errorf("the registry redirects to %s, which is refused", host)
	}
	return nil
}

// hostOf returns the host of host[:port].
func hostOf(registry string) string {
	if host, _, err := net.SplitHostPort(registry); err == nil {
		return host
	}
	return registry
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"syscall"
)

// addressError is about an address that no web server for everybody has.
type addressError struct{ host string }

func (e *addressError) Error() string {
	return e.host + " is an address of a single machine or of a cloud's metadata service, which are not read from"
}

// metadataServices are those of clouds whose addresses are not link-local.
func metadataServices() []netip.Addr {
	return []netip.Addr{
		netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("fd20:ce::254"),
		netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("168.63.129.16"), netip.MustParseAddr("192.0.0.192"),
	}
}

// refused tells whether an address is not connected to.
func refused(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	if netip.MustParsePrefix("64:ff9b::/96").Contains(ip) {
		// A translator makes it the IPv4 address at its end.
		whole := ip.As16()
		ip = netip.AddrFrom4([4]byte(whole[12:]))
	}
	return ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() || slices.Contains(metadataServices(), ip)
}

// refuseDial keeps what a name was looked up as from being such an address.
func refuseDial(_ context.Context, _, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("read address: %w", err)
	}
	if refused(at.Addr()) {
		return &addressError{host: at.Addr().String()}
	}
	return nil
}

// refuseHost does the same for addresses in URLs: a proxy would connect in our place.
func refuseHost(host string) error {
	if ip, err := netip.ParseAddr(host); err == nil && refused(ip) {
		return &addressError{host: host}
	}
	return nil
}

// local tells whether a host is this machine.
func local(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

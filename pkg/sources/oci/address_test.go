// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"goldenimage.dev/pkg/sources"
)

func TestForbiddenAddresses(t *testing.T) {
	for address, want := range map[string]bool{
		"169.254.169.254": true, "169.254.0.1": true, "::ffff:169.254.169.254": true, "64:ff9b::a9fe:a9fe": true,
		"fe80::1": true, "fe80::1%eth0": true, "fd00:ec2::254": true, "100.100.100.200": true, "0.0.0.0": true, "::": true,
		"127.0.0.1": false, "::1": false, "10.0.0.1": false, "192.168.1.1": false, "8.8.8.8": false, "64:ff9b::808:808": false, "fd00::1": false,
	} {
		if got := forbidden(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %t, want %t", address, got, want)
		}
	}
}

func TestHostsThatARegistryMaySendTo(t *testing.T) {
	for name, test := range map[string]struct {
		host, registry string
		refused        bool
	}{
		"the registry itself":                      {"quay.io", "quay.io", false},
		"another host":                             {"cdn.quay.io", "quay.io", false},
		"a private address":                        {"10.0.0.1", "quay.io", false},
		"a registry on this machine":               {"127.0.0.1", "127.0.0.1", false},
		"one on this machine and its other name":   {"localhost", "127.0.0.1", false},
		"this machine, for a registry elsewhere":   {"localhost", "quay.io", true},
		"its address, for a registry elsewhere":    {"127.0.0.1", "quay.io", true},
		"its IPv6 address":                         {"::1", "quay.io", true},
		"a cloud's metadata":                       {"169.254.169.254", "quay.io", true},
		"a cloud's metadata named as the registry": {"169.254.169.254", "169.254.169.254", true},
	} {
		t.Run(name, func(t *testing.T) {
			if err := checkHost(test.host, test.registry); (err != nil) != test.refused {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestResolveRefusesAddressesThatNoRegistryHas(t *testing.T) {
	for _, host := range []string{"169.254.169.254", "169.254.169.254:80", "[fe80::1]:5000", "[fd00:ec2::254]:80", "0.0.0.0:5000"} {
		t.Run(host, func(t *testing.T) {
			o := quick
			o.RequestTimeout = 5 * time.Second
			resolver := NewResolver(o)
			defer resolver.Close()
			_, err := resolver.Resolve(t.Context(), sources.Query{Location: "docker://" + host + "/a"})
			checkError(t, err, sources.Invalid, host, "insecure registries")
		})
	}
}

// A name that is looked up as such an address ends at the same place.
func TestAddressesAreCheckedWhenTheyAreConnectedTo(t *testing.T) {
	var refused *addressError
	for insecure, want := range map[bool]bool{false: true, true: false} {
		transport, err := newTransport(sources.Access{Insecure: insecure})
		if err != nil {
			t.Fatal(err)
		}
		connection, err := transport.DialContext(t.Context(), "tcp", "0.0.0.0:1")
		if err == nil {
			_ = connection.Close() // it should not be there
		}
		if got := errors.As(err, &refused); got != want {
			t.Errorf("insecure %t: got %v", insecure, err)
		}
	}
}

func TestAnInsecureRegistryMayBeAnywhere(t *testing.T) {
	o := quick
	o.RequestTimeout = 5 * time.Second
	resolver := NewResolver(o)
	defer resolver.Close()
	_, err := resolver.Resolve(t.Context(), sources.Query{Location: "docker://0.0.0.0:1/a", Access: sources.Access{Insecure: true}})
	checkError(t, err, sources.Unreachable, "0.0.0.0:1")
}

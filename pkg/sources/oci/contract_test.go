// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"goldenimage.dev/pkg/sources"
	"goldenimage.dev/pkg/sources/sourcestest"
	"goldenimage.dev/test/registry"
)

// quick keeps tests of failures short.
var quick = Options{RequestTimeout: 10 * time.Second, StallTimeout: 200 * time.Millisecond, RetryDelay: time.Millisecond}

// noise is a disk that does not compress, so that offsets in the blob mean something.
func noise(size int) []byte {
	content := make([]byte, size)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(content) // it never fails
	return content
}

func TestContract(t *testing.T) {
	for name, config := range map[string]registry.Config{
		"basic authentication":   {Username: "ada", Password: "hunter2"},
		"token authentication":   {Username: "ada", Password: "hunter2", Token: true},
		"plain HTTP, if allowed": {Username: "ada", Password: "hunter2", PlainHTTP: true},
	} {
		t.Run(name, func(t *testing.T) {
			sourcestest.Run(t, func(t *testing.T) sourcestest.Fixture { return fixture(t, config) })
		})
	}
}

func fixture(t *testing.T, config registry.Config) sourcestest.Fixture {
	r := registry.New(t, config)
	disk := noise(300 << 10)
	r.Push(t, "images/fedora", "latest", registry.ContainerDisk(t, "fedora.raw", disk))
	access := sources.Access{Username: "ada", Password: "hunter2", Insecure: config.PlainHTTP}
	if !config.PlainHTTP {
		access.CertificatesPEM = [][]byte{r.CertificatePEM()}
	}
	wrong := access
	wrong.Password = "letmein"
	resolver := NewResolver(quick)
	t.Cleanup(resolver.Close)
	patient := quick
	patient.StallTimeout = time.Minute
	return sourcestest.Fixture{
		Resolver:    resolver,
		Opener:      NewOpener(patient),
		Location:    r.URL("images/fedora", "latest"),
		Access:      access,
		Disk:        disk,
		Missing:     r.URL("images/fedora", "gone"),
		WrongAccess: &wrong,
		Change: func() {
			r.Push(t, "images/fedora", "latest", registry.ContainerDisk(t, "fedora.raw", bytes.ToUpper(disk)))
		},
		Corrupt:  func() { r.SetFaults(registry.Faults{BlobsFrom: 100 << 10, CorruptAt: 150 << 10}) },
		Truncate: func() { r.SetFaults(registry.Faults{BlobsFrom: 100 << 10, TruncateAt: 150 << 10}) },
		Stall:    func() { r.SetFaults(registry.Faults{BlobsFrom: 100 << 10, StallAfter: 150 << 10}) },
	}
}

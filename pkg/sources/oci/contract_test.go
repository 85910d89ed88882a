// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"goldenimage.dev/pkg/sources"
	"goldenimage.dev/pkg/sources/sourcestest"
	"goldenimage.dev/test/registry"
)

// quick keeps tests of failures short.
var quick = Options{RequestTimeout: 10 * time.Second, StallTimeout: 200 * time.Millisecond, RetryDelay: time.Millisecond}

// manifests is a part of the path of all requests for manifests.
const manifests = "/manifests/"

// noise is a disk that does not compress, so that offsets in the blob mean something.
func noise(size int) []byte {
	content := make([]byte, size)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(content) // it never fails
	return content
}

func TestContract(t *testing.T) {
	for name, test := range map[string]struct {
		config registry.Config
		index  bool
	}{
		"basic authentication":   {config: registry.Config{Username: "ada", Password: "hunter2"}},
		"token authentication":   {config: registry.Config{Username: "ada", Password: "hunter2", Token: true}},
		"plain HTTP, if allowed": {config: registry.Config{Username: "ada", Password: "hunter2", PlainHTTP: true}},
		"an index":               {config: registry.Config{Username: "ada", Password: "hunter2", Token: true}, index: true},
	} {
		t.Run(name, func(t *testing.T) {
			sourcestest.Run(t, func(t *testing.T) sourcestest.Fixture { return fixture(t, test.config, test.index) })
		})
	}
}

func fixture(t *testing.T, config registry.Config, index bool) sourcestest.Fixture {
	r := registry.New(t, config)
	push := func(disk []byte) {
		image := registry.ContainerDisk(t, "fedora.raw", disk)
		if !index {
			r.Push(t, "images/fedora", "latest", image)
			return
		}
		r.Push(t, "images/fedora", "latest", registry.NewIndex(t, map[string]v1.Image{runtime.GOARCH: image}))
	}
	disk := noise(300 << 10)
	push(disk)
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
		Change:      func() { push(bytes.ToUpper(disk)) },
		Silence:     func() { r.SetFaults(registry.Faults{Steps: []registry.Step{{Path: manifests, Stall: true}}}) },
		Cut:         func() { r.SetFaults(registry.Faults{NoHead: true, BreakManifestAt: 100}) },
		Oversize:    func() { r.SetFaults(registry.Faults{NoHead: true, EndlessManifest: true}) },
		Heal:        func() { r.SetFaults(registry.Faults{}) },
		Corrupt:     func() { r.SetFaults(registry.Faults{BlobsFrom: 100 << 10, CorruptAt: 150 << 10}) },
		Truncate:    func() { r.SetFaults(registry.Faults{BlobsFrom: 100 << 10, TruncateAt: 150 << 10}) },
		Stall:       func() { r.SetFaults(registry.Faults{BlobsFrom: 100 << 10, StallAfter: 150 << 10}) },
	}
}

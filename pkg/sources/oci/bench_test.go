// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"fmt"
	"testing"

	"goldenimage.dev/pkg/sources"
	"goldenimage.dev/test/registry"
)

// BenchmarkResolve is a poll of a tag that has not changed, on a session that is kept among
// others.
func BenchmarkResolve(b *testing.B) {
	r := registry.New(b, registry.Config{PlainHTTP: true})
	r.Push(b, fedora, "latest", registry.ContainerDisk(b, "disk.img", []byte("disk")))
	resolver := NewResolver(Options{})
	b.Cleanup(resolver.Close)
	for i := range 1000 {
		resolver.sessions.session(sessionKey{repository: fmt.Sprint(i)})
	}
	query := sources.Query{Location: r.URL(fedora, "latest"), Access: sources.Access{Insecure: true}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := resolver.Resolve(b.Context(), query); err != nil {
			b.Fatal(err)
		}
	}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package v1

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

const digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// TestGoldenFiles pins what the server and the worker say to each other: they may be of
// different versions while one of them is updated.
func TestGoldenFiles(t *testing.T) {
	for name, document := range map[string]any{
		"request-registry": &Request{
			Registry: &RegistrySource{Reference: "quay.io/kubevirt/fedora@" + digest, Architecture: "amd64", Insecure: true},
			Target:   Target{SizeBytes: 5 << 30},
		},
		"request-http": &Request{
			HTTP: &HTTPSource{
				URL: "https://images.example/fedora.qcow2", Digest: "etag:" + strings.TrimPrefix(digest, "sha256:"), Checksum: digest,
				Headers: []string{"X-Site: one"}, Insecure: true,
			},
			Target: Target{SizeBytes: 5 << 30},
		},
		"request-image": &Request{
			Image:  &ImageSource{Reference: "quay.io/kubevirt/fedora@" + digest},
			Target: Target{Block: true},
		},
		"request-clone": &Request{
			Clone:  &CloneSource{Block: true, Name: "golden-images/fedora-e3b0c44298fc"},
			Target: Target{SizeBytes: 5 << 30, Preallocate: true},
		},
		"progress": &Progress{Fraction: 0.125, BytesRead: 1 << 20, BytesWritten: 8 << 20},
		"result-done": &Result{
			Reason: ReasonDone, Digest: digest, VirtualSizeBytes: 4 << 30, Format: "qcow2", BytesRead: 300 << 20, BytesWritten: 4 << 30,
			Labels: map[string]string{"instancetype.kubevirt.io/default-instancetype": "u1.medium"},
		},
		"result-failed": &Result{Reason: ReasonNoDisk, Message: "quay.io/a/b has no disk"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := json.MarshalIndent(document, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, '\n')
			path := filepath.Join("testdata", name+".json")
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil { //nolint:gosec // it is checked in
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Error(diff)
			}
			checkDecodes(t, want, document)
		})
	}
}

func checkDecodes(t *testing.T, content []byte, want any) {
	t.Helper()
	var got any
	switch want.(type) {
	case *Request:
		got = &Request{}
	case *Result:
		got = &Result{}
	default:
		got = &Progress{}
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

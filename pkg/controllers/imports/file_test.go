// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/test/gen"
)

func fileCron(checksum string) *v1beta1.DataImportCron {
	return gen.DataImportCron(cronName, gen.WithSource(v1beta1.DataVolumeSource{HTTP: &v1beta1.DataVolumeSourceHTTP{
		URL: "https://images.example/fedora.qcow2", SecretRef: "login", Checksum: checksum,
	}}))
}

func TestFilesArePinned(t *testing.T) {
	digest, older := "etag:"+strings.Repeat("a", 64), "modified:"+strings.Repeat("b", 64)
	for name, test := range map[string]struct {
		// checksum that the user gave.
		checksum string
		found    *v1beta1.SourceRevision
		want     string
	}{
		"nothing was published with it": {found: &v1beta1.SourceRevision{Digest: digest}},
		"a checksum was published": {
			found: &v1beta1.SourceRevision{Digest: digest, ContentDigest: gen.Digest("c")}, want: gen.Digest("c"),
		},
		"the same content is published again": {
			found: &v1beta1.SourceRevision{Digest: older, ContentDigest: gen.Digest("c"), ImportDigest: digest}, want: gen.Digest("c"),
		},
		"the checksum is of something else": {
			found: &v1beta1.SourceRevision{Digest: older, ContentDigest: gen.Digest("c")},
		},
		"the user gave one": {
			checksum: "sha512:" + strings.Repeat("d", 128), want: "sha512:" + strings.Repeat("d", 128),
			found: &v1beta1.SourceRevision{Digest: digest, ContentDigest: gen.Digest("c")},
		},
		"nobody has polled": {},
	} {
		t.Run(name, func(t *testing.T) {
			cron := fileCron(test.checksum)
			cron.Status.Source = test.found
			got, err := newVolume(cron, importName(cron, digest, ""), digest, "", gen.Epoch())
			if err != nil {
				t.Fatal(err)
			}
			want := *cron.Spec.Template.Spec.Source.HTTP
			want.Checksum = test.want
			if diff := cmp.Diff(&want, got.Spec.Source.HTTP); diff != "" {
				t.Error(diff)
			}
			if got.Name != importA || got.Annotations[v1beta1.AnnSourceDigest] != digest {
				t.Errorf("%s of %v", got.Name, got.Annotations)
			}
			if cron.Spec.Template.Spec.Source.HTTP.Checksum != test.checksum {
				t.Error("the DataImportCron was changed")
			}
		})
	}
}

func TestDigestsOfFiles(t *testing.T) {
	for digest, ok := range map[string]bool{
		"etag:" + strings.Repeat("a", 64):     true,
		"modified:" + strings.Repeat("0", 64): true,
		gen.Digest("a"):                       true,
		"etag:" + strings.Repeat("a", 63):     false,
		"etag:" + strings.Repeat("A", 64):     false,
		"uid:0a1b2c3d-0000-4000-8000-0001":    false,
		"latest":                              false,
	} {
		t.Run(digest, func(t *testing.T) {
			if err := checkDigest(fileCron(""), digest); (err == nil) != ok {
				t.Errorf("got %v", err)
			}
		})
	}
}

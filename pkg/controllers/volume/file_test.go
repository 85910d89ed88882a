// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	importerv1 "goldenimage.dev/pkg/apis/importer/v1"
)

var testFileDigest = "etag:" + strings.Repeat("0123456789abcdef", 4)

const testFile = "https://images.example/fedora.qcow2"

// fileVolume is an import of a file on a web server.
func fileVolume(className string, modify ...func(*v1beta1.DataVolume)) *v1beta1.DataVolume {
	return importVolume(className, append([]func(*v1beta1.DataVolume){func(dv *v1beta1.DataVolume) {
		dv.Spec.Source = &v1beta1.DataVolumeSource{HTTP: &v1beta1.DataVolumeSourceHTTP{URL: testFile}}
	}}, modify...)...)
}

func TestTheFileThatWasFoundIsImported(t *testing.T) {
	for name, test := range map[string]struct {
		modify func(*v1beta1.DataVolume)
		want   importerv1.HTTPSource
		// digest that the claim is said to hold.
		digest string
	}{
		"of a DataVolume that somebody made": {want: importerv1.HTTPSource{URL: testFile}},
		"of a poll": {
			modify: func(dv *v1beta1.DataVolume) {
				metav1.SetMetaDataAnnotation(&dv.ObjectMeta, v1beta1.AnnSourceDigest, testFileDigest)
				dv.Spec.Source.HTTP.Checksum = testDigest
			},
			want: importerv1.HTTPSource{URL: testFile, Digest: testFileDigest, Checksum: testDigest}, digest: testFileDigest,
		},
		"by a digest that is none": {
			modify: func(dv *v1beta1.DataVolume) {
				metav1.SetMetaDataAnnotation(&dv.ObjectMeta, v1beta1.AnnSourceDigest, "uid:1")
			},
			want: importerv1.HTTPSource{URL: testFile}, digest: "uid:1",
		},
		"with all that a file may need": {
			modify: func(dv *v1beta1.DataVolume) {
				dv.Spec.Source.HTTP.ExtraHeaders, dv.Spec.Source.HTTP.InsecureSkipVerify = []string{"X-Site: one"}, new(true)
			},
			want: importerv1.HTTPSource{URL: testFile, Headers: []string{"X-Site: one"}, Insecure: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			modify := test.modify
			if modify == nil {
				modify = func(*v1beta1.DataVolume) {}
			}
			w := newWorld(t, append(infrastructure(), fileVolume("plain", modify))...)
			w.until(v1beta1.ImportInProgress)
			pods := w.allPods()
			if len(pods) != 1 {
				t.Fatalf("there are %d pods", len(pods))
			}
			var got importerv1.Request
			if err := json.Unmarshal([]byte(pods[0].Annotations[v1beta1.AnnRequest]), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&test.want, got.HTTP); diff != "" || got.Registry != nil {
				t.Errorf("request (-want +got):\n%s", diff)
			}
			for _, claim := range w.allClaims() {
				if digest := claim.Annotations[v1beta1.AnnSourceDigest]; digest != test.digest {
					t.Errorf("claim %s has digest %q", claim.Name, digest)
				}
			}
		})
	}
}

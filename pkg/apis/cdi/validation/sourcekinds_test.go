// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"goldenimage.dev/pkg/apis/cdi"
)

func TestValidateSourceURL(t *testing.T) {
	const (
		accepted = ": accepted are http, https and gs"
		scheme   = "spec.source Invalid source URL scheme: "
		other    = "spec.source Invalid source URL: "
	)
	for name, test := range map[string]struct {
		url  string
		want []fault
	}{
		"http is valid":                {"http://images.example/disk", nil},
		"https with a port is":         {"https://images.example:8443/disk.qcow2?version=1", nil},
		"a bucket is":                  {"gs://bucket/disk", nil},
		"a password is":                {"https://user:hunter2@images.example/disk", nil},
		"nothing":                      {"", []fault{required("spec.source.http.url", "spec.source source URL is empty: give one")}},
		"no scheme":                    {"images.example/disk", []fault{invalid("spec.source.http.url", other+"images.example/disk")}},
		"a path":                       {"/disk", []fault{invalid("spec.source.http.url", scheme+"/disk"+accepted)}},
		"another scheme":               {"ftp://images.example/disk", []fault{invalid("spec.source.http.url", scheme+"ftp://images.example/disk"+accepted)}},
		"an image":                     {"docker://quay.io/fedora", []fault{invalid("spec.source.http.url", scheme+"docker://quay.io/fedora"+accepted)}},
		"no host":                      {"http:///disk", []fault{invalid("spec.source.http.url", other+"http:///disk: it names no host")}},
		"a blank in the host":          {"http://images example/", []fault{invalid("spec.source.http.url", other+"http://images example/")}},
		"a port that is none":          {"http://images.example:x/", []fault{invalid("spec.source.http.url", other+"http://images.example:x/")}},
		"a control character":          {"http://images.example/\n", []fault{invalid("spec.source.http.url", other+"http://images.example/\n")}},
		"another scheme with a secret": {"ftp://user:hunter2@images.example/disk?sig=hunter2", []fault{invalid("spec.source.http.url", scheme+"…@images.example/disk?…"+accepted)}},
	} {
		t.Run(name, func(t *testing.T) {
			path := field.NewPath("spec", "source")
			compare(t, test.want, validateSourceURL(test.url, path, path.Child("http")))
		})
	}
}

func TestValidateChecksum(t *testing.T) {
	hex := func(n int) string { return strings.Repeat("0aF9", n/4) }
	for _, good := range []string{"", "md5:" + hex(32), "sha1:" + hex(40), "sha256:" + hex(64), "sha512:" + hex(128)} {
		compare(t, nil, validateChecksum(good, field.NewPath("checksum")))
	}
	for name, bad := range map[string]string{
		"no algorithm":             hex(64),
		"no digits":                "sha256:",
		"an algorithm of the past": "crc32:" + hex(8),
		"too few digits":           "sha256:" + hex(60),
		"too many digits":          "md5:" + hex(36),
		"what are no digits":       "md5:" + strings.Repeat("x", 32),
		"capitals":                 "SHA256:" + hex(64),
		"a blank":                  "md5:" + hex(32) + " ",
	} {
		t.Run(name, func(t *testing.T) {
			compare(t, []fault{invalid("checksum", "Invalid checksum format: "+bad+": accepted are md5:, sha1:, sha256: and sha512:, each with as many hex digits as it has")},
				validateChecksum(bad, field.NewPath("checksum")))
		})
	}
}

// Members of sources that are not supported are held to their rules all the same.
func TestFaultsOfSources(t *testing.T) {
	const (
		imageio = "spec.source.Imageio source Imageio is not valid: give "
		vddk    = "spec.source.VDDK source VDDK is not valid: give "
		noURL   = "spec.source source URL is empty: give one"
	)
	for name, test := range map[string]struct {
		source cdi.DataVolumeSource
		want   []fault
	}{
		"a file with all it may have": {cdi.DataVolumeSource{HTTP: &cdi.DataVolumeSourceHTTP{
			URL: "https://a", SecretRef: "a", CertConfigMap: "b", SecretExtraHeaders: []string{"c"}, ExtraHeaders: []string{"X: y"}, Checksum: "md5:" + strings.Repeat("0", 32),
		}}, nil},
		"a file whose names are none": {cdi.DataVolumeSource{HTTP: &cdi.DataVolumeSourceHTTP{URL: "https://a", SecretRef: "A", CertConfigMap: "B", SecretExtraHeaders: []string{"c", ""}, Checksum: "?"}}, []fault{
			invalid("spec.source.http.checksum", "Invalid checksum format: ?: accepted are md5:, sha1:, sha256: and sha512:, each with as many hex digits as it has"),
			invalid("spec.source.http.secretRef", "name of the Secret is not valid: "+badName),
			invalid("spec.source.http.certConfigMap", "name of the ConfigMap is not valid: "+badName),
			required("spec.source.http.secretExtraHeaders[1]", "name of the Secret is not valid: give a name"),
		}},
		"buckets whose names are none": {cdi.DataVolumeSource{S3: &cdi.DataVolumeSourceS3{URL: "https://a", SecretRef: "A", CertConfigMap: "B"}, GCS: &cdi.DataVolumeSourceGCS{URL: "gs://a", SecretRef: "A"}}, []fault{
			invalid("spec.source.s3.secretRef", "name of the Secret is not valid: "+badName),
			invalid("spec.source.s3.certConfigMap", "name of the ConfigMap is not valid: "+badName),
			invalid("spec.source.gcs.secretRef", "name of the Secret is not valid: "+badName),
		}},
		"an empty imageio": {cdi.DataVolumeSource{Imageio: &cdi.DataVolumeSourceImageIO{}}, []fault{
			required("spec.source.imageio.secretRef", imageio+"secretRef"),
			required("spec.source.imageio.diskId", imageio+"diskId"),
			required("spec.source.imageio.certConfigMap", imageio+"certConfigMap"),
			required("spec.source.imageio.url", noURL),
		}},
		"an imageio that is not verified needs no certificates": {cdi.DataVolumeSource{Imageio: &cdi.DataVolumeSourceImageIO{
			URL: "https://a", SecretRef: "a", DiskID: "b", InsecureSkipVerify: new(true),
		}}, nil},
		"one that is, needs them": {cdi.DataVolumeSource{Imageio: &cdi.DataVolumeSourceImageIO{URL: "https://a", SecretRef: "a", DiskID: "b", InsecureSkipVerify: new(false)}},
			[]fault{required("spec.source.imageio.certConfigMap", imageio+"certConfigMap")}},
		"an empty vddk": {cdi.DataVolumeSource{VDDK: &cdi.DataVolumeSourceVDDK{}}, []fault{
			required("spec.source.vddk.secretRef", vddk+"secretRef"), required("spec.source.vddk.uuid", vddk+"uuid"),
			required("spec.source.vddk.backingFile", vddk+"backingFile"), required("spec.source.vddk.thumbprint", vddk+"thumbprint"),
			required("spec.source.vddk.url", noURL),
		}},
		"a vddk whose names are none": {cdi.DataVolumeSource{VDDK: &cdi.DataVolumeSourceVDDK{URL: "https://a", SecretRef: "A", CertConfigMap: "B", UUID: "c", BackingFile: "[store] d", Thumbprint: "e"}}, []fault{
			invalid("spec.source.vddk.secretRef", "name of the Secret is not valid: "+badName),
			invalid("spec.source.vddk.certConfigMap", "name of the ConfigMap is not valid: "+badName),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			compare(t, test.want, faultsOf(sourceKinds(&test.source), field.NewPath("spec", "source")))
		})
	}
}

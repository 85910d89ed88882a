// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"regexp"

	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	importerv1 "goldenimage.dev/pkg/apis/importer/v1"
)

// A file is what an import reads from a web server.
type file struct {
	url string
	// digest that a poll found the file by; "" for whatever is there. Nobody asks the server
	// for it here: a worker that begins anew writes all of the volume anew.
	digest   string
	checksum string
	headers  []string
	// headerSecrets are mounted into the worker.
	headerSecrets []string
}

var fileDigest = regexp.MustCompile(`^(etag|modified|sha256):[0-9a-f]{64}$`)

// describeFile reads what the user wrote, and what a poll found.
func describeFile(dv *v1beta1.DataVolume) *image {
	source := dv.Spec.Source.HTTP
	found := &file{url: source.URL, checksum: source.Checksum, headers: source.ExtraHeaders, headerSecrets: source.SecretExtraHeaders}
	if digest := dv.Annotations[v1beta1.AnnSourceDigest]; fileDigest.MatchString(digest) {
		found.digest = digest
	}
	return &image{
		file: found, insecure: ptr.Deref(source.InsecureSkipVerify, false),
		secret: source.SecretRef, configMap: source.CertConfigMap,
	}
}

// request tells the worker of a file.
func (i *image) request() *importerv1.HTTPSource {
	return &importerv1.HTTPSource{
		URL: i.file.url, Digest: i.file.digest, Checksum: i.file.checksum, Headers: i.file.headers, Insecure: i.insecure,
	}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"encoding/json"
	"fmt"

	"k8s.io/utils/ptr"

	importerv1 "goldenimage.dev/pkg/apis/importer/v1"
)

// request returns the document that tells the worker what to do.
func request(in *input) (string, error) {
	r := importerv1.Request{Target: importerv1.Target{
		Block:       isBlock(in.fill()),
		SizeBytes:   requestedSize(in.volume),
		Preallocate: ptr.Deref(in.volume.Spec.Preallocation, false),
	}}
	switch {
	case in.kind == cloneClaim:
		r.Clone = &importerv1.CloneSource{Block: isBlock(in.source), Name: keyOf(in.source).String()}
	case in.image.file != nil:
		r.HTTP = in.image.request()
	case in.image.node:
		r.Image = &importerv1.ImageSource{Reference: in.image.ref.String()}
	default:
		r.Registry = &importerv1.RegistrySource{
			Reference: in.image.ref.String(), Architecture: in.image.architecture, Insecure: in.image.insecure,
		}
	}
	document, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("encode request: %w", err)
	}
	return string(document), nil
}

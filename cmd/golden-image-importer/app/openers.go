// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"

	importer "goldenimage.dev/pkg/apis/importer/v1"
	"goldenimage.dev/pkg/disk"
	"goldenimage.dev/pkg/sources/oci"
)

// An input is an open source.
type input struct {
	// name of the source, for the log.
	name   string
	source disk.Source
	// digest of the image, "" if it is not known.
	digest string
	labels map[string]string
	close  func() error
}

// An opener is a kind of source that the worker can read.
type opener struct {
	asked func(*importer.Request) bool
	open  func(context.Context, options, *importer.Request) (*input, error)
}

// openers are all kinds of sources.
func openers() []opener {
	return []opener{
		{asked: func(r *importer.Request) bool { return r.Registry != nil }, open: openRegistry},
		{asked: func(r *importer.Request) bool { return r.HTTP != nil }, open: openHTTP},
		{asked: func(r *importer.Request) bool { return r.Image != nil }, open: openImage},
		{asked: func(r *importer.Request) bool { return r.Clone != nil }, open: openClone},
	}
}

func open(ctx context.Context, o options, r *importer.Request) (*input, error) {
	for _, kind := range openers() {
		if kind.asked(r) {
			return kind.open(ctx, o, r)
		}
	}
	return nil, &badRequest{errors.New("it names no source")}
}

// openRegistry streams the disk of an image in a registry.
func openRegistry(ctx context.Context, o options, r *importer.Request) (*input, error) {
	access, err := readAccess(o)
	if err != nil {
		return nil, &badRequest{err}
	}
	access.Insecure, access.Architecture = r.Registry.Insecure, r.Registry.Architecture
	content, err := oci.NewOpener(oci.Options{}).Open(ctx, r.Registry.Reference, access)
	if err != nil {
		return nil, err
	}
	return &input{
		name:   r.Registry.Reference + " " + content.Name,
		source: disk.Source{Stream: content, Size: content.Size},
		digest: content.Digest,
		labels: content.Labels,
		close:  content.Close,
	}, nil
}

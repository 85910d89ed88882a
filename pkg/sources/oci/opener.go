// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"archive/tar"
	"context"
	"errors"
	"io"

	"goldenimage.dev/pkg/apis/cdi/reference"
	"goldenimage.dev/pkg/sources"
)

// An Opener streams the disks of images. It is safe for concurrent use.
type Opener struct {
	options  Options
	sessions *sessions
}

var _ sources.Opener = (*Opener)(nil)

// NewOpener returns an Opener.
func NewOpener(o Options) *Opener {
	o = o.withDefaults()
	return &Opener{options: o, sessions: newSessions(o)}
}

// Open returns the disk of the image at location, which must hold a digest. An image in an
// index is chosen by Access.Architecture. Its layers are read from the top down, and exactly
// one regular file below /disk must be visible; that there are several is known only at the
// end, so a Read may fail with sources.NoDisk. All errors are sources.Errors. Cancel ctx, or
// close the Content, to end a transfer.
func (o *Opener) Open(ctx context.Context, location string, access sources.Access) (*sources.Content, error) {
	ref, err := parse(location)
	if err != nil {
		return nil, err
	}
	if ref.Digest() == "" {
		return nil, sources.Errorf(sources.Invalid, "%s is not pinned to a digest", ref)
	}
	ctx, cancel := context.WithCancel(ctx)
	d := &diskStream{cancel: cancel}
	content, err := o.open(ctx, d, ref, access)
	if err != nil {
		_ = d.Close() // err says why
		return nil, err
	}
	return content, nil
}

func (o *Opener) open(ctx context.Context, d *diskStream, ref reference.Reference, access sources.Access) (*sources.Content, error) {
	c := &client{call: call{ref: ref, notes: &notes{}}}
	err := o.retry(ctx, c, func(ctx context.Context) (err error) {
		c, err = o.sessions.connect(ctx, ref, access)
		return err
	})
	if err != nil {
		return nil, err
	}
	img, err := o.image(ctx, c, access.Architecture)
	if err != nil {
		return nil, err
	}
	d.name = c.describe(img)
	d.walk = newWalk(ctx, c, img.layers, o.options.RetryDelay)
	d.header, err = d.walk.next()
	switch {
	case errors.Is(err, io.EOF):
		return nil, sources.Errorf(sources.NoDisk, "%s has no disk: a container disk has one file below /%s, but %s", d.name, diskDir, d.walk.overlay.found())
	case err != nil:
		return nil, err
	case d.header.Typeflag == tar.TypeLink:
		return nil, sources.Errorf(sources.NoDisk, "%s has a hard link for a disk, which is not supported: /%s", d.name, cleanText(d.header.Name))
	}
	return &sources.Content{
		ReadCloser: d,
		Size:       d.header.Size,
		Name:       "/" + d.header.Name,
		Digest:     img.digest,
		Labels:     labels(img.config.Config.Env),
	}, nil
}

// diskStream is the disk's file, and io.EOF once there is no other and all is verified.
type diskStream struct {
	cancel context.CancelFunc
	walk   *walk
	name   string
	header *tar.Header
	err    error
}

func (d *diskStream) Read(p []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	n, err := d.walk.Read(p)
	if errors.Is(err, io.EOF) {
		err = d.finish()
	}
	d.err = err
	return n, err
}

func (d *diskStream) finish() error {
	other, err := d.walk.next()
	if err != nil {
		return err
	}
	return sources.Errorf(sources.NoDisk, "%s has several disks, such as /%s and /%s: a container disk has exactly one file below /%s",
		d.name, cleanText(d.header.Name), cleanText(other.Name), diskDir)
}

func (d *diskStream) Close() error {
	d.cancel()
	if d.walk == nil {
		return nil
	}
	return d.walk.closeLayer()
}

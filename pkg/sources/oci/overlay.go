// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"archive/tar"
	"fmt"
	"path"
	"slices"
	"strings"
)

const (
	// diskDir is where a container disk has its disk.
	diskDir        = "disk"
	whiteoutPrefix = ".wh."
	opaqueWhiteout = ".wh..wh..opq"
	// maxOverlayPaths bounds the memory that an image's names may take.
	maxOverlayPaths = 4096
	// maxListed is how many names a message lists.
	maxListed = 10
)

// A cover tells what of the layers below a layer hides at a path.
type cover int

const (
	// coverFile hides anything but a folder: there is a folder in its place.
	coverFile cover = 1 << iota
	// coverBelow hides what is in the folder, but not the folder: it is opaque.
	coverBelow
	// coverAll hides the path and all below it.
	coverAll
)

// overlay tells which files of an image's layers are visible. Layers are given to it from
// the top to the bottom. It looks at what is below diskDir alone.
type overlay struct {
	// covers of the layers above the current one; the root's path is "".
	covers map[string]cover
	// current collects the covers of the current layer, which are not for itself.
	current map[string]cover
	// files that were visible.
	files map[string]bool
	// listed are the first names for a message.
	listed []string
}

func newOverlay() *overlay {
	return &overlay{covers: map[string]cover{}, current: map[string]cover{}, files: map[string]bool{}}
}

// nextLayer begins the layer below the current one.
func (o *overlay) nextLayer() {
	for p, c := range o.current {
		o.covers[p] |= c
	}
	clear(o.current)
}

// done tells that no layer below can show a disk.
func (o *overlay) done() bool {
	return o.covers[""] != 0 || o.covers[diskDir]&(coverAll|coverBelow) != 0
}

// add takes an entry of the current layer and tells whether it is a visible file below
// diskDir. It fails if the layer is malformed or has too many names there.
func (o *overlay) add(header *tar.Header) (visible bool, name string, err error) {
	name = path.Clean("/" + header.Name)[1:]
	o.list(name)
	if !concernsDisk(name) {
		return false, name, nil
	}
	if len(o.covers)+len(o.current) > maxOverlayPaths {
		return false, name, fmt.Errorf("it holds more than %d names below /%s", maxOverlayPaths, diskDir)
	}
	dir, base := path.Split(name)
	dir = strings.TrimSuffix(dir, "/")
	switch {
	case base == opaqueWhiteout:
		o.current[dir] |= coverBelow
		return false, name, nil
	case strings.HasPrefix(base, whiteoutPrefix):
		o.current[path.Join(dir, strings.TrimPrefix(base, whiteoutPrefix))] |= coverAll
		return false, name, nil
	case header.Typeflag == tar.TypeDir:
		o.current[name] |= coverFile
		return false, name, nil
	}
	visible = name != diskDir && isFile(header) && !o.covered(name)
	if visible && o.current[name]&coverAll != 0 && o.files[name] {
		return false, name, fmt.Errorf("it holds /%s twice in one layer", name)
	}
	o.current[name] |= coverAll
	o.files[name] = o.files[name] || visible
	return visible, name, nil
}

// covered tells whether a layer above the current one hides a file.
func (o *overlay) covered(name string) bool {
	if o.covers[name]&(coverAll|coverFile) != 0 {
		return true
	}
	for dir := path.Dir(name); ; dir = path.Dir(dir) {
		if dir == "." {
			return o.covers[""] != 0
		}
		if o.covers[dir]&(coverAll|coverBelow) != 0 {
			return true
		}
	}
}

// list keeps the first few names, for the message that there is no disk.
func (o *overlay) list(name string) {
	if !strings.HasPrefix(name, diskDir+"/") {
		name, _, _ = strings.Cut(name, "/")
	}
	if name == "" || strings.Contains(name, whiteoutPrefix) || len(o.listed) > maxListed || slices.Contains(o.listed, "/"+name) {
		return
	}
	o.listed = append(o.listed, "/"+name)
}

// found describes what the image holds instead of a disk.
func (o *overlay) found() string {
	switch {
	case len(o.listed) == 0:
		return "it is empty"
	case len(o.listed) > maxListed:
		return "it holds " + cleanText(strings.Join(o.listed[:maxListed], ", ")) + " and more"
	}
	return "it holds " + cleanText(strings.Join(o.listed, ", "))
}

func concernsDisk(name string) bool {
	return name == diskDir || name == whiteoutPrefix+diskDir || name == opaqueWhiteout || strings.HasPrefix(name, diskDir+"/")
}

func isFile(header *tar.Header) bool {
	return header.Typeflag == tar.TypeReg || header.Typeflag == tar.TypeGNUSparse || header.Typeflag == tar.TypeLink
}

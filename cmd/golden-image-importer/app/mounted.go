// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"goldenimage.dev/pkg/apis/cdi/reference"
	importer "goldenimage.dev/pkg/apis/importer/v1"
	"goldenimage.dev/pkg/disk"
	"goldenimage.dev/pkg/sources"
)

const (
	// diskDir is where a container disk has its disk.
	diskDir = "disk"
	// maxListed is how many names a message lists, maxWalked how many an image may have there.
	maxListed = 10
	maxWalked = 4096
)

// openImage opens the disk of an image that is mounted.
func openImage(_ context.Context, o options, r *importer.Request) (*input, error) {
	// The root keeps the image's symbolic links from leading out of it.
	root, err := os.OpenRoot(o.path(importer.ImageDir))
	if err != nil {
		return nil, fmt.Errorf("open image %s: %w", r.Image.Reference, err)
	}
	defer root.Close() //nolint:errcheck // it reads only
	name, err := findDisk(root, r.Image.Reference)
	if err != nil {
		return nil, err
	}
	f, err := openRegular(func(flags int) (*os.File, error) { return root.OpenFile(name, flags, 0) })
	if err != nil {
		return nil, fmt.Errorf("open /%s of image %s: %w", name, r.Image.Reference, err)
	}
	in := &input{name: r.Image.Reference + " /" + name, source: disk.Source{File: f}, close: f.Close}
	if ref, err := reference.ParseName(r.Image.Reference); err == nil {
		in.digest = ref.Digest()
	}
	return in, nil
}

// findDisk returns the one regular file below diskDir.
func findDisk(root *os.Root, image string) (string, error) {
	if exists(root, "sysroot") && exists(root, "ostree") {
		return "", sources.Errorf(sources.NoDisk, "%s is a bootable container: only images with a disk below /%s are supported", image, diskDir)
	}
	if stat, err := root.Lstat(diskDir); errors.Is(err, fs.ErrNotExist) || err == nil && !stat.IsDir() {
		return "", sources.Errorf(sources.NoDisk, "%s has no disk: a container disk has one file below /%s, but it holds %s", image, diskDir, list(rootNames(root)))
	}
	var files []string
	var walked int
	err := fs.WalkDir(root.FS(), diskDir, func(name string, entry fs.DirEntry, err error) error {
		if walked++; err == nil && walked > maxWalked {
			return fs.SkipAll
		}
		if err == nil && entry.Type().IsRegular() {
			files = append(files, name)
		}
		return err
	})
	switch {
	case err != nil:
		return "", fmt.Errorf("read image %s: %w", image, err)
	case len(files) == 0:
		return "", sources.Errorf(sources.NoDisk, "%s has no disk: a container disk has one file below /%s, but there is none", image, diskDir)
	case len(files) > 1:
		return "", sources.Errorf(sources.NoDisk, "%s has several disks: %s: a container disk has exactly one file below /%s", image, list(files), diskDir)
	}
	return files[0], nil
}

func exists(root *os.Root, name string) bool {
	_, err := root.Lstat(name)
	return err == nil
}

func rootNames(root *os.Root) []string {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return []string{"nothing that can be read"}
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// list joins a few names, quoted where they are odd.
func list(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	var quoted []string
	for _, n := range names[:min(len(names), maxListed)] {
		quoted = append(quoted, strings.Trim(fmt.Sprintf("%q", "/"+n), `"`))
	}
	if len(names) > maxListed {
		quoted = append(quoted, "and more")
	}
	return strings.Join(quoted, ", ")
}

// openClone opens another volume. Its content is a disk, whatever it looks like.
func openClone(_ context.Context, o options, r *importer.Request) (*input, error) {
	path := o.path(filepath.Join(importer.SourceDir, importer.DiskName))
	openSource := openRegular
	if r.Clone.Block {
		path = o.path(importer.SourceDevice)
		openSource = func(open func(int) (*os.File, error)) (*os.File, error) { return open(os.O_RDONLY) }
	}
	f, err := openSource(func(flags int) (*os.File, error) { return os.OpenFile(path, flags, 0) })
	if err != nil {
		return nil, fmt.Errorf("open the disk of volume %s: %w", r.Clone.Name, err)
	}
	return &input{name: r.Clone.Name, source: disk.Source{File: f, Raw: true}, close: f.Close}, nil
}

// openRegular opens a regular file. A volume may hold anything under the disk's name, such as
// a link to a credential of the worker, or a pipe that never answers.
func openRegular(open func(flags int) (*os.File, error)) (*os.File, error) {
	f, err := open(os.O_RDONLY | syscall.O_NOFOLLOW | syscall.O_NONBLOCK)
	if err != nil {
		return nil, err
	}
	stat, err := f.Stat()
	if err == nil && !stat.Mode().IsRegular() {
		err = errors.New("it is not a regular file")
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// searchPath of the image, for programs that the binary calls.
const searchPath = "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"

// made is when all of the image was made: the same files make the same image on any day.
func made() time.Time { return time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC) }

// makeImages returns an image for each binary, by architecture.
func makeImages(o options) (map[string]v1.Image, error) {
	images := map[string]v1.Image{}
	for _, binary := range o.binaries {
		architecture, err := architectureOf(binary)
		if err != nil {
			return nil, err
		}
		if images[architecture] != nil {
			return nil, fmt.Errorf("two binaries are for %s", architecture)
		}
		tree, err := makeTree(o, binary, architecture)
		if err != nil {
			return nil, err
		}
		if images[architecture], err = makeImage(tree, o, architecture); err != nil {
			return nil, err
		}
	}
	return images, nil
}

// combine returns the only image, or an index of several.
func combine(images map[string]v1.Image) any {
	architectures := slices.Sorted(maps.Keys(images))
	if len(architectures) == 1 {
		return images[architectures[0]]
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, a := range architectures {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: images[a], Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: a}},
		})
	}
	return index
}

// A tree is the files of an image: paths without a leading slash to contents.
type tree map[string]file

type file struct {
	content []byte
	mode    int64
}

func makeTree(o options, binary, architecture string) (tree, error) {
	content, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	uid, gid, _ := strings.Cut(o.user, ":")
	t := tree{
		strings.TrimPrefix(path.Clean(o.entrypoint), "/"): {content, 0o755},
		"etc/passwd": {[]byte("root:x:0:0:root:/:/sbin/nologin\ngolden-image:x:" + uid + ":" + gid + ":golden-image:/:/sbin/nologin\n"), 0o644},
		"etc/group":  {[]byte("root:x:0:\ngolden-image:x:" + gid + ":\n"), 0o644},
	}
	if o.authority != "" {
		switch certificates, err := os.ReadFile(o.authority); {
		case err == nil:
			t["etc/ssl/certs/ca-certificates.crt"] = file{certificates, 0o644}
		case !os.IsNotExist(err):
			return nil, err
		}
	}
	for _, program := range o.programs {
		if err := addProgram(t, o, program, architecture); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func makeImage(t tree, o options, architecture string) (v1.Image, error) {
	archive, err := t.archive()
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(archive)), nil
	}, tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err = mutate.Append(image, mutate.Addendum{
		Layer: layer, History: v1.History{Created: v1.Time{Time: made()}, CreatedBy: "hack/image"},
	})
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = "linux", architecture, v1.Time{Time: made()}
	config.Config = v1.Config{Entrypoint: []string{o.entrypoint}, User: o.user, Env: []string{searchPath}, WorkingDir: "/"}
	return mutate.ConfigFile(image, config)
}

// archive returns the files as a layer, with the folders that they need, by name.
func (t tree) archive() ([]byte, error) {
	folders := map[string]int64{"tmp": 0o1777}
	for name := range t {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if folders[dir] == 0 {
				folders[dir] = 0o755
			}
		}
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(folders)) {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: folders[name], ModTime: made(), Format: tar.FormatPAX}); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t)) {
		f := t[name]
		header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: f.mode, Size: int64(len(f.content)), ModTime: made(), Format: tar.FormatPAX}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

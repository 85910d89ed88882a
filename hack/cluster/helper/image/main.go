// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"path"
	"runtime"
	"sort"
	"strings"
)

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func add(w *tar.Writer, h *tar.Header, data []byte) {
	h.Size = int64(len(data))
	check(w.WriteHeader(h))
	_, err := w.Write(data)
	check(err)
}

func layer(args []string) []byte {
	files := map[string]string{}
	dirs := map[string]bool{"tmp": true}
	for _, a := range args {
		name, from, ok := strings.Cut(a, "=")
		if !ok {
			log.Fatalf("%q is not IMAGE_PATH=LOCAL_PATH", a)
		}
		name = strings.TrimPrefix(path.Clean("/"+name), "/")
		files[name] = from
		for d := path.Dir(name); d != "."; d = path.Dir(d) {
			dirs[d] = true
		}
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, d := range sortedKeys(dirs) {
		mode := int64(0o755)
		if d == "tmp" {
			mode = 0o1777
		}
		add(w, &tar.Header{Typeflag: tar.TypeDir, Name: d + "/", Mode: mode}, nil)
	}
	for _, name := range sortedKeys(files) {
		if target, ok := strings.CutPrefix(files[name], ">"); ok {
			add(w, &tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777}, nil)
			continue
		}
		data, err := os.ReadFile(files[name])
		check(err)
		info, err := os.Stat(files[name])
		check(err)
		add(w, &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: int64(info.Mode().Perm())}, data)
	}
	check(w.Close())
	return out.Bytes()
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

func main() {
	log.SetFlags(0)
	name := flag.String("name", "", "reference of the image, with its tag")
	out := flag.String("out", "", "archive to write")
	command := flag.String("command", "", "entry point and its arguments, separated by spaces")
	user := flag.String("user", "", "user of the process")
	flag.Parse()
	if *name == "" || *out == "" {
		flag.Usage()
		os.Exit(2)
	}

	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	blob := func(mediaType string, data []byte) descriptor {
		sum := fmt.Sprintf("%x", sha256.Sum256(data))
		add(w, &tar.Header{Typeflag: tar.TypeReg, Name: "blobs/sha256/" + sum, Mode: 0o644}, data)
		return descriptor{MediaType: mediaType, Digest: "sha256:" + sum, Size: len(data)}
	}
	encode := func(v any) []byte {
		data, err := json.Marshal(v)
		check(err)
		return data
	}

	content := layer(flag.Args())
	layerBlob := blob("application/vnd.oci.image.layer.v1.tar", content)
	config := map[string]any{"Env": []string{"PATH=/usr/local/bin:/usr/bin:/bin"}}
	if *command != "" {
		config["Entrypoint"] = strings.Fields(*command)
	}
	if *user != "" {
		config["User"] = *user
	}
	configBlob := blob("application/vnd.oci.image.config.v1+json", encode(map[string]any{
		"architecture": runtime.GOARCH,
		"os":           "linux",
		"config":       config,
		"rootfs":       map[string]any{"type": "layers", "diff_ids": []string{layerBlob.Digest}},
	}))
	const manifestType = "application/vnd.oci.image.manifest.v1+json"
	manifest := blob(manifestType, encode(map[string]any{
		"schemaVersion": 2,
		"mediaType":     manifestType,
		"config":        configBlob,
		"layers":        []descriptor{layerBlob},
	}))
	manifest.Annotations = map[string]string{
		"io.containerd.image.name":          *name,
		"org.opencontainers.image.ref.name": (*name)[strings.LastIndex(*name, ":")+1:],
	}
	add(w, &tar.Header{Typeflag: tar.TypeReg, Name: "oci-layout", Mode: 0o644}, []byte(`{"imageLayoutVersion":"1.0.0"}`))
	add(w, &tar.Header{Typeflag: tar.TypeReg, Name: "index.json", Mode: 0o644}, encode(map[string]any{
		"schemaVersion": 2,
		"mediaType":     "application/vnd.oci.image.index.v1+json",
		"manifests":     []descriptor{manifest},
	}))
	check(w.Close())
	check(os.WriteFile(*out, archive.Bytes(), 0o644))
}

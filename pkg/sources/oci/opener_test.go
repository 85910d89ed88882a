// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"archive/tar"
	"bytes"
	"io"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/compression"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"goldenimage.dev/pkg/sources"
	"goldenimage.dev/test/registry"
)

// readAll opens what is pushed and reads it to the end.
func readAll(t *testing.T, r *registry.Registry, what remote.Taggable, access sources.Access) (*sources.Content, []byte, error) {
	t.Helper()
	digest := r.Push(t, "images/fedora", "latest", what)
	content, err := NewOpener(quick).Open(t.Context(), r.URL("images/fedora", digest), access)
	if err != nil {
		return nil, nil, err
	}
	defer content.Close() //nolint:errcheck // it reads only
	disk, err := io.ReadAll(content)
	return content, disk, err
}

func TestOpenFollowsTheLayers(t *testing.T) {
	file := func(name, content string) registry.File { return registry.File{Name: name, Content: []byte(content)} }
	folder := func(name string) registry.File { return registry.File{Name: name, Type: tar.TypeDir} }
	for name, test := range map[string]struct {
		layers []registry.Layer
		want   string
		kind   sources.Kind
		says   string
	}{
		"one layer":                                 {layers: []registry.Layer{{folder("disk/"), file("disk/a.img", "A")}}, want: "A"},
		"names with a leading dot":                  {layers: []registry.Layer{{file("./disk/a.img", "A")}}, want: "A"},
		"names with a leading slash":                {layers: []registry.Layer{{file("/disk/a.img", "A")}}, want: "A"},
		"a folder in between":                       {layers: []registry.Layer{{file("disk/sub/a.img", "A")}}, want: "A"},
		"the disk in the lower layer":               {layers: []registry.Layer{{file("disk/a.img", "A")}, {file("etc/motd", "x")}}, want: "A"},
		"a file that the upper layer replaces":      {layers: []registry.Layer{{file("disk/a.img", "A")}, {file("disk/a.img", "B")}}, want: "B"},
		"a whiteout of the old disk":                {layers: []registry.Layer{{file("disk/a.img", "A")}, {file("disk/.wh.a.img", ""), file("disk/b.img", "B")}}, want: "B"},
		"a whiteout does not touch its own layer":   {layers: []registry.Layer{{file("disk/a.img", "A")}, {file("disk/a.img", "B"), file("disk/.wh.a.img", "")}}, want: "B"},
		"a whiteout of the folder":                  {layers: []registry.Layer{{file("disk/a.img", "A")}, {file(".wh.disk", ""), file("disk/b.img", "B")}}, want: "B"},
		"an opaque folder":                          {layers: []registry.Layer{{file("disk/a.img", "A")}, {file("disk/b.img", "B"), file("disk/.wh..wh..opq", "")}}, want: "B"},
		"an opaque root":                            {layers: []registry.Layer{{file("disk/a.img", "A")}, {file(".wh..wh..opq", ""), file("disk/b.img", "B")}}, want: "B"},
		"a folder instead of a file":                {layers: []registry.Layer{{file("disk/a", "A")}, {folder("disk/a/"), file("disk/a/b", "B")}}, want: "B"},
		"a file instead of the folder":              {layers: []registry.Layer{{file("disk/a", "A")}, {file("disk", "x")}}, kind: sources.NoDisk, says: "/disk"},
		"only a whiteout":                           {layers: []registry.Layer{{file("disk/a.img", "A")}, {file("disk/.wh.a.img", "")}}, kind: sources.NoDisk},
		"no layer":                                  {kind: sources.NoDisk, says: "it is empty"},
		"no disk":                                   {layers: []registry.Layer{{file("disk.img", "A"), file("etc/motd", "x")}}, kind: sources.NoDisk, says: "it holds /disk.img, /etc"},
		"a folder whose name begins the same":       {layers: []registry.Layer{{file("diskette/a.img", "A")}}, kind: sources.NoDisk, says: "/diskette"},
		"two disks":                                 {layers: []registry.Layer{{file("disk/a.img", "A"), file("disk/b.img", "B")}}, kind: sources.NoDisk, says: "/disk/a.img and /disk/b.img"},
		"two disks in two layers":                   {layers: []registry.Layer{{file("disk/a.img", "A")}, {file("disk/b.img", "B")}}, kind: sources.NoDisk, says: "several disks"},
		"the same name twice in a layer":            {layers: []registry.Layer{{file("disk/a.img", "A"), file("disk/a.img", "B")}}, kind: sources.Invalid, says: "twice"},
		"a symbolic link for a disk":                {layers: []registry.Layer{{{Name: "disk/a.img", Type: tar.TypeSymlink, Link: "/etc/passwd"}}}, kind: sources.NoDisk, says: "/disk/a.img"},
		"a symbolic link for the folder":            {layers: []registry.Layer{{{Name: "disk", Type: tar.TypeSymlink, Link: "/etc"}, file("etc/a", "A")}}, kind: sources.NoDisk},
		"a hard link for a disk":                    {layers: []registry.Layer{{file("a.img", "A"), {Name: "disk/a.img", Type: tar.TypeLink, Link: "a.img"}}}, kind: sources.NoDisk, says: "hard link"},
		"a name that climbs out stays in the image": {layers: []registry.Layer{{file("../../disk/a.img", "A")}}, want: "A"},
	} {
		t.Run(name, func(t *testing.T) {
			r := registry.New(t, registry.Config{})
			content, disk, err := readAll(t, r, registry.NewImage(t, registry.Image{Layers: test.layers}), trusted(r))
			if test.want == "" {
				checkError(t, err, test.kind, test.says)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if string(disk) != test.want || content.Size != int64(len(test.want)) {
				t.Errorf("got %q of size %d from %s", disk, content.Size, content.Name)
			}
		})
	}
}

func TestOpenReadsEachCompression(t *testing.T) {
	want := bytes.Repeat([]byte("golden image "), 100000)
	for _, c := range []compression.Compression{compression.GZip, compression.ZStd, compression.None} {
		t.Run(string(c), func(t *testing.T) {
			r := registry.New(t, registry.Config{})
			image := registry.NewImage(t, registry.Image{Layers: []registry.Layer{{{Name: "disk/a.img", Content: want}}}, Compression: c})
			_, disk, err := readAll(t, r, image, trusted(r))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(disk, want) {
				t.Error("other bytes")
			}
		})
	}
}

func TestOpenChoosesByArchitecture(t *testing.T) {
	disk := func(architecture string) v1.Image {
		return registry.NewImage(t, registry.Image{Layers: []registry.Layer{{{Name: "disk/a.img", Content: []byte(architecture)}}}, Architecture: architecture})
	}
	index := registry.NewIndex(t, map[string]v1.Image{"amd64": disk("amd64"), "arm64": disk("arm64"), "s390x": disk("s390x")})
	for name, test := range map[string]struct {
		what         remote.Taggable
		architecture string
		want         string
		kind         sources.Kind
		says         []string
	}{
		"from an index":                        {what: index, architecture: "arm64", want: "arm64"},
		"from an index, by default our own":    {what: index, want: runtime.GOARCH},
		"what an index does not have":          {what: index, architecture: "riscv64", kind: sources.NotFound, says: []string{"linux/riscv64", "linux/s390x"}},
		"an image that matches":                {what: disk("arm64"), architecture: "arm64", want: "arm64"},
		"an image when none is asked for":      {what: disk("s390x"), want: "s390x"},
		"an image of another one":              {what: disk("arm64"), architecture: "amd64", kind: sources.Invalid, says: []string{`"arm64" doesn't match requested architecture: "amd64"`}},
		"an image that does not say which one": {what: disk(""), architecture: "amd64", want: ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := registry.New(t, registry.Config{})
			access := trusted(r)
			access.Architecture = test.architecture
			content, got, err := readAll(t, r, test.what, access)
			if test.kind != 0 {
				checkError(t, err, test.kind, test.says...)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != test.want {
				t.Errorf("got the disk of %q", got)
			}
			if image, ok := test.what.(v1.Image); ok {
				if digest, _ := image.Digest(); digest.String() != content.Digest {
					t.Errorf("digest %s, want %s", content.Digest, digest)
				}
			}
		})
	}
}

func TestOpenGivesLabels(t *testing.T) {
	r := registry.New(t, registry.Config{})
	content, _, err := readAll(t, r, registry.NewImage(t, registry.Image{
		Layers: []registry.Layer{{{Name: "disk/a.img", Content: []byte("A")}}},
		Environment: []string{
			"PATH=/bin",
			"INSTANCETYPE_KUBEVIRT_IO_DEFAULT_INSTANCETYPE=u1.medium",
			"INSTANCETYPE_KUBEVIRT_IO_DEFAULT_PREFERENCE=fedora",
			"KUBEVIRT_IO_DYNAMIC_CREDENTIALS_SUPPORT=true",
			"CDI_KUBEVIRT_IO_DATAIMPORTCRON=mine",
			"X_KUBEVIRT_IO_Y=not a label",
			"XKUBEVIRT_IO_Y=z",
		},
	}), trusted(r))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"instancetype.kubevirt.io/default-instancetype": "u1.medium",
		"instancetype.kubevirt.io/default-preference":   "fedora",
		"kubevirt.io/dynamic-credentials-support":       "true",
	}
	if diff := cmp.Diff(want, content.Labels); diff != "" {
		t.Error(diff)
	}
}

func TestOpenRefuses(t *testing.T) {
	disk := registry.Layer{{Name: "disk/a.img", Content: noise(200 << 10)}}
	good := registry.Image{Layers: []registry.Layer{disk}}
	for name, test := range map[string]struct {
		image  registry.Image
		faults registry.Faults
		kind   sources.Kind
		says   string
	}{
		"a bootable container":              {image: registry.Image{Layers: good.Layers, Labels: map[string]string{"containers.bootc": "1"}}, kind: sources.NoDisk, says: "bootable"},
		"an ostree container":               {image: registry.Image{Layers: good.Layers, Labels: map[string]string{"ostree.bootable": "true"}}, kind: sources.NoDisk, says: "bootable"},
		"another manifest":                  {image: good, faults: registry.Faults{OtherManifest: []byte("{}")}, kind: sources.Mismatch, says: "digest"},
		"a layer with bytes after its end":  {image: good, faults: registry.Faults{BlobsFrom: 100 << 10, Append: []byte("more")}, kind: sources.Mismatch},
		"a configuration with another byte": {image: good, faults: registry.Faults{CorruptAt: 9}, kind: sources.Mismatch},
		"a layer whose first byte is wrong": {image: good, faults: registry.Faults{BlobsFrom: 100 << 10, CorruptAt: 1}, kind: sources.Mismatch},
		"a layer whose last byte is wrong":  {image: good, faults: registry.Faults{BlobsFrom: 100 << 10, CorruptAt: 204900}, kind: sources.Mismatch},
		"a blob that is missing":            {image: good, faults: registry.Faults{Steps: []registry.Step{{Path: "/blobs/", Status: 404, Code: "BLOB_UNKNOWN"}}}, kind: sources.NotFound},
		"a redirect to a metadata service": {
			image: good, faults: registry.Faults{Steps: []registry.Step{{Path: "/blobs/", Status: 307, Location: "https://169.254.169.254/latest?token=hunter2"}}},
			kind: sources.Transient, says: "169.254.169.254",
		},
		"a redirect to plain HTTP": {
			image: good, faults: registry.Faults{Steps: []registry.Step{{Path: "/blobs/", Status: 307, Location: "http://blobs.example/a?token=hunter2"}}},
			kind: sources.Unreachable, says: "no TLS",
		},
		"a rate limit": {image: good, faults: registry.Faults{Steps: []registry.Step{{Path: "/manifests/", Status: 429}}}, kind: sources.RateLimited},
	} {
		t.Run(name, func(t *testing.T) {
			r := registry.New(t, registry.Config{})
			r.SetFaults(test.faults)
			_, _, err := readAll(t, r, registry.NewImage(t, test.image), trusted(r))
			checkError(t, err, test.kind, test.says)
		})
	}
}

func TestOpenWantsADigest(t *testing.T) {
	_, err := NewOpener(quick).Open(t.Context(), "docker://quay.io/a:latest", sources.Access{})
	checkError(t, err, sources.Invalid, "not pinned")
}

func TestOpenResumesBrokenTransfers(t *testing.T) {
	for name, test := range map[string]struct {
		faults registry.Faults
		kind   sources.Kind
		fails  bool
	}{
		"the connection breaks":                      {faults: registry.Faults{BlobsFrom: 100 << 10, BreakAfter: 80 << 10}},
		"the connection is silent":                   {faults: registry.Faults{BlobsFrom: 100 << 10, StallAfter: 80 << 10}},
		"the registry does not resume":               {faults: registry.Faults{BlobsFrom: 100 << 10, BreakAfter: 80 << 10, NoRange: true}, fails: true, kind: sources.Transient},
		"the connection breaks more often than fair": {faults: registry.Faults{BlobsFrom: 100 << 10, BreakAfter: 10 << 10}, fails: true, kind: sources.Transient},
	} {
		t.Run(name, func(t *testing.T) {
			r := registry.New(t, registry.Config{})
			want := noise(300 << 10)
			r.SetFaults(test.faults)
			_, disk, err := readAll(t, r, registry.ContainerDisk(t, "a.img", want), trusted(r))
			if test.fails {
				checkError(t, err, test.kind)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(disk, want) {
				t.Error("other bytes")
			}
		})
	}
}

func TestOpenReadsNoLayerBelowAnOpaqueOne(t *testing.T) {
	r := registry.New(t, registry.Config{})
	_, disk, err := readAll(t, r, registry.NewImage(t, registry.Image{Layers: []registry.Layer{
		{{Name: "disk/old.img", Content: noise(50 << 10)}},
		{{Name: ".wh.disk"}, {Name: "disk/a.img", Content: []byte("A")}},
	}}), trusted(r))
	if err != nil || string(disk) != "A" {
		t.Fatalf("got %q, %v", disk, err)
	}
	var blobs int
	for _, seen := range r.Requests() {
		if seen.Method == "GET" && len(seen.Path) > 80 && bytes.Contains([]byte(seen.Path), []byte("/blobs/")) {
			blobs++
		}
	}
	if blobs != 2 {
		t.Errorf("%d blobs were read, want the configuration and one layer", blobs)
	}
}

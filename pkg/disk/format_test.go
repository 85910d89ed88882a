// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

func TestRefusedImages(t *testing.T) {
	raw := sampleDisk()
	qcow2, vmdk := imageOf(t, raw, "qcow2"), imageOf(t, raw, "vmdk")
	// with returns a copy of an image with other bytes at an offset.
	with := func(image []byte, offset int, other string) []byte {
		image = bytes.Clone(image)
		copy(image[offset:], other)
		return image
	}
	made := func(arguments ...string) []byte {
		path := filepath.Join(t.TempDir(), "image")
		qemuImg(t, append(append([]string{"create", "-q"}, arguments...), path, "1M")...)
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	for name, test := range map[string]struct {
		image []byte
		says  string
	}{
		"nothing":                           {nil, "empty"},
		"qcow2 with a backing file":         {made("-u", "-f", "qcow2", "-F", "raw", "-b", "/etc/passwd"), "backing file"},
		"qcow2 with its data elsewhere":     {made("-f", "qcow2", "-o", "data_file="+filepath.Join(t.TempDir(), "data")), "another file"},
		"qcow2 that is encrypted":           {with(qcow2, 32, "\x00\x00\x00\x02"), "encrypted"},
		"qcow2 that is corrupt":             {with(qcow2, 79, "\x02"), "corrupt"},
		"qcow2 of the future":               {with(qcow2, 72, "\x01"), "features"},
		"qcow2 of version 4":                {with(qcow2, 7, "\x04"), "version 4"},
		"qcow2 with absurd clusters":        {with(qcow2, 23, "\x3f"), "damaged"},
		"qcow2 of absurd size":              {with(qcow2, 24, "\x7f"), "claims a size"},
		"qcow2 with a table too small":      {with(qcow2, 28, "\x40"), "table"},
		"qcow2 of no size":                  {with(qcow2, 24, "\x00\x00\x00\x00\x00\x00\x00\x00"), "size of 0"},
		"qcow2 that ends in its header":     {qcow2[:40], "truncated"},
		"vmdk with its data elsewhere":      {made("-f", "vmdk", "-o", "subformat=monolithicFlat"), "other files"},
		"vmdk that is a mere descriptor":    {with(vmdk, 12, "\x00\x00\x00\x00\x00\x00\x00\x00"), "damaged"},
		"vmdk with a parent":                {bytes.Replace(vmdk, []byte("ddb.virtualHWVersion"), []byte("parentFileNameHint=x"), 1), "parent"},
		"vmdk of another kind":              {bytes.Replace(vmdk, []byte("monolithicSparse"), []byte("twoGbMaxExtentFl"), 1), "other files"},
		"vmdk that ends in its header":      {vmdk[:20], "truncated"},
		"vdi with a parent":                 {with(imageOf(t, raw, "vdi"), 0x4c, "\x04"), "parent"},
		"vhd with a parent":                 {with(imageOf(t, raw, "vpc"), 63, "\x04"), "parent"},
		"vhdx without its tables":           {with(with(imageOf(t, raw, "vhdx"), 192<<10, "none"), 256<<10, "none"), "region table"},
		"xz":                                {[]byte("\xfd7zXZ\x00..."), "xz"},
		"gzip in gzip":                      {compress(t, compress(t, raw, Gzip), Gzip), "another compressed"},
		"gzip that ends early":              {compress(t, raw, Gzip)[:mib], "damaged"},
		"qcow2 in gzip with a backing file": {compress(t, made("-u", "-f", "qcow2", "-F", "raw", "-b", "/etc/passwd"), Gzip), "backing file"},
	} {
		for how, source := range map[string]Source{"a stream": {Stream: bytes.NewReader(test.image)}, "a file": {File: fileOf(t, test.image)}} {
			t.Run(name+" from "+how, func(t *testing.T) {
				dir := t.TempDir()
				_, err := New(Config{}).Write(t.Context(), source, Target{Path: filepath.Join(dir, "disk.img")})
				checkError(t, err, Unsupported, test.says)
				checkOnly(t, dir)
			})
		}
	}
}

func TestDamagedImagesAreTheImagesFault(t *testing.T) {
	qcow2 := imageOf(t, sampleDisk(), "qcow2")
	// The first table points into the middle of a cluster.
	table := binary.BigEndian.Uint64(qcow2[40:])
	copy(qcow2[table:], "\x80\x00\x00\x00\x00\x00\x12\x00")
	dir := t.TempDir()
	_, err := New(Config{}).Write(t.Context(), Source{Stream: bytes.NewReader(qcow2)}, Target{Path: filepath.Join(dir, "disk.img")})
	checkError(t, err, Unsupported, "where none can be (4608)")
	checkOnly(t, dir)
	// Of a format that qemu-img reads, the tables are of an absurd size.
	vmdk := imageOf(t, sampleDisk(), "vmdk")
	binary.LittleEndian.PutUint32(vmdk[44:], 1<<32-1)
	_, err = New(Config{}).Write(t.Context(), Source{Stream: bytes.NewReader(vmdk)}, Target{Path: filepath.Join(dir, "disk.img")})
	checkError(t, err, Unsupported, "cannot be converted")
	checkOnly(t, dir)
}

func FuzzInspect(f *testing.F) {
	for _, image := range images(f) {
		size := 4 << 10
		if image.format == VHDX {
			// Its tables are far behind.
			size = 2*mib + 128<<10
		}
		f.Add(image.content[:min(len(image.content), size)])
	}
	f.Fuzz(func(t *testing.T, image []byte) {
		format, err := Detect(image)
		if err != nil || format == Raw || format == Gzip || format == Zstd {
			return
		}
		size, err := Inspect(format, bytes.NewReader(image))
		if err != nil && size != 0 {
			t.Errorf("size %d with error %v", size, err)
		}
		if err == nil && (size <= 0 || size > maxVirtualSize) {
			t.Errorf("size %d", size)
		}
	})
}

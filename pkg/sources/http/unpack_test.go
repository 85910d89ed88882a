// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"

	"goldenimage.dev/pkg/sources"
)

func packXZ(t *testing.T, content []byte, dictionary int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := xz.WriterConfig{DictCap: dictionary}.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestUnpacking(t *testing.T) {
	disk := noise(100 << 10)
	packed := packXZ(t, disk, 1<<20)
	large := bytes.Clone(packed)
	large[16] = 40 // the dictionary of the first block
	for name, test := range map[string]struct {
		content, damaged []byte
		kind             sources.Kind
		says             string
	}{
		"a file":                     {content: packed},
		"two files in one":           {content: append(bytes.Clone(packed), packed...)},
		"a file that ends early":     {content: packed[:len(packed)-20], kind: sources.Invalid, says: "cannot be unpacked"},
		"a file of another content":  {content: append(bytes.Clone(packed[:200]), noise(2000)...), kind: sources.Invalid, says: "cannot be unpacked"},
		"a file that arrives broken": {content: packed, damaged: damage(packed), kind: sources.Mismatch, says: "instead of"},
		"a magic word":               {content: []byte(xzMagic), kind: sources.Invalid, says: "cannot be unpacked"},
		"a dictionary of 4 GiB":      {content: large, kind: sources.Invalid, says: "a dictionary of 4096 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, false)
			s.put(imagePath, test.content).damaged = test.damaged
			got, err := read(t, s, quick(), Pin(s.URL+imagePath, "", "sha256:"+sumOf(test.content)))
			if test.says == "" {
				if err != nil || !bytes.HasPrefix(got, disk) || len(got)%len(disk) != 0 {
					t.Errorf("%d bytes, %v", len(got), err)
				}
				return
			}
			if err == nil || sources.KindOf(err) != test.kind || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want kind %s", err, test.kind)
			}
		})
	}
}

func FuzzXZHeader(f *testing.F) {
	f.Add([]byte(xzMagic + "\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x16"))
	f.Fuzz(func(_ *testing.T, head []byte) {
		_ = checkDictionary(head) // it must not panic
	})
}

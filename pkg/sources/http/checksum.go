// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"crypto/md5"  //nolint:gosec // some images are published with nothing better
	"crypto/sha1" //nolint:gosec // likewise
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"net/url"
	"regexp"
	"strings"

	"goldenimage.dev/pkg/sources"
)

// maxChecksumFile bounds a checksum file, in bytes. Those of large folders have some 100 KiB.
const maxChecksumFile = 1 << 20

// A checksum is what a file's bytes have to be.
type checksum struct {
	text string
	want []byte
	new  func() hash.Hash
}

// parseChecksum reads algorithm:hex, of md5, sha1, sha256 and sha512. It returns nil for "".
func parseChecksum(text string) (*checksum, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // none is an answer
	}
	algorithm, digits, _ := strings.Cut(text, ":")
	c := &checksum{text: strings.ToLower(text), new: map[string]func() hash.Hash{
		"md5": md5.New, "sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New,
	}[algorithm]}
	var err error
	c.want, err = hex.DecodeString(digits)
	if c.new == nil || err != nil || len(c.want) != c.new().Size() {
		return nil, sources.Errorf(sources.Invalid, "the checksum %q is malformed: accepted are md5:, sha1:, sha256: and sha512:, each with as many hex digits as it has", cleanText(text))
	}
	return c, nil
}

// A checksumFile is where the checksum of a file may be found.
type checksumFile struct {
	url *url.URL
	// own: it is of this file alone, and need not name it.
	own bool
}

// checksumFiles returns where the checksum of a file is looked for. The query is left out: if it
// is a signature, it is one for the file alone.
func checksumFiles(target *url.URL) []checksumFile {
	var files []checksumFile
	for _, suffix := range []string{".sha256", ".sha256sum"} {
		beside := &url.URL{Scheme: target.Scheme, Host: target.Host, Path: target.Path + suffix}
		files = append(files, checksumFile{url: beside, own: true})
	}
	folder := target.Path[:strings.LastIndexByte(target.Path, '/')+1]
	for _, name := range []string{"SHA256SUMS", "sha256sum.txt", "CHECKSUM"} {
		files = append(files, checksumFile{url: &url.URL{Scheme: target.Scheme, Host: target.Host, Path: folder + name}})
	}
	return files
}

var (
	bareLine = regexp.MustCompile(`^([0-9a-fA-F]{64})$`)
	gnuLine  = regexp.MustCompile(`^\\?([0-9a-fA-F]{64}) [ *](.+)$`)
	bsdLine  = regexp.MustCompile(`^SHA256 ?\((.+)\) ?= ?([0-9a-fA-F]{64})$`)
)

// find returns what the file's content says of name, as sha256:hex. It returns "" if that is
// nothing, or not one thing.
func (f checksumFile) find(content, name string) string {
	found := ""
	for line := range strings.Lines(content) {
		line = strings.TrimSpace(line)
		of, sum := "", ""
		if m := gnuLine.FindStringSubmatch(line); m != nil {
			of, sum = m[2], m[1]
		} else if m := bsdLine.FindStringSubmatch(line); m != nil {
			of, sum = m[1], m[2]
		} else if m := bareLine.FindStringSubmatch(line); m != nil && f.own {
			of, sum = name, m[1]
		}
		of = strings.TrimPrefix(strings.TrimSpace(of), "./")
		if f.own {
			// It is often made elsewhere, and has the path from there.
			of = of[strings.LastIndexByte(of, '/')+1:]
		}
		if sum == "" || of != name {
			continue
		}
		sum = bySHA256 + strings.ToLower(sum)
		if found != "" && found != sum {
			return ""
		}
		found = sum
	}
	return found
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"goldenimage.dev/pkg/sources"
)

// Algorithms of a Revision's Digest.
const (
	byETag     = "etag:"
	byModified = "modified:"
	bySHA256   = "sha256:"
)

// parseURL reads the URL of a file, without its fragment. Its error is a sources.Error that
// repeats neither a password nor a query.
func parseURL(text string) (*url.URL, error) {
	parsed, err := url.Parse(text)
	switch {
	case err != nil:
		// The error repeats the URL.
		return nil, sources.Errorf(sources.Invalid, "the URL of the file cannot be read: give http://host/file or https://host/file")
	case parsed.Scheme != "http" && parsed.Scheme != "https":
		return nil, sources.Errorf(sources.Invalid, "the URL of the file has the scheme %q: accepted are http and https", cleanText(parsed.Scheme))
	case parsed.Hostname() == "":
		return nil, sources.Errorf(sources.Invalid, "the URL of the file names no host: give http://host/file or https://host/file")
	case parsed.User != nil:
		return nil, sources.Errorf(sources.Invalid, "the URL of the file holds a user name or password: name a Secret by secretRef instead")
	}
	parsed.Fragment, parsed.RawFragment = "", ""
	return parsed, nil
}

// shown is a URL as messages name it.
func shown(u *url.URL) string {
	return cleanText(u.Scheme + "://" + u.Host + u.EscapedPath())
}

// A pin is what a content was known by when it was found. The zero value is none.
type pin struct {
	// digest of the Revision, "" if it is not known.
	digest string
	// checksum of the file as algorithm:hex, "" if it is not known.
	checksum string
}

// Pin returns the location of one content of the file at a URL, for an Opener. Digest is that of
// a Revision, checksum is algorithm:hex; either may be empty.
func Pin(location, digest, checksum string) string {
	location, _, _ = strings.Cut(location, "#")
	values := url.Values{}
	if digest != "" {
		values.Set("digest", digest)
	}
	if checksum != "" {
		values.Set("checksum", checksum)
	}
	if len(values) == 0 {
		return location
	}
	return location + "#" + values.Encode()
}

// parsePin reads what Pin made, or a plain URL.
func parsePin(location string) (*url.URL, pin, error) {
	plain, fragment, _ := strings.Cut(location, "#")
	target, err := parseURL(plain)
	if err != nil {
		return nil, pin{}, err
	}
	values, err := url.ParseQuery(fragment)
	if err != nil {
		return nil, pin{}, sources.Errorf(sources.Invalid, "the location of %s is malformed", shown(target))
	}
	p := pin{digest: values.Get("digest"), checksum: values.Get("checksum")}
	if p.checksum == "" && strings.HasPrefix(p.digest, bySHA256) {
		p.checksum = p.digest
	}
	return target, p, nil
}

// An answer is what a server says of a file besides its bytes.
type answer struct {
	// target is what was asked for, final where the answer came from.
	target, final *url.URL
	etag          string
	// modified is the zero time if it is not known.
	modified time.Time
	// length in bytes; 0 if it is not known.
	length int64
}

// answerOf reads a response to a request for target.
func answerOf(target *url.URL, response *http.Response) answer {
	a := answer{target: target, final: response.Request.URL, etag: response.Header.Get("ETag"), length: max(response.ContentLength, 0)}
	if modified, err := http.ParseTime(response.Header.Get("Last-Modified")); err == nil {
		a.modified = modified
	}
	if response.StatusCode == http.StatusPartialContent {
		_, a.length = contentRange(response)
	}
	return a
}

// contentRange returns where a part begins and how long the whole is, 0 if that is not known.
// A malformed one begins at -1.
func contentRange(response *http.Response) (start, total int64) {
	value, ok := strings.CutPrefix(response.Header.Get("Content-Range"), "bytes ")
	part, whole, found := strings.Cut(value, "/")
	first, _, dashed := strings.Cut(part, "-")
	if !ok || !found || !dashed {
		return -1, 0
	}
	start, err := strconv.ParseInt(first, 10, 64)
	if err != nil || start < 0 {
		return -1, 0
	}
	total, err = strconv.ParseInt(whole, 10, 64)
	if err != nil || total < 0 {
		return start, 0
	}
	return start, total
}

// strong tells whether the ETag stands for every byte.
func (a answer) strong() bool { return strings.HasPrefix(a.etag, `"`) }

// moved tells whether another host answered than the one that was asked.
func (a answer) moved() bool { return a.final.Host != a.target.Host }

// identity returns the digest that the answer gives the content by itself, "" if it gives none
// that can be relied on.
func (a answer) identity() string {
	if a.strong() && !a.moved() {
		return a.tagDigest()
	}
	return a.timeDigest()
}

func (a answer) tagDigest() string {
	if a.etag == "" {
		return ""
	}
	return byETag + hashOf(a.target.String(), a.etag)
}

func (a answer) timeDigest() string {
	if a.modified.IsZero() || a.length == 0 {
		return ""
	}
	return byModified + hashOf(a.target.String(), strconv.FormatInt(a.modified.Unix(), 10), strconv.FormatInt(a.length, 10))
}

// fits tells whether the answer may be of the content that a digest was made for.
func (a answer) fits(digest string) bool {
	return digest == a.tagDigest() || digest == a.timeDigest()
}

func hashOf(parts ...string) string {
	sum := sha256.New()
	for _, part := range parts {
		_, _ = fmt.Fprintf(sum, "%d:%s\n", len(part), part) // a hash takes all
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// checkPage refuses a web page, such as that of a login.
func checkPage(target *url.URL, response *http.Response) error {
	kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err == nil && (kind == "text/html" || kind == "application/xhtml+xml") {
		return sources.Errorf(sources.Invalid, "%s answers with a web page (%s) and not with a disk image: give the URL of the file itself, and credentials if the page is a login",
			shown(target), kind)
	}
	return nil
}

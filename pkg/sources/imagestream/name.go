// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package imagestream

import (
	"strconv"
	"strings"
	"unicode"

	"k8s.io/apimachinery/pkg/api/validate/content"

	"goldenimage.dev/pkg/sources"
)

const (
	// shownText is how much of a text of somebody else's an error repeats, in bytes.
	shownText = 300
	// maxMessage bounds the text of an error, in bytes.
	maxMessage = 1000
)

// A tagName names a tag of an ImageStream.
type tagName struct {
	namespace, name string
	// tag is "" for the first one that the ImageStream lists.
	tag string
}

// parse reads namespace/name[:tag].
func parse(location string) (tagName, error) {
	namespace, rest, _ := strings.Cut(location, "/")
	name, tag, tagged := strings.Cut(rest, ":")
	switch {
	case namespace == "" || name == "",
		tagged && tag == "",
		strings.Contains(tag, ":") || strings.Contains(tag, "/"),
		len(content.IsPathSegmentName(namespace)) > 0 || len(content.IsPathSegmentName(name)) > 0,
		strings.ContainsFunc(location, func(r rune) bool { return !unicode.IsPrint(r) || r == ' ' }):
		return tagName{}, errorf(sources.Invalid, "Illegal ImageStream name %s: give name or name:tag", show(rest))
	}
	return tagName{namespace: namespace, name: name, tag: tag}, nil
}

// show makes one short printable line of a text.
func show(text string) string {
	short := cut(text, shownText)
	if strings.ContainsFunc(short, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
		return cut(strconv.QuoteToASCII(short), shownText)
	}
	return short
}

// cut returns a text, or its beginning if it is longer than that many bytes.
func cut(text string, length int) string {
	const more = "…"
	if len(text) <= length {
		return text
	}
	return strings.ToValidUTF8(text[:length-len(more)], "") + more
}

// errorf makes an error that is not too long for a condition, whatever it repeats.
func errorf(kind sources.Kind, format string, args ...any) *sources.Error {
	err := sources.Errorf(kind, format, args...)
	err.Message = cut(err.Message, maxMessage)
	return err
}

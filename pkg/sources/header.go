// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package sources

import (
	"errors"
	"net/textproto"
	"strings"
)

// maxHeader bounds the line of a header, in bytes. Servers take some 8 KiB.
const maxHeader = 16 << 10

// ParseHeader reads a line "Name: value" into a canonical name and a value. The error repeats
// nothing of the line, which may be secret.
func ParseHeader(line string) (name, value string, err error) {
	name, value, found := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	switch {
	case len(line) > maxHeader:
		return "", "", errors.New("it is too long for a header")
	case !found || name == "":
		return "", "", errors.New("it is not of the form Name: value")
	case strings.ContainsFunc(name, func(r rune) bool { return !isToken(r) }):
		return "", "", errors.New("the name of the header has characters that are not allowed there")
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
		return "", "", errors.New("the value of the header has line breaks or control characters")
	}
	return textproto.CanonicalMIMEHeaderKey(name), value, nil
}

// isToken tells whether a character may be in the name of a header.
func isToken(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return true
	}
	return strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

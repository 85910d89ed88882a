// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A level is an object or an array that a walk is in.
type level struct {
	array bool
	// counts tells whether the values of this level and those below it are quantities.
	counts bool
	// named tells whether the key of the next value was read.
	named bool
	key   string
	index int
}

// at moves on to the next value of the level.
func (l *level) at() {
	l.named = false
	l.index++
}

// documentRefusal says why a JSON document is refused, nothing if it is not. The document is the
// value of the last of some keys, or an object by itself without any. It is read token by token:
// of two keys that are the same both count, and a document that is nested without end takes no
// stack.
func documentRefusal(document []byte, keys []string) string {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	root := level{}
	if len(keys) > 0 {
		last := len(keys) - 1
		root.key, root.counts = keys[last], slices.ContainsFunc(keys[:last], holdsQuantities)
	}
	levels := []level{root}
	for {
		token, err := decoder.Token()
		if err != nil || len(levels)-1 > maxNesting {
			return ""
		}
		var value string
		if levels, value = step(levels, token); value == "" {
			continue
		}
		if wrong := numberRefusal(value); wrong != "" {
			return fmt.Sprintf("%s: %q %s: write a quantity such as 10Gi", shorten(path(keys, levels)), shorten(value), wrong)
		}
	}
}

// step takes a walk on by a token. The value is what may be a quantity, empty if nothing is.
func step(levels []level, token json.Token) (next []level, value string) {
	top := &levels[len(levels)-1]
	if name, ok := token.(string); ok && len(levels) > 1 && !top.array && !top.named {
		top.key, top.named = name, true
		return levels, ""
	}
	switch token := token.(type) {
	case json.Delim:
		if token == '}' || token == ']' {
			return levels[:len(levels)-1], ""
		}
		top.at()
		inside := level{array: token == '[', counts: top.counts || holdsQuantities(top.key), index: -1}
		return append(levels, inside), ""
	case string:
		value = token
	case json.Number:
		value = token.String()
	}
	top.at()
	if !top.counts {
		return levels, ""
	}
	return levels, value
}

// path writes where a walk is: the keys down to its document, then those in it.
func path(keys []string, levels []level) string {
	var path strings.Builder
	for _, key := range keys {
		writeKey(&path, key)
	}
	for _, l := range levels[1:] {
		if l.array {
			path.WriteString("[" + strconv.Itoa(l.index) + "]")
		} else {
			writeKey(&path, l.key)
		}
		if path.Len() > maxShown {
			break
		}
	}
	return path.String()
}

func writeKey(path *strings.Builder, key string) {
	switch {
	case key == "" && path.Len() == 0:
	case strings.ContainsAny(key, "./[]"):
		path.WriteString("[" + key + "]")
	case path.Len() == 0:
		path.WriteString(key)
	default:
		path.WriteString("." + key)
	}
}

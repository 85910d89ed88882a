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
		top := &levels[len(levels)-1]
		value := ""
		switch token := token.(type) {
		case json.Delim:
			if token == '}' || token == ']' {
				levels = levels[:len(levels)-1]
				continue
			}
			top.at()
			levels = append(levels, level{array: token == '[', counts: top.counts || holdsQuantities(top.key), index: -1})
			continue
		case string:
			if len(levels) > 1 && !top.array && !top.named {
				top.key, top.named = token, true
				continue
			}
			value = token
		case json.Number:
			value = token.String()
		}
		top.at()
		if !top.counts {
			continue
		}
		if wrong := numberRefusal(value); wrong != "" {
			return fmt.Sprintf("%s: %q %s: write a quantity such as 10Gi", shorten(path(keys, levels)), shorten(value), wrong)
		}
	}
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

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

var (
	// conditionsLine begins a list of conditions in YAML and in a description.
	conditionsLine = regexp.MustCompile(`^( *)[cC]onditions:$`)
	conditionType  = regexp.MustCompile(`(?m)^ *(- )?[tT]ype: +(\S+)$`)
)

// sortConditions orders conditions by type: they are a set, in which several controllers
// write, each when it comes to it.
func sortConditions(lines []string) []string {
	lines = slices.Clone(lines)
	for at, line := range lines {
		found := conditionsLine.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		end := at + 1
		for end < len(lines) && belongs(lines[end], found[1]) {
			end++
		}
		conditions := items(lines[at+1 : end])
		slices.SortStableFunc(conditions, func(a, b []string) int { return cmp.Compare(typeOf(a), typeOf(b)) })
		copy(lines[at+1:end], slices.Concat(conditions...))
	}
	return lines
}

// belongs says whether a line is of the list that begins at an indentation.
func belongs(line, indent string) bool {
	return strings.HasPrefix(line, indent+" ") || strings.HasPrefix(line, indent+"- ")
}

// items splits a list where its first field comes again.
func items(lines []string) [][]string {
	var all [][]string
	for _, line := range lines {
		if first, _, _ := strings.Cut(line, ":"); len(all) == 0 || strings.HasPrefix(all[0][0], first+":") {
			all = append(all, nil)
		}
		all[len(all)-1] = append(all[len(all)-1], line)
	}
	return all
}

func typeOf(condition []string) string {
	found := conditionType.FindStringSubmatch(strings.Join(condition, "\n"))
	if found == nil {
		return ""
	}
	return found[2]
}

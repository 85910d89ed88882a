// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"regexp"
	"slices"
	"strings"
)

const age = "<age>"

// placeholders say what is replaced everywhere, in this order.
var placeholders = []struct {
	pattern *regexp.Regexp
	by      string
}{
	{regexp.MustCompile(`\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`), "<uid>"},
	{regexp.MustCompile(`\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`), "<time>"},
	{regexp.MustCompile(`\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? \+0000`), "<time>"},
	{regexp.MustCompile(`\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000`), "<time>"},
	{regexp.MustCompile(`\bsha256:[0-9a-f]{64}\b`), "sha256:<digest>"},
	// The digest's beginning, as volumes are named and tables show it.
	{regexp.MustCompile(`\b[0-9a-f]{12}\b`), "<digest>"},
	{regexp.MustCompile(`("?resourceVersion"?: ?")\d+"`), `${1}<version>"`},
	{regexp.MustCompile(`(Resource Version:\s+)\d+$`), "${1}<version>"},
	// How long a poll and an import took.
	{regexp.MustCompile(`(duration: |Duration:\s+)[0-9.]+(ms|s)\b`), "${1}<duration>"},
	{regexp.MustCompile(`(into PVC \S+ in )(\d+m)?\d+s\b`), "${1}<duration>"},
	// Which release of the server this is.
	{regexp.MustCompile(`\bv\d+\.\d+\.\d+(-[0-9a-z-]+)?\b`), "<release>"},
	// Where kubectl diff writes what it compares.
	{regexp.MustCompile(`\S*/(LIVE|MERGED)-\d+/`), "$1/"},
}

var (
	gap      = regexp.MustCompile(`\s{2,}`)
	heading  = regexp.MustCompile(`^[A-Z][A-Z0-9/-]*( [A-Z0-9/-]+)*$`)
	duration = regexp.MustCompile(`\b(\d+y)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?\b`)
	lone     = regexp.MustCompile(`^(\d+[ydhms]){1,2}$`)
	trailer  = regexp.MustCompile(`^(Error|error:|Warning:|No resources)`)
)

// ages are the columns that hold a time relative to now.
func ages() []string {
	return []string{"AGE", "LAST SEEN", "LAST-IMPORT", "LAST-POLL", "NEXT-POLL", "Age"}
}

// eventHeadings are the columns of the table of events that kubectl describe prints.
func eventHeadings() []string { return []string{"Type", "Reason", "Age", "From", "Message"} }

// Normalise replaces what differs from run to run by placeholders that say what it was, as
// <age>, <uid>, <time> and <digest>, and aligns tables anew, since the width of
// their columns depends on it. Conditions are sorted.
func Normalise(output string) string {
	lines := strings.Split(output, "\n")
	var out []string
	for at := 0; at < len(lines); {
		if columns := headings(lines[at]); columns != nil {
			end, rows := table(lines, at, columns)
			out = append(out, rows...)
			at = end
			continue
		}
		out = append(out, alone(lines[at]))
		at++
	}
	return strings.Trim(strings.Join(sortConditions(out), "\n"), "\n")
}

// headings returns the columns of a table's first line, nil if it is none.
func headings(line string) []string {
	columns := gap.Split(strings.TrimSpace(line), -1)
	if slices.Equal(columns, eventHeadings()) {
		return columns
	}
	if len(columns) < 2 {
		return nil
	}
	for _, column := range columns {
		if !heading.MatchString(column) {
			return nil
		}
	}
	return columns
}

// table renders the table that begins at a line, and returns where it ends.
func table(lines []string, at int, columns []string) (int, []string) {
	header := lines[at]
	indent := header[:len(header)-len(strings.TrimLeft(header, " "))]
	rows := [][]string{columns}
	for at++; at < len(lines); at++ {
		cells := split(header, lines[at], columns)
		if cells == nil {
			break
		}
		for i := range cells {
			cells[i] = replace(cells[i])
			if slices.Contains(ages(), columns[i]) {
				cells[i] = relative(cells[i])
			}
		}
		rows = append(rows, cells)
	}
	return at, align(indent, rows)
}

// relative replaces durations, and how often an event was seen.
func relative(cell string) string {
	if first, _, repeated := strings.Cut(cell, " (x"); repeated {
		cell = first
	}
	return duration.ReplaceAllStringFunc(cell, func(found string) string {
		if found == "" {
			return ""
		}
		return age
	})
}

// split cuts a row where its header's columns begin, or between cells if a cell is wider.
// It returns nil for what is no row.
func split(header, row string, columns []string) []string {
	if strings.TrimSpace(row) == "" || trailer.MatchString(row) {
		return nil
	}
	var starts []int
	from := 0
	for _, column := range columns {
		start := from + strings.Index(header[from:], column)
		starts = append(starts, start)
		from = start + len(column)
	}
	var cells []string
	for i, start := range starts {
		if start > 0 && start <= len(row) && row[start-1] != ' ' {
			cells = nil
			break
		}
		end := len(row)
		if i+1 < len(starts) {
			end = min(starts[i+1], end)
		}
		cells = append(cells, strings.TrimSpace(row[min(start, end):end]))
	}
	if cells == nil {
		cells = gap.Split(strings.TrimSpace(row), -1)
	}
	if len(cells) != len(columns) {
		return nil
	}
	return cells
}

// align renders rows with three spaces between columns.
func align(indent string, rows [][]string) []string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len(cell))
		}
	}
	out := make([]string, 0, len(rows))
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell + strings.Repeat(" ", widths[i]-len(cell)+3))
		}
		out = append(out, strings.TrimRight(indent+line.String(), " "))
	}
	return out
}

// alone normalises a line that belongs to no table, which may be a row without a header.
func alone(line string) string {
	line = strings.TrimRight(replace(line), " \t")
	cells := gap.Split(line, -1)
	if !slices.ContainsFunc(cells[1:], lone.MatchString) {
		return line
	}
	for i, cell := range cells {
		if i > 0 && lone.MatchString(cell) {
			cells[i] = age
		}
	}
	return strings.Join(cells, "   ")
}

func replace(text string) string {
	for _, placeholder := range placeholders {
		text = placeholder.pattern.ReplaceAllString(text, placeholder.by)
	}
	return text
}

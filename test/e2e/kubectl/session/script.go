// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// The users that a script may name.
const (
	ClusterAdmin = "cluster-admin"
	Admin        = "admin"
	Edit         = "edit"
	View         = "view"
)

// A Script is a session of one user.
type Script struct {
	// User is who the session is of.
	User string
	// Title is a sentence.
	Title string
	Steps []Step
	// rest is the comment after the last step.
	rest []string
}

// A Step is one command.
type Step struct {
	// User runs the command instead of the script's, if not empty.
	User string
	// Fails says that the command is expected to end with another status than 0.
	Fails bool
	// Command is what bash is given, with its here-documents.
	Command string
	// Output is what is expected on both streams, without blank lines around it.
	Output string
	// Line is where the command begins in the file, from 1.
	Line int
	// comment is what stands between the step before and this one.
	comment []string
}

var (
	firstLine    = regexp.MustCompile(`^# As (cluster-admin|admin|edit|view): (.+)$`)
	prompt       = regexp.MustCompile(`^(cluster-admin|admin|edit|view|)([$!]) (.+)$`)
	hereDocument = regexp.MustCompile(`<<-?\s*['"]?([A-Za-z_]+)['"]?`)
)

// Parse reads a script. An error names the line.
func Parse(text string) (*Script, error) {
	lines := strings.Split(text, "\n")
	first := firstLine.FindStringSubmatch(lines[0])
	if first == nil {
		return nil, errors.New("line 1: want: # As USER: TITLE, where USER is cluster-admin, admin, edit or view")
	}
	script := &Script{User: first[1], Title: first[2]}
	for at := 1; at < len(lines); {
		step := Step{}
		for at < len(lines) && !prompt.MatchString(lines[at]) {
			if lines[at] != "" && !isComment(lines[at]) {
				return nil, fmt.Errorf("line %d: neither a command nor a comment: %s", at+1, lines[at])
			}
			step.comment = append(step.comment, lines[at])
			at++
		}
		if at == len(lines) {
			script.rest = step.comment
			break
		}
		step.Line = at + 1
		var err error
		if at, err = step.read(lines, at); err != nil {
			return nil, err
		}
		script.Steps = append(script.Steps, step)
	}
	return script, nil
}

func isComment(line string) bool { return line == "#" || strings.HasPrefix(line, "# ") }

// read takes a command and its output from the lines and returns where it ended.
func (s *Step) read(lines []string, at int) (int, error) {
	words := prompt.FindStringSubmatch(lines[at])
	s.User, s.Fails = words[1], words[2] == "!"
	command := []string{words[3]}
	at++
	for strings.HasSuffix(command[len(command)-1], `\`) && at < len(lines) {
		command = append(command, lines[at])
		at++
	}
	for _, document := range hereDocument.FindAllStringSubmatch(strings.Join(command, "\n"), -1) {
		begin := at
		for at < len(lines) && lines[at] != document[1] {
			at++
		}
		if at == len(lines) {
			return at, fmt.Errorf("line %d: the here-document has no end: %s", s.Line, document[1])
		}
		at++
		command = append(command, lines[begin:at]...)
	}
	begin := at
	for at < len(lines) && !prompt.MatchString(lines[at]) && !isComment(lines[at]) {
		at++
	}
	s.Command = strings.Join(command, "\n")
	s.Output = strings.Trim(strings.Join(lines[begin:at], "\n"), "\n")
	return at, nil
}

// String returns the script as a file, with one blank line after each step.
func (s *Script) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "# As %s: %s\n", s.User, s.Title)
	if len(s.Steps) > 0 && len(s.Steps[0].comment) == 0 {
		text.WriteByte('\n')
	}
	for i, step := range s.Steps {
		if i > 0 {
			text.WriteByte('\n')
		}
		for _, line := range step.comment {
			text.WriteString(line + "\n")
		}
		sign := "$"
		if step.Fails {
			sign = "!"
		}
		text.WriteString(step.User + sign + " " + step.Command + "\n")
		if step.Output != "" {
			text.WriteString(step.Output + "\n")
		}
	}
	if rest := strings.Trim(strings.Join(s.rest, "\n"), "\n"); rest != "" {
		text.WriteString("\n" + rest + "\n")
	}
	return text.String()
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package session

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const session = `# As edit: a session
# that goes on

# First.
$ kubectl apply -f - <<EOF
a: b

# not a comment
EOF
created

! kubectl get das \
  -o name
Error: no

Second line

view$ kubectl get das

# The end.
`

func TestParse(t *testing.T) {
	got, err := Parse(session)
	if err != nil {
		t.Fatal(err)
	}
	want := &Script{User: Edit, Title: "a session", Steps: []Step{
		{Command: "kubectl apply -f - <<EOF\na: b\n\n# not a comment\nEOF", Output: "created", Line: 5},
		{Command: "kubectl get das \\\n  -o name", Fails: true, Output: "Error: no\n\nSecond line", Line: 12},
		{User: View, Command: "kubectl get das", Line: 18},
	}}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Script{}, Step{})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(session, got.String()); diff != "" {
		t.Errorf("it is written otherwise than it was read: %s", diff)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"a script without a user":        {"$ kubectl get das\n", "line 1: "},
		"a user that there is not":       {"# As root: all\n", "line 1: "},
		"output before a command":        {"# As view: all\n\nNAME\n", "line 3: neither"},
		"a here-document without an end": {"# As view: all\n$ kubectl apply -f - <<EOF\na: b\n", "line 2: the here-document has no end: EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse(test.text); err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// TestScriptsAreWrittenAsTheyAreRead reads every script, so that -update changes nothing but
// output, and that one which cannot be read is seen without a cluster.
func TestScriptsAreWrittenAsTheyAreRead(t *testing.T) {
	files, err := filepath.Glob("../*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			script, err := Parse(string(text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(text), script.String()); diff != "" {
				t.Errorf("run the e2e tests with -update: %s", diff)
			}
			for _, step := range script.Steps {
				if got := Normalise(step.Output); got != step.Output {
					t.Errorf("line %d: the output has what differs from run to run: %s", step.Line, cmp.Diff(step.Output, got))
				}
			}
		})
	}
}

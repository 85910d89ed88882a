//go:build e2e

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"goldenimage.dev/test/e2e/kubectl/session"
)

var update = flag.Bool("update", false, "write what kubectl prints into its scripts")

const (
	kubectlScript = "hack/cluster/kubectl.sh"
	scriptFiles   = "kubectl/*.txt"
	manifestFiles = "kubectl/manifests"
	// sessionImage is there for scripts that import.
	sessionImage = "registry.golden-image.test/disks/kubectl:1"
)

// TestKubectl runs the sessions in the directory kubectl, each in a namespace of its own.
func TestKubectl(t *testing.T) {
	push(t, sessionImage, "kubectl")
	files, err := filepath.Glob(scriptFiles)
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			script, err := session.Parse(string(text))
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			runScript(t, file, newNamespace(t, "e2e-k-"+name), script)
			if !*update {
				return
			}
			if err := os.WriteFile(file, []byte(script.String()), 0o600); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// runScript runs the commands of a script in order and compares what they print.
func runScript(t *testing.T, file, namespace string, script *session.Script) {
	t.Helper()
	shell := newShell(t, namespace)
	for i := range script.Steps {
		step := &script.Steps[i]
		user := step.User
		if user == "" {
			user = script.User
		}
		output, failed := shell.run(t, user, step.Command)
		got := session.Normalise(output)
		at := fmt.Sprintf("%s:%d: %s", file, step.Line, step.Command)
		if failed != step.Fails {
			t.Errorf("%s\nfails: %t, want %t: %s", at, failed, step.Fails, got)
		}
		if *update {
			step.Output = got
		} else if diff := cmp.Diff(step.Output, got); diff != "" {
			t.Errorf("%s\nprints (-want +got):\n%s", at, diff)
		}
	}
}

// A shell is where a script's commands run: with kubectl in its path, and the manifests in
// its directory.
type shell struct {
	directory string
	// kubeconfigs of the users.
	kubeconfigs map[string]string
}

func newShell(t *testing.T, namespace string) *shell {
	t.Helper()
	s := &shell{directory: t.TempDir(), kubeconfigs: map[string]string{}}
	if err := os.CopyFS(s.directory, os.DirFS(manifestFiles)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	program := "#!/bin/sh\nexec '" + filepath.Join(root(t), "hack/cluster/kubectl.sh") + `' --kubeconfig "$KUBECONFIG" "$@"` + "\n"
	if err := os.Mkdir(filepath.Join(s.directory, ".bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.directory, ".bin", "kubectl"), []byte(program), 0o700); err != nil { //nolint:gosec // it is a program
		t.Fatal(err)
	}
	for _, user := range []string{session.ClusterAdmin, session.Admin, session.Edit, session.View} {
		s.kubeconfigs[user] = kubeconfigOf(t, namespace, user)
	}
	return s
}

// kubeconfigOf makes a user with the cluster's role of that name in a namespace, and returns
// the user's kubeconfig.
func kubeconfigOf(t *testing.T, namespace, user string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, []byte(run(t, "", kubectlScript, "config", "view", "--raw", "--flatten")), 0o600); err != nil {
		t.Fatal(err)
	}
	config := func(args ...string) {
		run(t, "", kubectlScript, append([]string{"--kubeconfig", path, "config"}, args...)...)
	}
	config("set-context", "--current", "--namespace="+namespace)
	if user == session.ClusterAdmin {
		return path
	}
	run(t, "", kubectlScript, "-n", namespace, "create", "serviceaccount", user)
	run(t, "", kubectlScript, "-n", namespace, "create", "rolebinding", user, "--clusterrole="+user, "--serviceaccount="+namespace+":"+user)
	config("set-credentials", user, "--token="+strings.TrimSpace(run(t, "", kubectlScript, "-n", namespace, "create", "token", user)))
	config("set-context", "--current", "--user="+user)
	eventually(t, namespace, func() string { // the role binding takes a moment to be known
		_, err := try(t.Context(), t, "", kubectlScript, "--kubeconfig", path, "auth", "can-i", "list", "dataimportcrons.cdi.kubevirt.io")
		if err != nil {
			return err.Error()
		}
		return ""
	})
	return path
}

// run returns what a command prints on both streams, and whether it fails.
func (s *shell) run(t *testing.T, user, command string) (string, bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience+time.Minute)
	defer cancel()
	bash := exec.CommandContext(ctx, "bash", "-c", command)
	bash.Dir = s.directory
	bash.Env = append(os.Environ(),
		"PATH="+filepath.Join(s.directory, ".bin")+":"+os.Getenv("PATH"),
		"KUBECONFIG="+s.kubeconfigs[user],
		"KUBECACHEDIR="+filepath.Join(s.directory, ".cache", user),
		"LC_ALL=C", "TZ=UTC")
	bash.WaitDelay = time.Second // for what it left running
	var output bytes.Buffer
	bash.Stdout, bash.Stderr = &output, &output
	err := bash.Run()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", command, err)
	}
	return output.String(), err != nil
}

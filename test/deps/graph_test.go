// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package deps

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	module = "goldenimage.dev"
	root   = "../.."
)

// A node is a package with the import paths that it imports, tests apart.
type node struct {
	imports  []string
	standard bool
}

// A graph is all packages that ours import, by import path.
type graph map[string]node

// load asks the go command for the graph.
func load(t *testing.T) graph {
	t.Helper()
	touchSources(t)
	command := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Imports,Standard", "./cmd/...", "./pkg/...", "./test/...", "./hack/...")
	command.Dir = root
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, stderr.String())
	}
	g := graph{}
	for decoder := json.NewDecoder(&stdout); ; {
		var listed struct {
			ImportPath string
			Imports    []string
			Standard   bool
		}
		if err := decoder.Decode(&listed); errors.Is(err, io.EOF) {
			return g
		} else if err != nil {
			t.Fatal(err)
		}
		g[listed.ImportPath] = node{listed.Imports, listed.Standard}
	}
}

// touchSources looks at every source file, so that go test does not take a result from its
// cache that another process's reading of them has made stale.
func touchSources(t *testing.T) {
	t.Helper()
	for _, dir := range []string{"cmd", "pkg", "test", "hack"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, _ fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") {
				_, err = os.Stat(path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// ours returns the packages of this module that match a pattern, as paths below it.
func (g graph) ours(pattern string) []string {
	var found []string
	for path := range g {
		if pkg, ok := strings.CutPrefix(path, module+"/"); ok && match(pattern, pkg) {
			found = append(found, pkg)
		}
	}
	slices.Sort(found)
	return found
}

// check returns how a package breaks a rule.
func (g graph) check(pkg string, r rule) []string {
	var faults []string
	for _, imported := range g[module+"/"+pkg].imports {
		switch {
		case g.isBelow(imported, pkg):
		case r.direct != nil && !g.matchesAny(r.direct, imported):
			faults = append(faults, fmt.Sprintf("%s imports %s: it may import %v alone", pkg, short(imported), r.direct))
		case g.matchesAny(r.never, imported) && !g.matchesAny(r.except, imported):
			faults = append(faults, fmt.Sprintf("%s imports %s, which is forbidden", pkg, short(imported)))
		}
	}
	for path, way := range g.ways(pkg) {
		if g.matchesAny(r.reach, path) && !g.matchesAny(r.except, path) && !g.isBelow(path, pkg) {
			faults = append(faults, fmt.Sprintf("%s reaches %s, which is forbidden: %s", pkg, short(path), strings.Join(way, " → ")))
		}
	}
	slices.Sort(faults)
	return faults
}

// isBelow tells whether a path is a package of ours or one below it.
func (g graph) isBelow(path, pkg string) bool {
	return path == module+"/"+pkg || strings.HasPrefix(path, module+"/"+pkg+"/")
}

func (g graph) matchesAny(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		switch pattern {
		case "std":
			return g[path].standard || path == "C" || path == "unsafe"
		case "ours":
			return strings.HasPrefix(path, module+"/")
		}
		return match(pattern, short(path))
	})
}

// ways returns all that a package reaches, each with a shortest way to it.
func (g graph) ways(pkg string) map[string][]string {
	start := module + "/" + pkg
	ways := map[string][]string{start: {pkg}}
	for queue := []string{start}; len(queue) > 0; queue = queue[1:] {
		for _, next := range g[queue[0]].imports {
			if _, seen := ways[next]; !seen {
				ways[next] = append(slices.Clip(ways[queue[0]]), short(next))
				queue = append(queue, next)
			}
		}
	}
	delete(ways, start)
	return ways
}

// short cuts the module's name off a path.
func short(path string) string { return strings.TrimPrefix(path, module+"/") }

// match tells whether a path matches a pattern: * is one element, ** any number.
func match(pattern, path string) bool {
	return matchElements(strings.Split(pattern, "/"), strings.Split(path, "/"))
}

func matchElements(pattern, path []string) bool {
	if len(pattern) == 0 {
		return len(path) == 0
	}
	if pattern[0] == "**" {
		return matchElements(pattern[1:], path) || len(path) > 0 && matchElements(pattern, path[1:])
	}
	return len(path) > 0 && (pattern[0] == "*" || pattern[0] == path[0]) && matchElements(pattern[1:], path[1:])
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// newTestProc makes a folder like /proc, with processes by their ids.
func newTestProc(t *testing.T, commands map[int]string) string {
	t.Helper()
	proc := t.TempDir()
	for pid, command := range commands {
		dir := filepath.Join(proc, strconv.Itoa(pid))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, content := range map[string]string{
			"cmdline": strings.ReplaceAll(command, " ", "\x00") + "\x00",
			"stat":    strconv.Itoa(pid) + " (a (b) c) S 1 1 1 0 -1 0 0 0 0 0 150 50 7 7 20 0 1",
			"status":  "Name:\tx\nVmRSS:\t  900 kB\nRssAnon:\t  100 kB\nRssFile:\t  800 kB\n",
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return proc
}

func TestFindServers(t *testing.T) {
	for name, test := range map[string]struct {
		commands map[int]string
		want     servers
		err      string
	}{
		"by the names of their programs": {
			map[int]string{
				1: "bash /node.sh etcd", 2: "/bin/etcd --name=a", 3: "kube-apiserver --etcd-servers=x",
				4: "/golden-image-apiserver --v=2", 5: "",
			},
			servers{programEtcd: 2, programKube: 3, programOurs: 4}, "",
		},
		"one that does not run":   {map[int]string{2: "etcd", 3: "kube-apiserver"}, nil, "no process is a golden-image-apiserver"},
		"those of other clusters": {map[int]string{2: "etcd", 3: "etcd"}, nil, "more than one process is a etcd"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := findServers(newTestProc(t, test.commands))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("servers (-want +got):\n%s", diff)
			}
			if (err == nil) != (test.err == "") || (err != nil && !strings.Contains(err.Error(), test.err)) {
				t.Errorf("error = %v, want %q", err, test.err)
			}
		})
	}
}

func TestServersSums(t *testing.T) {
	proc := newTestProc(t, map[int]string{2: "etcd", 3: "kube-apiserver"})
	s := servers{programEtcd: 2, programKube: 3}
	if got, err := s.seconds(proc); err != nil || got != 4 {
		t.Errorf("processors' time = %v s, error %v; want 4 s", got, err)
	}
	if got, err := s.resident(proc); err != nil || got != 200<<10 {
		t.Errorf("memory = %v, error %v; want 200 KiB", got, err)
	}
	s[programOurs] = 4 // which has ended
	if _, err := s.seconds(proc); err == nil {
		t.Error("the time of a process that ended is no error")
	}
	if _, err := s.resident(proc); err == nil {
		t.Error("the memory of a process that ended is no error")
	}
}

func TestSyncsUnlessToldNotTo(t *testing.T) {
	for name, test := range map[string]struct {
		command string
		want    bool
	}{
		"etcd's own way":   {"etcd --name=a", true},
		"the flag":         {"etcd --unsafe-no-fsync --name=a", false},
		"a flag like that": {"etcd --unsafe-no-fsync=false", true},
	} {
		t.Run(name, func(t *testing.T) {
			proc := newTestProc(t, map[int]string{2: test.command})
			if got := (servers{programEtcd: 2}).syncs(proc); got != test.want {
				t.Errorf("syncs = %v, want %v", got, test.want)
			}
		})
	}
}

func TestSetSyncLeavesEtcdAloneThatIsAsWanted(t *testing.T) {
	s := servers{programEtcd: os.Getpid()} // which would end
	mark := filepath.Join(t.TempDir(), "mark")
	for range 2 { // again, as after a run that was killed
		if got, err := setSync(t.Context(), s, mark, true); err != nil || got[programEtcd] != os.Getpid() {
			t.Fatalf("servers = %v, error %v", got, err)
		}
	}
	if _, err := os.Stat(mark); err != nil {
		t.Errorf("the mark is not there: %v", err)
	}
	if got, err := setSync(t.Context(), s, "", false); err != nil || got[programEtcd] != os.Getpid() {
		t.Errorf("without a mark: servers = %v, error %v", got, err)
	}
}

func TestFirstAddress(t *testing.T) {
	for name, test := range map[string]struct {
		list, want string
	}{
		"of the first slice that has one": {
			`{"items":[{"endpoints":null},{"endpoints":[{"addresses":["10.0.0.7"]}],"ports":[{"port":8443}]}]}`, "10.0.0.7:8443",
		},
		"none":    {`{"items":[]}`, ""},
		"no list": {`[]`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := firstAddress([]byte(test.list))
			if got != test.want || (err == nil) != (test.want != "") {
				t.Errorf("address = %q, error %v; want %q", got, err, test.want)
			}
		})
	}
}

func TestHeapOf(t *testing.T) {
	if got, err := heapOf("heap profile: 1: 2\n# HeapAlloc = 4096\n# HeapSys = 9\n"); err != nil || got != 4096 {
		t.Errorf("heap = %v, error %v; want 4096", got, err)
	}
	if _, err := heapOf("no profile"); err == nil {
		t.Error("no error without a size")
	}
}

func TestDataDirIsSeenFromHere(t *testing.T) {
	proc := newTestProc(t, map[int]string{2: "etcd --name=a --data-dir=/var/etcd", 3: "kube-apiserver"})
	s := servers{programEtcd: 2, programKube: 3}
	if got, err := s.dataDir(proc, programEtcd); err != nil || got != filepath.Join(proc, "2/root/var/etcd") {
		t.Errorf("folder = %s, error %v", got, err)
	}
	if _, err := s.dataDir(proc, programKube); err == nil {
		t.Error("a program without the flag is no error")
	}
}

func TestSyncTimeLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	if got, err := syncTime(dir); err != nil || got <= 0 {
		t.Errorf("time = %v, error %v", got, err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left = %v, error %v", left, err)
	}
}

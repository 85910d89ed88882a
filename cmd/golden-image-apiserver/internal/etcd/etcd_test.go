// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package etcd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
)

func TestDataOutlivesTheServer(t *testing.T) {
	dir, err := os.MkdirTemp("", "etcd-") //nolint:usetesting // the path of a socket in it must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	for _, value := range []string{"", "kept"} {
		server, err := Start(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		client, err := clientv3.New(clientv3.Config{Endpoints: []string{server.Endpoint}})
		if err != nil {
			t.Fatal(err)
		}
		got, err := client.Get(t.Context(), "key")
		if err != nil {
			t.Fatal(err)
		}
		if value != "" && (len(got.Kvs) != 1 || string(got.Kvs[0].Value) != value) {
			t.Errorf("got %v, want %q", got.Kvs, value)
		}
		if _, err := client.Put(t.Context(), "key", "kept"); err != nil {
			t.Fatal(err)
		}
		if err := client.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
	}
}

func TestOnlyTheOwnUserCanReachIt(t *testing.T) {
	dir, err := os.MkdirTemp("", "etcd-") //nolint:usetesting // the path of a socket in it must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	server, err := Start(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if _, err := Start(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a second etcd on the same data: %v", err)
	}
	for _, name := range []string{"client", "peer"} {
		if _, err := os.Stat(filepath.Join(dir, "run", name)); err != nil {
			t.Errorf("socket is not a file: %v", err)
		}
	}
	info, err := os.Stat(filepath.Join(dir, "run"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 {
		t.Errorf("the sockets' directory has mode %v", info.Mode())
	}
}

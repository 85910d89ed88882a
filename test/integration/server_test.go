// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"goldenimage.dev/cmd/golden-image-apiserver/app"
	"goldenimage.dev/pkg/generated/clientset/versioned"
)

// A server is a running API server.
type server struct {
	client *versioned.Clientset
	config *rest.Config
	// etcd is where the server's etcd listens.
	etcd []string
	// kill ends the server and waits until it has.
	kill func()
}

// start runs a server on the etcd data in dir, until the test ends or it is killed.
func start(t *testing.T, dir string) *server {
	t.Helper()
	return startOn(t, dir, nil)
}

// startOn runs a server on an etcd that is there; on one of its own in dir if there is none.
func startOn(t *testing.T, dir string, etcd []string) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	options := app.NewOptions()
	options.DataDir = dir
	options.Controllers = false
	options.Recommended.Etcd.StorageConfig.Transport.ServerList = etcd
	options.Recommended.SecureServing.Listener = listener
	options.Recommended.SecureServing.BindAddress = net.IPv4(127, 0, 0, 1)
	options.Recommended.SecureServing.BindPort = listener.Addr().(*net.TCPAddr).Port
	options.Recommended.SecureServing.ServerCert.CertDirectory = filepath.Join(dir, "certs")
	// What needs a Kubernetes API beside the server is left out.
	options.Recommended.CoreAPI = nil
	options.Recommended.Authentication = nil
	options.Recommended.Authorization = nil
	options.Recommended.Admission = nil
	options.Recommended.Features.EnablePriorityAndFairness = false

	ctx, cancel := context.WithCancel(t.Context())
	config, stop, err := options.Config(ctx)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	apiserver, err := config.Complete().New()
	if err != nil {
		cancel()
		stop()
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- apiserver.Run(ctx) }()
	killed := false
	kill := func() {
		if killed {
			return
		}
		killed = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("server ended: %v", err)
		}
		stop()
	}
	t.Cleanup(kill)

	loopback := rest.CopyConfig(config.Generic.LoopbackClientConfig)
	loopback.QPS = -1
	client, err := versioned.NewForConfig(loopback)
	if err != nil {
		t.Fatal(err)
	}
	waitReady(t, client)
	return &server{client: client, config: loopback, etcd: options.Recommended.Etcd.StorageConfig.Transport.ServerList, kill: kill}
}

func waitReady(t *testing.T, client *versioned.Clientset) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		if err := client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error(); err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal("server is not ready after a minute")
		case <-ticker.C:
		}
	}
}

// dataDir returns a directory whose path is short enough for a socket in it.
func dataDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "golden-image-") //nolint:usetesting // the path of a socket in it must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

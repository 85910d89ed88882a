// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package openapi

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/client-go/discovery"
	"k8s.io/kube-openapi/pkg/spec3"

	"goldenimage.dev/cmd/golden-image-apiserver/app"
)

const documentPath = "/openapi/v3" + prefix

// fetch returns the document of a server that runs for as long as that takes.
func fetch(t *testing.T) *spec3.OpenAPI {
	t.Helper()
	dir, err := os.MkdirTemp("", "golden-image-") //nolint:usetesting // the path of a socket in it must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	config, stop, err := options(t, dir).Config(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	server, err := config.Complete().New()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("server ended: %v", err)
		}
	}()
	client, err := discovery.NewDiscoveryClientForConfig(config.Generic.LoopbackClientConfig)
	if err != nil {
		t.Fatal(err)
	}
	document := &spec3.OpenAPI{}
	if err := json.Unmarshal(waitFor(ctx, t, client), document); err != nil {
		t.Fatal(err)
	}
	return document
}

// options are those of a server without a Kubernetes API beside it.
func options(t *testing.T, dir string) *app.Options {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	options := app.NewOptions()
	options.DataDir = dir
	options.Controllers = false
	options.Recommended.SecureServing.Listener = listener
	options.Recommended.SecureServing.BindAddress = net.IPv4(127, 0, 0, 1)
	options.Recommended.SecureServing.BindPort = listener.Addr().(*net.TCPAddr).Port
	options.Recommended.SecureServing.ServerCert.CertDirectory = filepath.Join(dir, "certs")
	options.Recommended.CoreAPI = nil
	options.Recommended.Authentication = nil
	options.Recommended.Authorization = nil
	options.Recommended.Admission = nil
	options.Recommended.Features.EnablePriorityAndFairness = false
	return options
}

func waitFor(ctx context.Context, t *testing.T, client *discovery.DiscoveryClient) []byte {
	t.Helper()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		body, err := client.RESTClient().Get().AbsPath(documentPath).DoRaw(ctx)
		if err == nil {
			return body
		}
		select {
		case <-ctx.Done():
			t.Fatalf("there is no document after two minutes: %v", err)
		case <-ticker.C:
		}
	}
}

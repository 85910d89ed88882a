// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// server is a registry in this process, with all that it holds in memory.
type server struct {
	host  string
	inner *http.Server
	// heads counts the manifests that were asked for by HEAD.
	heads atomic.Int64
}

func serve(ctx context.Context) (*server, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	quiet := log.New(io.Discard, "", 0)
	s, store := &server{host: listener.Addr().String()}, registry.New(registry.Logger(quiet))
	count := func(w http.ResponseWriter, request *http.Request) {
		if request.Method == http.MethodHead && strings.Contains(request.URL.Path, "/manifests/") {
			s.heads.Add(1)
		}
		store.ServeHTTP(w, request)
	}
	s.inner = &http.Server{Handler: http.HandlerFunc(count), ErrorLog: quiet, ReadHeaderTimeout: time.Minute}
	go func() { _ = s.inner.Serve(listener) }() // it ends with close
	return s, nil
}

func (s *server) close() error { return s.inner.Close() }

// pushed is an image in the registry.
type pushed struct {
	tag    string // host/disk:tag
	pinned string // host/disk@digest
	digest string
	// blob is the URL of the only layer, and blobDigest and blobSize what it must yield.
	blob       string
	blobDigest string
	blobSize   int64
}

// push stores an image of one layer.
func (s *server) push(ctx context.Context, tag string, image v1.Image) (pushed, error) {
	ref, err := name.NewTag(s.host+"/disk:"+tag, name.StrictValidation)
	if err != nil {
		return pushed{}, err
	}
	if err := remote.Write(ref, image, remote.WithContext(ctx)); err != nil {
		return pushed{}, fmt.Errorf("push %s: %w", ref, err)
	}
	digest, err1 := image.Digest()
	manifest, err2 := image.Manifest()
	if err := errors.Join(err1, err2); err != nil {
		return pushed{}, err
	}
	layer := manifest.Layers[0]
	return pushed{
		tag: ref.Name(), pinned: ref.Context().Digest(digest.String()).Name(), digest: digest.String(),
		blob:       "http://" + s.host + "/v2/disk/blobs/" + layer.Digest.String(),
		blobDigest: layer.Digest.Hex, blobSize: layer.Size,
	}, nil
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// liveRegistry is a registry that the server in the cluster reaches. It counts all requests.
type liveRegistry struct {
	host     string
	inner    *http.Server
	requests atomic.Int64
	// digests are what the tags hold: tag i has number i, modulo their number.
	digests []string
}

// localAddress is by which a peer, as https://host:port, reaches this machine.
func localAddress(ctx context.Context, peer string) (string, error) {
	target, err := url.Parse(peer)
	if err != nil {
		return "", err
	}
	// Nothing is sent.
	connection, err := (&net.Dialer{}).DialContext(ctx, "udp", target.Host)
	if err != nil {
		return "", fmt.Errorf("find the way to the server: %w", err)
	}
	host, _, err := net.SplitHostPort(connection.LocalAddr().String())
	if err != nil {
		_ = connection.Close()
		return "", err
	}
	return host, connection.Close()
}

// serveLive returns a registry of a number of tags, each in a repository of its own. As polls ask
// for a tag and not for what it holds, they share the contents of liveImages images: so crons can
// turn to another tag without another import.
func serveLive(ctx context.Context, address string, tags int) (*liveRegistry, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		return nil, err
	}
	quiet := log.New(io.Discard, "", 0)
	r, store := &liveRegistry{host: listener.Addr().String()}, registry.New(registry.Logger(quiet))
	for i := range tags {
		manifest := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":%q,"size":2,`+
			`"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"layers":[],"annotations":{"number":"%d"}}`,
			types.OCIManifestSchema1, types.OCIConfigJSON, i%liveImages)
		request := httptest.NewRequestWithContext(ctx, http.MethodPut, "/v2/"+tagOf(i)+"/manifests/latest", bytes.NewReader(manifest))
		request.Header.Set("Content-Type", string(types.OCIManifestSchema1))
		answer := httptest.NewRecorder()
		if store.ServeHTTP(answer, request); answer.Code != http.StatusCreated {
			return nil, fmt.Errorf("push %s: %d %s", tagOf(i), answer.Code, answer.Body)
		}
		if i < liveImages {
			sum := sha256.Sum256(manifest)
			r.digests = append(r.digests, hex.EncodeToString(sum[:]))
		}
	}
	count := func(w http.ResponseWriter, request *http.Request) {
		r.requests.Add(1)
		store.ServeHTTP(w, request)
	}
	r.inner = &http.Server{Handler: http.HandlerFunc(count), ErrorLog: quiet, ReadHeaderTimeout: time.Minute}
	go func() { _ = r.inner.Serve(listener) }() // it ends with close
	return r, nil
}

func (r *liveRegistry) close() error { return r.inner.Close() }

// tagOf is the repository of a tag.
func tagOf(i int) string { return fmt.Sprintf("image-%05d", i) }

func (r *liveRegistry) url(i int) string { return "docker://" + r.host + "/" + tagOf(i) + ":latest" }

// digest is what a tag holds, without the algorithm.
func (r *liveRegistry) digest(i int) string { return r.digests[i%len(r.digests)] }

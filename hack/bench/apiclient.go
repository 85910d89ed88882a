// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// Media types that are asked for or sent.
const (
	typeJSON  = "application/json"
	typePatch = "application/merge-patch+json"
	// typeMetadata is how the garbage collector and namespace deletion list.
	typeMetadata = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
)

// An apiClient sends requests to the API server with the TLS settings, the credentials and the
// HTTP/2 of client-go, over connections of its own and as fast as it can. What it receives is
// not decoded: that would cost as much as serving it does, on the same processors.
type apiClient struct {
	host string
	http *http.Client
}

// newAPIClient returns a client. Without compression it does not ask for gzip, as client-go does
// unless it is told not to.
func newAPIClient(config *rest.Config, compression bool) (*apiClient, error) {
	settings, err := rest.TLSConfigFor(config)
	if err != nil {
		return nil, fmt.Errorf("read the TLS settings of the kubeconfig: %w", err)
	}
	transport := &http.Transport{TLSClientConfig: settings, ForceAttemptHTTP2: true, DisableCompression: !compression}
	wrapped, err := rest.HTTPWrappersForConfig(config, transport)
	if err != nil {
		return nil, fmt.Errorf("read the credentials of the kubeconfig: %w", err)
	}
	return &apiClient{host: config.Host, http: &http.Client{Transport: wrapped}}, nil
}

// A call is one request.
type call struct {
	method, path string
	// accept is JSON if it is empty.
	accept string
	// contentType of the body, if there is one.
	contentType string
	body        []byte
}

// open sends a request and returns the answer's body, which the caller closes. What is not a
// success is an error, a *failure.
func (c *apiClient) open(ctx context.Context, r call) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, r.method, c.host+r.path, bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", cmp.Or(r.accept, typeJSON))
	if r.contentType != "" {
		request.Header.Set("Content-Type", r.contentType)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode/100 == 2 {
		return response.Body, nil
	}
	defer func() { _ = response.Body.Close() }()
	failed := &failure{method: r.method, path: r.path, code: response.StatusCode}
	if content, err := io.ReadAll(io.LimitReader(response.Body, 1<<20)); err == nil {
		var status metav1.Status
		if json.Unmarshal(content, &status) == nil {
			failed.message = status.Message
		}
	}
	return nil, failed
}

// send sends a request and returns the whole answer.
func (c *apiClient) send(ctx context.Context, r call) (content []byte, err error) {
	body, err := c.open(ctx, r)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	return io.ReadAll(body)
}

// A failure is an answer that is not a success.
type failure struct {
	method, path string
	code         int
	message      string
}

func (f *failure) Error() string {
	return fmt.Sprintf("%s %s: %d %s", f.method, f.path, f.code, cmp.Or(f.message, http.StatusText(f.code)))
}

// hasCode tells whether an error is an answer with that code.
func hasCode(err error, code int) bool {
	var failed *failure
	return errors.As(err, &failed) && failed.code == code
}

// eventually repeats what it is given until that returns true, an error, or some time has gone.
func eventually(ctx context.Context, what string, done func(context.Context) (bool, error)) error {
	const limit, interval = 2 * time.Minute, 100 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		if ok, err := done(ctx); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", what, ctx.Err())
		case <-ticker.C:
		}
	}
}

// inParallel calls do with 0 to n-1, some at a time, until one fails.
func inParallel(ctx context.Context, workers, n int, do func(ctx context.Context, i int) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var next atomic.Int64
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := do(ctx, i); err != nil {
					stop(err)
				}
			}
		})
	}
	running.Wait()
	return context.Cause(ctx)
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	watchers = 100
	changes  = 200
)

// fanOut changes objects that many watch, until all have seen all changes.
func (b *apiBench) fanOut(ctx context.Context, s *side, round int) ([]measured, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	version, err := versionOf(ctx, s)
	if err != nil {
		return nil, err
	}
	path := query(s.collection(namespaceFull), paramWatch, valueTrue, paramVersion, version)
	bodies := make([]io.ReadCloser, watchers)
	defer func() {
		for _, body := range bodies {
			if body != nil {
				_ = body.Close()
			}
		}
	}()
	err = inParallel(ctx, parallelRequests, watchers, func(_ context.Context, i int) (err error) {
		bodies[i], err = s.client.open(ctx, call{method: http.MethodGet, path: path})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	var written time.Time
	took, work, err := b.timed(func() error {
		seen := make(chan error, 1)
		go func() {
			seen <- inParallel(ctx, watchers, watchers, func(_ context.Context, i int) error {
				return readChanges(bodies[i])
			})
		}()
		err := inParallel(ctx, parallelRequests, changes, func(ctx context.Context, i int) error {
			return s.patch(ctx, namespaceFull, nameOf(i), (round+1)*changes+i)
		})
		written = time.Now()
		if err != nil {
			stop() // and with that the watches
		}
		return errors.Join(err, <-seen)
	})
	lag := time.Since(written).Seconds() * milliseconds
	what := strconv.Itoa(watchers) + " watches see " + strconv.Itoa(changes) + " changes"
	return []measured{
		{what, unitRate, watchers * changes / took},
		{what + ", after the last write", unitMillisecond, lag},
		{what + ", processors' time", unitSecond, work},
	}, err
}

// versionOf returns the current version of the objects.
func versionOf(ctx context.Context, s *side) (string, error) {
	content, err := s.client.send(ctx, call{method: http.MethodGet, path: query(s.collection(namespaceFull), "limit", "1")})
	if err != nil {
		return "", err
	}
	var list metav1.PartialObjectMetadataList
	if err := json.Unmarshal(content, &list); err != nil {
		return "", fmt.Errorf("read the list: %w", err)
	}
	return list.ResourceVersion, nil
}

// readChanges returns when a watch has delivered all changes.
func readChanges(watch io.Reader) error {
	lines := bufio.NewReaderSize(watch, 16<<10)
	for seen := 0; seen < changes; {
		line, err := lines.ReadSlice('\n')
		if err != nil {
			return fmt.Errorf("after %d changes: %w", seen, err)
		}
		if bytes.HasPrefix(line, []byte(`{"type":"MODIFIED"`)) {
			seen++
		}
	}
	return nil
}

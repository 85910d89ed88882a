// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	importer "goldenimage.dev/pkg/apis/importer/v1"
)

// Progress prints the latest progress at an even pace.
type Progress struct {
	out io.Writer

	mu     sync.Mutex
	latest importer.Progress

	stop chan struct{}
	done chan struct{}
}

// Start begins to print to out every importer.ProgressInterval, at once for the first time.
// Errors of out are not the worker's concern: who does not read it gets no progress.
func Start(out io.Writer) *Progress {
	p := &Progress{out: out, stop: make(chan struct{}), done: make(chan struct{})}
	go p.run()
	return p
}

// Set replaces what is printed next. It does not wait for out.
func (p *Progress) Set(latest importer.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.latest = latest
}

// Latest returns what was set last.
func (p *Progress) Latest() importer.Progress {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.latest
}

// Stop prints once more and ends.
func (p *Progress) Stop() {
	close(p.stop)
	<-p.done
}

func (p *Progress) run() {
	defer close(p.done)
	ticker := time.NewTicker(importer.ProgressInterval)
	defer ticker.Stop()
	encoder := json.NewEncoder(p.out)
	for {
		_ = encoder.Encode(p.Latest()) // see Start
		select {
		case <-ticker.C:
		case <-p.stop:
			_ = encoder.Encode(p.Latest()) // see Start
			return
		}
	}
}

// Write leaves a Result at path, cut to importer.MaxResultBytes.
func Write(path string, r importer.Result) error {
	content, err := Encode(r)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, content, 0o644); err != nil { //nolint:gosec // the kubelet reads it
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}

// Encode returns a Result as JSON of at most importer.MaxResultBytes. If it is longer, the
// message loses its end first, and then labels are left out, the last ones first.
func Encode(r importer.Result) ([]byte, error) {
	r.Labels = maps.Clone(r.Labels)
	for {
		content, err := json.Marshal(r)
		if err != nil {
			return nil, fmt.Errorf("encode the result: %w", err)
		}
		excess := len(content) - importer.MaxResultBytes
		if excess <= 0 {
			return content, nil
		}
		const ellipsis, least = "…", 256
		keys := slices.Sorted(maps.Keys(r.Labels))
		switch {
		case len(r.Message) > least || len(keys) == 0:
			keep := max(len(r.Message)-excess-len(ellipsis), min(least, len(r.Message)/2))
			r.Message = strings.ToValidUTF8(r.Message[:keep], "") + ellipsis
		default:
			delete(r.Labels, keys[len(keys)-1])
		}
	}
}

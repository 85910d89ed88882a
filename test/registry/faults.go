// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"
)

// Faults are how a registry misbehaves. The zero value behaves.
type Faults struct {
	// Steps answer instead of the registry; the first that applies does.
	Steps []Step
	// NoDigestHeader leaves Docker-Content-Digest out of answers to manifests.
	NoDigestHeader bool
	// DigestHeader is sent instead of the right one, unless it is empty.
	DigestHeader string
	// NoHead refuses HEAD with status 405.
	NoHead bool
	// OtherManifest is sent instead of every manifest, unless it is nil.
	OtherManifest []byte
	// ContentType is sent with manifests instead of the right one, unless it is empty.
	ContentType string
	// AfterHead is called after each answer to a HEAD of a manifest, and before the next request
	// of its connection, unless it is nil.
	AfterHead func()
	// BreakManifestAt ends the connection after this many bytes of a manifest, and
	// TruncateManifestAt makes it end there as if it were no longer, unless they are 0.
	BreakManifestAt, TruncateManifestAt int
	// EndlessManifest sends manifests that do not end.
	EndlessManifest bool

	// The faults below are of blobs that are larger than BlobsFrom bytes.
	BlobsFrom int
	// CorruptAt changes the byte at this offset, unless it is 0.
	CorruptAt int
	// TruncateAt makes blobs end at this offset, as if they were no longer.
	TruncateAt int
	// BreakAfter ends the connection after this many bytes of each answer.
	BreakAfter int
	// StallAfter sends no more after this many bytes, and keeps the connection.
	StallAfter int
	// Append is sent after a blob's own bytes.
	Append []byte
	// NoRange ignores Range headers.
	NoRange bool
}

func (r *Registry) serve(w http.ResponseWriter, request *http.Request, f Faults) {
	switch {
	case request.Method == http.MethodHead && f.NoHead:
		w.WriteHeader(http.StatusMethodNotAllowed)
	case strings.Contains(request.URL.Path, "/manifests/"):
		r.serveManifest(w, request, f)
	case strings.Contains(request.URL.Path, "/blobs/") && request.Method == http.MethodGet:
		r.serveBlob(w, request, f)
	default:
		r.store.ServeHTTP(w, request)
	}
}

func (r *Registry) serveBlob(w http.ResponseWriter, request *http.Request, f Faults) {
	whole := request.Clone(request.Context())
	whole.Header.Del("Range")
	recorder := httptest.NewRecorder()
	r.store.ServeHTTP(recorder, whole)
	body := recorder.Body.Bytes()
	if recorder.Code != http.StatusOK || len(body) < f.BlobsFrom {
		f = Faults{}
	}
	body = f.apply(body)
	if recorder.Code != http.StatusOK {
		w.WriteHeader(recorder.Code)
		_, _ = w.Write(body) // the client notices
		return
	}
	if f.NoRange {
		request = whole
	}
	out := http.ResponseWriter(w)
	if limit := max(f.BreakAfter, f.StallAfter); limit > 0 {
		out = &breaking{ResponseWriter: w, left: limit, stall: f.StallAfter > 0, registry: r, request: request}
	}
	out.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(out, request, "", time.Time{}, bytes.NewReader(body))
}

func (f Faults) apply(body []byte) []byte {
	body = append(bytes.Clone(body), f.Append...)
	if f.CorruptAt > 0 && f.CorruptAt < len(body) {
		body[f.CorruptAt] ^= 0x40
	}
	if f.TruncateAt > 0 && f.TruncateAt < len(body) {
		body = body[:f.TruncateAt]
	}
	return body
}

// breaking passes some bytes on, and then breaks the connection or is silent.
type breaking struct {
	http.ResponseWriter
	left     int
	stall    bool
	registry *Registry
	request  *http.Request
}

func (b *breaking) Write(p []byte) (int, error) {
	n, err := b.ResponseWriter.Write(p[:min(len(p), b.left)])
	if b.left -= n; b.left > 0 || err != nil {
		return n, err
	}
	http.NewResponseController(b.ResponseWriter).Flush() //nolint:errcheck // the client notices
	if b.stall {
		b.registry.wait(b.request)
	}
	panic(http.ErrAbortHandler)
}

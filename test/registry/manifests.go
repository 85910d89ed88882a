// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"bytes"
	"maps"
	"net/http"
	"net/http/httptest"
)

func (r *Registry) serveManifest(w http.ResponseWriter, request *http.Request, f Faults) {
	recorder := httptest.NewRecorder()
	r.store.ServeHTTP(recorder, request)
	maps.Copy(w.Header(), recorder.Header())
	if recorder.Code == http.StatusOK {
		f.changeHeader(w.Header())
	}
	body := recorder.Body.Bytes()
	switch {
	case f.OtherManifest != nil:
		body = f.OtherManifest
		w.Header().Del("Content-Length")
	case f.EndlessManifest || f.TruncateManifestAt > 0:
		w.Header().Del("Content-Length")
	}
	w.WriteHeader(recorder.Code)
	if request.Method != http.MethodHead {
		f.writeManifest(w, body)
		return
	}
	if f.AfterHead != nil {
		f.AfterHead()
	}
}

func (f Faults) changeHeader(header http.Header) {
	if f.NoDigestHeader {
		header.Del("Docker-Content-Digest")
	}
	if f.DigestHeader != "" {
		header.Set("Docker-Content-Digest", f.DigestHeader)
	}
	if f.ContentType != "" {
		header.Set("Content-Type", f.ContentType)
	}
}

// writeManifest leaves errors of writing out: the client notices.
func (f Faults) writeManifest(w http.ResponseWriter, body []byte) {
	switch {
	case f.EndlessManifest:
		for chunk := bytes.Repeat([]byte(" "), 64<<10); ; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	case f.BreakManifestAt > 0:
		_, _ = w.Write(body[:min(f.BreakManifestAt, len(body))])
		http.NewResponseController(w).Flush() //nolint:errcheck // see above
		panic(http.ErrAbortHandler)
	case f.TruncateManifestAt > 0:
		body = body[:min(f.TruncateManifestAt, len(body))]
	}
	_, _ = w.Write(body)
}

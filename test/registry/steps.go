// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"crypto/tls"
	"net"
	"net/http"
	"strings"
)

// A Step is one answer that stands for an error.
type Step struct {
	// Method of the requests that it answers; empty means all.
	Method string
	// Path is a part of the request's path, such as /manifests/; empty means all but those for
	// tokens, whose path is /token. Who is not authorized yet meets no other step.
	Path string
	// Times is how many requests it answers; 0 means all.
	Times int

	// Status of the answer, and the error code in its body.
	Status int
	Code   string
	// RetryAfter is the header, left out if empty.
	RetryAfter string
	// Location to redirect to, left out if empty.
	Location string
	// Header is sent besides.
	Header map[string]string

	// Reset breaks the connection instead of an answer, as a machine does that restarts.
	Reset bool
	// Stall gives no answer until the client leaves or the test ends.
	Stall bool
}

func (s Step) applies(request *http.Request) bool {
	return strings.Contains(request.URL.Path, s.Path) && (s.Method == "" || s.Method == request.Method)
}

func (r *Registry) serveStep(w http.ResponseWriter, request *http.Request, s Step) {
	switch {
	case s.Reset:
		reset(w)
	case s.Stall:
		r.wait(request)
		panic(http.ErrAbortHandler)
	}
	for name, value := range s.Header {
		w.Header().Set(name, value)
	}
	if s.RetryAfter != "" {
		w.Header().Set("Retry-After", s.RetryAfter)
	}
	if s.Location != "" {
		w.Header().Set("Location", s.Location)
	}
	writeError(w, s.Status, s.Code)
}

// wait returns when the client has left or the test ends.
func (r *Registry) wait(request *http.Request) {
	select {
	case <-r.release:
	case <-request.Context().Done():
	}
}

// reset closes a connection so that the peer sees a reset, and ends its handler.
func reset(w http.ResponseWriter) {
	if connection, _, err := http.NewResponseController(w).Hijack(); err == nil {
		if encrypted, ok := connection.(*tls.Conn); ok {
			connection = encrypted.NetConn()
		}
		if plain, ok := connection.(*net.TCPConn); ok {
			_ = plain.SetLinger(0) // then the client sees an end
		}
		_ = connection.Close() // there is nobody to tell
	}
	panic(http.ErrAbortHandler)
}

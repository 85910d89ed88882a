// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	ggcr "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"goldenimage.dev/pkg/apis/cdi/reference"
)

// A Registry is a running registry. Its methods are safe for concurrent use.
type Registry struct {
	// Host is where it listens, as host:port.
	Host string

	server *httptest.Server
	store  http.Handler
	config Config

	mu       sync.Mutex
	faults   Faults
	requests []Request
	release  chan struct{}
}

// Config is how a registry is set up. The zero value has TLS and lets everybody in.
type Config struct {
	// PlainHTTP leaves TLS out.
	PlainHTTP bool
	// Username and Password that are asked for, none if they are empty.
	Username, Password string
	// Token asks for the credentials at a token service, not at each request.
	Token bool
}

// A Request is what the registry saw of one, without its credentials.
type Request struct {
	Method, Path, UserAgent, Accept, Range string
	// Address of the client, which tells connections apart.
	Address string
}

// token is what the token service gives to whoever has the credentials.
const token = "token-of-the-fake-registry"

// New starts a registry, which ends with the test.
func New(t testing.TB, c Config) *Registry {
	t.Helper()
	r := &Registry{store: ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0))), config: c, release: make(chan struct{})}
	r.server = httptest.NewUnstartedServer(r)
	// Broken handshakes are what some tests are about.
	r.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	if c.PlainHTTP {
		r.server.Start()
	} else {
		r.server.StartTLS()
	}
	r.Host = r.server.Listener.Addr().String()
	t.Cleanup(func() {
		close(r.release)
		r.server.CloseClientConnections()
		r.server.Close()
	})
	return r
}

// CertificatePEM returns the authority that vouches for the registry, nil without TLS.
func (r *Registry) CertificatePEM() []byte {
	if r.config.PlainHTTP {
		return nil
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.server.Certificate().Raw})
}

// SetFaults changes how the registry misbehaves from the next request on.
func (r *Registry) SetFaults(f Faults) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = f
}

// Requests returns what the registry has seen since it started or since the last call.
func (r *Registry) Requests() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := r.requests
	r.requests = nil
	return seen
}

// URL returns the docker:// URL of what a repository holds by an identifier.
func (r *Registry) URL(repository, identifier string) string {
	separator := ":"
	if strings.Contains(identifier, ":") {
		separator = "@"
	}
	return "docker://" + r.Host + "/" + repository + separator + identifier
}

// Push stores an image or an index under a tag, past all faults, and returns its digest.
func (r *Registry) Push(t testing.TB, repository, tag string, what remote.Taggable) string {
	t.Helper()
	ref, err := reference.Parse(r.URL(repository, tag))
	if err != nil {
		t.Fatal(err)
	}
	remoteRepository, err := ref.Remote(true)
	if err != nil {
		t.Fatal(err)
	}
	target, options := remoteRepository.Tag(tag), []remote.Option{remote.WithTransport(inProcess{r.store}), remote.WithContext(t.Context())}
	var digest v1.Hash
	switch w := what.(type) {
	case v1.Image:
		err = remote.Write(target, w, options...)
		digest, _ = w.Digest()
	case v1.ImageIndex:
		err = remote.WriteIndex(target, w, options...)
		digest, _ = w.Digest()
	default:
		t.Fatalf("%T is neither an image nor an index", what)
	}
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

// inProcess hands requests to a handler without a network.
type inProcess struct{ handler http.Handler }

func (p inProcess) RoundTrip(request *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	if request.Body == nil {
		request.Body = http.NoBody
	}
	p.handler.ServeHTTP(recorder, request)
	response := recorder.Result()
	response.Request = request
	return response, nil
}

// ServeHTTP answers like a registry, but for the faults.
func (r *Registry) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	r.requests = append(r.requests, Request{
		Method: request.Method, Path: request.URL.Path, UserAgent: request.UserAgent(),
		Accept: request.Header.Get("Accept"), Range: request.Header.Get("Range"), Address: request.RemoteAddr,
	})
	faults := r.faults
	r.mu.Unlock()
	switch {
	case request.URL.Path == "/token":
		r.serveToken(w, request)
	case !r.authorized(request):
		r.challenge(w)
	case slices.ContainsFunc(faults.Steps, func(s Step) bool { return s.applies(request) }):
		i := slices.IndexFunc(faults.Steps, func(s Step) bool { return s.applies(request) })
		faults.Steps[i].serve(w)
	default:
		r.serve(w, request, faults)
	}
}

func (r *Registry) authorized(request *http.Request) bool {
	if r.config.Username == "" {
		return true
	}
	if r.config.Token {
		return request.Header.Get("Authorization") == "Bearer "+token
	}
	return r.knows(request)
}

func (r *Registry) knows(request *http.Request) bool {
	username, password, ok := request.BasicAuth()
	return ok && username == r.config.Username && password == r.config.Password
}

func (r *Registry) challenge(w http.ResponseWriter) {
	value := `Basic realm="fake"`
	if r.config.Token {
		value = `Bearer realm="` + r.server.URL + `/token",service="fake"`
	}
	w.Header().Set("WWW-Authenticate", value)
	writeError(w, http.StatusUnauthorized, "UNAUTHORIZED")
}

func (r *Registry) serveToken(w http.ResponseWriter, request *http.Request) {
	if !r.knows(request) {
		writeError(w, http.StatusUnauthorized, "UNAUTHORIZED")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"token": token}) // the client notices
}

func writeError(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []map[string]string{{"code": code, "message": "ordered by the test"}}}) // the client notices
}

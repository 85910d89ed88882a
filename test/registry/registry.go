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
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	ggcr "github.com/google/go-containerregistry/pkg/registry"
)

// A Registry is a running registry. Its methods are safe for concurrent use.
type Registry struct {
	// Host is where it listens, as host:port.
	Host string

	server *httptest.Server
	store  http.Handler
	config Config

	mu     sync.Mutex
	faults Faults
	// answers counts, by step, how often it has answered.
	answers  []int
	tokens   int
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
	// TokenLives is how long tokens are said to be good for; 0 means that is not said.
	TokenLives time.Duration
}

// A Request is what the registry saw of one, without its credentials.
type Request struct {
	Method, Path, UserAgent, Accept, Range string
	// Authorized tells that it had a credential or a token.
	Authorized bool
	// Address of the client, which tells connections apart.
	Address string
}

// token is what the token service gives to whoever has the credentials, before its number.
const token = "token-of-the-fake-registry"

// tokenPath is where the token service is.
const tokenPath = "/token"

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
	r.faults, r.answers = f, make([]int, len(f.Steps))
}

// ExpireTokens makes all tokens invalid that were given so far.
func (r *Registry) ExpireTokens() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tokens++
}

func (r *Registry) token() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return token + "-" + strconv.Itoa(r.tokens)
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

// ServeHTTP answers like a registry, but for the faults.
func (r *Registry) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	faults, step := r.note(request)
	switch {
	case step != nil:
		r.serveStep(w, request, *step)
	case request.URL.Path == tokenPath:
		r.serveToken(w, request)
	case !r.authorized(request):
		r.challenge(w)
	default:
		r.serve(w, request, faults)
	}
}

// note records a request. It returns how the registry misbehaves now, and the step that answers,
// nil if none does.
func (r *Registry) note(request *http.Request) (Faults, *Step) {
	// Who has to authenticate first is told so first, and gets a token unless the step is about
	// tokens.
	ready := request.URL.Path != tokenPath && r.authorized(request)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, Request{
		Method: request.Method, Path: request.URL.Path, UserAgent: request.UserAgent(), Authorized: request.Header.Get("Authorization") != "",
		Accept: request.Header.Get("Accept"), Range: request.Header.Get("Range"), Address: request.RemoteAddr,
	})
	for i, s := range r.faults.Steps {
		if s.applies(request) && (ready || s.Path == tokenPath) && (s.Times == 0 || r.answers[i] < s.Times) {
			r.answers[i]++
			return r.faults, &s
		}
	}
	return r.faults, nil
}

func (r *Registry) authorized(request *http.Request) bool {
	if r.config.Username == "" {
		return true
	}
	if r.config.Token {
		return request.Header.Get("Authorization") == "Bearer "+r.token()
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
		value = `Bearer realm="` + r.server.URL + tokenPath + `",service="fake"`
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
	answer := map[string]any{"token": r.token()}
	if lives := r.config.TokenLives; lives > 0 {
		answer["expires_in"] = int(lives.Seconds())
	}
	_ = json.NewEncoder(w).Encode(answer) // the client notices
}

func writeError(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []map[string]string{{"code": code, "message": "ordered by the test"}}}) // the client notices
}

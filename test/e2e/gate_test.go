//go:build e2e

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"
)

// A gate stands before the open registry, with a password and a certificate that can be changed
// while it is used.
type gate struct {
	t       *testing.T
	address string
	server  *http.Server
	proxy   *httputil.ReverseProxy

	mu          sync.Mutex
	password    string
	certificate tls.Certificate
}

func newGate(t *testing.T) *gate {
	t.Helper()
	authority, err := os.ReadFile(stateFile(t, "registry-ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	target := &url.URL{Scheme: "https", Host: openRegistry}
	g := &gate{t: t, address: hostAddress + ":0", proxy: &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "registry.golden-image.test", MinVersion: tls.VersionTLS12}},
		ErrorLog:  log.New(io.Discard, "", 0),
	}}
	g.changePassword()
	g.changeCertificate()
	g.start()
	t.Cleanup(g.stop)
	return g
}

// ServeHTTP lets through who has the password.
func (g *gate) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	g.mu.Lock()
	want := g.password
	g.mu.Unlock()
	if user, password, ok := request.BasicAuth(); !ok || user != "puller" || password != want {
		w.Header().Set("WWW-Authenticate", `Basic realm="gate"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	g.proxy.ServeHTTP(w, request)
}

// start listens, at the same address as before.
func (g *gate) start() {
	g.t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(g.t.Context(), "tcp", g.address)
	if err != nil {
		g.t.Fatal(err)
	}
	g.address = listener.Addr().String()
	certificate := func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		g.mu.Lock()
		defer g.mu.Unlock()
		return new(g.certificate), nil
	}
	server := &http.Server{
		Handler: g, ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0),
		TLSConfig: &tls.Config{GetCertificate: certificate, MinVersion: tls.VersionTLS12},
	}
	g.server = server
	go func() {
		if err := server.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
			g.t.Errorf("serve: %v", err)
		}
	}()
}

func (g *gate) stop() {
	_ = g.server.Close() // nobody waits for what it still sends
}

// changePassword returns the new one.
func (g *gate) changePassword() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.password = rand.Text()
	return g.password
}

// changeCertificate returns the new one's authority, which is itself. Connections are made anew, as
// a registry that is restarted with it has them made.
func (g *gate) changeCertificate() string {
	g.t.Helper()
	key, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	serial, err2 := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err := errors.Join(err1, err2); err != nil {
		g.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "gate " + serial.String()}, IPAddresses: []net.IP{net.ParseIP(hostAddress)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		g.t.Fatal(err)
	}
	g.mu.Lock()
	g.certificate = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	g.mu.Unlock()
	if g.server != nil {
		g.stop()
		g.start()
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// authority returns that of the certificate.
func (g *gate) authority() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: g.certificate.Certificate[0]}))
}

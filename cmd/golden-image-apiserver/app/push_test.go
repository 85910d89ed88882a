// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"net/http"
	"testing"
	"time"
)

func TestPushOptions(t *testing.T) {
	for name, test := range map[string]struct {
		options pushOptions
		wrong   int
	}{
		"off needs no Secret":         {options: pushOptions{}},
		"on with a Secret":            {options: pushOptions{Port: 8444, Secret: "s"}},
		"on without a Secret":         {options: pushOptions{Port: 8444}, wrong: 1},
		"a port that there is not":    {options: pushOptions{Port: 70000, Secret: "s"}, wrong: 1},
		"a port below any, no Secret": {options: pushOptions{Port: -1}, wrong: 2},
	} {
		t.Run(name, func(t *testing.T) {
			if errs := test.options.Validate(); len(errs) != test.wrong {
				t.Errorf("got %v, want %d errors", errs, test.wrong)
			}
		})
	}
}

// TestServePushEnds ends the listener while one notification is being answered.
func TestServePushEnds(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"push.example"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	begun, answer, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		servePush(ctx, listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(begun)
			<-answer
			_, _ = io.WriteString(w, "taken")
		}), func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
		})
	}()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "push.example", MinVersion: tls.VersionTLS12}}}
	got := make(chan string, 1)
	go func() {
		response, err := client.Get("https://" + listener.Addr().String()) //nolint:noctx // the test ends it
		if err != nil {
			got <- err.Error()
			return
		}
		defer func() { _ = response.Body.Close() }()
		body, _ := io.ReadAll(response.Body)
		got <- string(body)
	}()
	<-begun
	end()
	// What comes now finds nobody, sooner or later; what was begun is answered.
	for {
		connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", listener.Addr().String())
		if err != nil {
			break
		}
		_ = connection.Close()
	}
	close(answer)
	if body := <-got; body != "taken" {
		t.Errorf("what was begun is answered %q", body)
	}
	<-ended
}

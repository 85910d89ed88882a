// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

const validity = 365 * 24 * time.Hour

// folder is where the files are written, for their owner alone.
type folder string

func (f folder) write(name string, data []byte) error {
	return os.WriteFile(filepath.Join(string(f), name), data, 0o600)
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// newKey makes a key, writes NAME.key, and returns that file's content too.
func newKey(dir folder, name string) (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	content := encode("PRIVATE KEY", der)
	return key, content, dir.write(name+".key", content)
}

func template(name pkix.Name) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	return &x509.Certificate{
		SerialNumber:          serial,
		Subject:               name,
		NotBefore:             time.Now().Add(-time.Hour), // clocks differ
		NotAfter:              time.Now().Add(validity),
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
	}, err
}

type authority struct {
	dir  folder
	cert *x509.Certificate
	key  crypto.Signer
	pem  []byte
}

// newAuthority makes an authority and writes NAME.key and NAME.crt.
func newAuthority(dir folder, name string) (*authority, error) {
	key, _, err := newKey(dir, name)
	if err != nil {
		return nil, err
	}
	t, err := template(pkix.Name{CommonName: name})
	if err != nil {
		return nil, err
	}
	t.IsCA = true
	t.KeyUsage |= x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	a := &authority{dir: dir, cert: cert, key: key, pem: encode("CERTIFICATE", der)}
	return a, dir.write(name+".crt", a.pem)
}

// subject is whom a certificate is for. With hosts it also serves.
type subject struct {
	file, user, group string
	hosts             []string
}

// issue writes FILE.crt and FILE.key, and returns their content.
func (a *authority) issue(s subject) (cert, key []byte, err error) {
	private, key, err := newKey(a.dir, s.file)
	if err != nil {
		return nil, nil, err
	}
	t, err := template(pkix.Name{CommonName: s.user})
	if err != nil {
		return nil, nil, err
	}
	if s.group != "" {
		t.Subject.Organization = []string{s.group}
	}
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if len(s.hosts) > 0 {
		t.ExtKeyUsage = append(t.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	for _, h := range s.hosts {
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, private.Public(), a.key)
	if err != nil {
		return nil, nil, err
	}
	cert = encode("CERTIFICATE", der)
	return cert, key, a.dir.write(s.file+".crt", cert)
}

// kubeconfig writes FILE.kubeconfig, with a certificate that it issues.
func (a *authority) kubeconfig(server string, s subject) error {
	cert, key, err := a.issue(s)
	if err != nil {
		return err
	}
	b64 := base64.StdEncoding.EncodeToString
	return a.dir.write(s.file+".kubeconfig", fmt.Appendf(nil, `apiVersion: v1
kind: Config
current-context: golden-image
clusters:
- name: golden-image
  cluster:
    server: %s
    certificate-authority-data: %s
contexts:
- name: golden-image
  context: {cluster: golden-image, user: %q}
users:
- name: %q
  user:
    client-certificate-data: %s
    client-key-data: %s
`, server, b64(a.pem), s.user, s.user, b64(cert), b64(key)))
}

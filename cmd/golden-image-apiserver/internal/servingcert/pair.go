// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package servingcert

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// How long certificates are valid, and how long before their end they are renewed.
const (
	authorityValidity = 10 * 365 * 24 * time.Hour
	authorityRenewal  = 365 * 24 * time.Hour
	servingValidity   = 90 * 24 * time.Hour
	servingRenewal    = 30 * 24 * time.Hour
	// skew allows for clocks that differ.
	skew = time.Hour
)

// Keys of the Secret.
const (
	keyAuthority    = "ca.crt"
	keyAuthorityKey = "ca.key"
)

// bundle is the Secret's content.
type bundle struct {
	authority, authorityKey []byte
	serving, servingKey     []byte
}

func fromSecret(secret *corev1.Secret) bundle {
	return bundle{
		authority: secret.Data[keyAuthority], authorityKey: secret.Data[keyAuthorityKey],
		serving: secret.Data[corev1.TLSCertKey], servingKey: secret.Data[corev1.TLSPrivateKeyKey],
	}
}

func (b bundle) data() map[string][]byte {
	return map[string][]byte{
		keyAuthority: b.authority, keyAuthorityKey: b.authorityKey,
		corev1.TLSCertKey: b.serving, corev1.TLSPrivateKeyKey: b.servingKey,
	}
}

// renewed returns the bundle with what is missing, damaged, for other names or about to end
// made anew, and whether anything was.
func (b bundle) renewed(names []string, now time.Time) (bundle, bool, error) {
	changed := false
	authority, key, err := b.parseAuthority()
	if err != nil || now.After(authority.NotAfter.Add(-authorityRenewal)) {
		if b, authority, key, err = newAuthority(now); err != nil {
			return bundle{}, false, err
		}
		changed = true
	}
	if changed || !b.servesWell(authority, names, now) {
		if b.serving, b.servingKey, err = issue(authority, key, names, now); err != nil {
			return bundle{}, false, err
		}
		changed = true
	}
	return b, changed, nil
}

func (b bundle) parseAuthority() (*x509.Certificate, crypto.Signer, error) {
	pair, err := tls.X509KeyPair(b.authority, b.authorityKey)
	if err != nil {
		return nil, nil, err
	}
	key, ok := pair.PrivateKey.(crypto.Signer)
	if !ok || !pair.Leaf.IsCA {
		return nil, nil, errors.New("not the certificate and key of an authority")
	}
	return pair.Leaf, key, nil
}

func (b bundle) servesWell(authority *x509.Certificate, names []string, now time.Time) bool {
	pair, err := tls.X509KeyPair(b.serving, b.servingKey)
	if err != nil {
		return false
	}
	have := slices.Sorted(slices.Values(pair.Leaf.DNSNames))
	return slices.Equal(have, slices.Sorted(slices.Values(names))) &&
		now.Before(pair.Leaf.NotAfter.Add(-servingRenewal)) &&
		pair.Leaf.CheckSignatureFrom(authority) == nil
}

func newAuthority(now time.Time) (bundle, *x509.Certificate, crypto.Signer, error) {
	fail := func(err error) (bundle, *x509.Certificate, crypto.Signer, error) {
		return bundle{}, nil, nil, fmt.Errorf("make a certificate authority: %w", err)
	}
	key, keyPEM, err := newKey()
	if err != nil {
		return fail(err)
	}
	template, err := newTemplate("golden-image-apiserver-ca", now, authorityValidity)
	if err != nil {
		return fail(err)
	}
	template.IsCA = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return fail(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return fail(err)
	}
	return bundle{authority: encode("CERTIFICATE", der), authorityKey: keyPEM}, cert, key, nil
}

func issue(authority *x509.Certificate, signer crypto.Signer, names []string, now time.Time) (cert, key []byte, err error) {
	private, keyPEM, err := newKey()
	if err != nil {
		return nil, nil, fmt.Errorf("make a serving certificate: %w", err)
	}
	template, err := newTemplate(names[0], now, servingValidity)
	if err != nil {
		return nil, nil, fmt.Errorf("make a serving certificate: %w", err)
	}
	template.DNSNames = names
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	der, err := x509.CreateCertificate(rand.Reader, template, authority, private.Public(), signer)
	if err != nil {
		return nil, nil, fmt.Errorf("make a serving certificate: %w", err)
	}
	return encode("CERTIFICATE", der), keyPEM, nil
}

func newKey() (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	return key, encode("PRIVATE KEY", der), nil
}

func newTemplate(name string, now time.Time, validity time.Duration) (*x509.Certificate, error) {
	const serialBits = 120
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), serialBits))
	if err != nil {
		return nil, err
	}
	const longest = 64 // of a common name
	return &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: name[:min(len(name), longest)]},
		NotBefore:             now.Add(-skew),
		NotAfter:              now.Add(validity),
		BasicConstraintsValid: true,
	}, nil
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

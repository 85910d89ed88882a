// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// target is where an image is pushed to, and how.
type target struct {
	reference string
	connect   string // HOST:PORT; "" = the reference's
	ca        string // path; "" = the machine's authorities
	userFile  string // path; "" = anonymous
}

// push pushes an image over TLS.
func (t target) push(ctx context.Context, img v1.Image) error {
	ref, err := name.ParseReference(t.reference, name.StrictValidation)
	if err != nil {
		return err
	}
	transport, err := t.transport()
	if err != nil {
		return err
	}
	defer transport.CloseIdleConnections()
	auth, err := t.authenticator()
	if err != nil {
		return err
	}
	err = remote.Write(ref, img, remote.WithContext(ctx), remote.WithTransport(transport), remote.WithAuth(auth))
	if err != nil {
		return fmt.Errorf("push %s: %w", ref, err)
	}
	return nil
}

func (t target) transport() (*http.Transport, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil // a proxy would look the registry up by its name
	if t.connect != "" {
		dialer := &net.Dialer{}
		transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, t.connect)
		}
	}
	if t.ca != "" {
		pem, err := os.ReadFile(t.ca)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s has no certificate", t.ca)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return transport, nil
}

func (t target) authenticator() (authn.Authenticator, error) {
	if t.userFile == "" {
		return authn.Anonymous, nil
	}
	content, err := os.ReadFile(t.userFile)
	if err != nil {
		return nil, err
	}
	user, password, ok := strings.Cut(strings.TrimSpace(string(content)), ":")
	if !ok {
		return nil, fmt.Errorf("%s is not USER:PASSWORD", t.userFile)
	}
	return &authn.Basic{Username: user, Password: password}, nil
}

// writeArchive writes an image as an OCI archive that gives it a name, as "ctr images
// import" reads it.
func writeArchive(out, reference string, img v1.Image) (err error) {
	ref, err := name.ParseReference(reference, name.StrictValidation)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(filepath.Dir(out), ".testdisk-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	index, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	err = index.AppendImage(img, layout.WithAnnotations(map[string]string{
		"io.containerd.image.name":          ref.Name(),
		"org.opencontainers.image.ref.name": ref.Identifier(),
	}))
	if err != nil {
		return err
	}
	return archiveFolder(dir, out)
}

// archiveFolder writes the files of a folder, in the order of their names, to a tar file.
func archiveFolder(dir, out string) error {
	file, err := os.Create(out)
	if err != nil {
		return err
	}
	w := tar.NewWriter(file)
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return archiveFile(w, dir, path)
	})
	return errors.Join(err, w.Close(), file.Close())
}

func archiveFile(w *tar.Writer, dir, path string) error {
	relative, err := filepath.Rel(dir, path)
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // only read
	info, err := file.Stat()
	if err != nil {
		return err
	}
	err = w.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Name: filepath.ToSlash(relative), Mode: 0o644, Size: info.Size(), ModTime: made(),
	})
	if err != nil {
		return err
	}
	_, err = io.Copy(w, file)
	return err
}

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
	authority string // path; "" = the machine's authorities
	userFile  string // path; "" = anonymous
}

// push pushes an image or an index.
func (t target) push(ctx context.Context, what any) error {
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
	options := []remote.Option{remote.WithContext(ctx), remote.WithTransport(transport), remote.WithAuth(auth)}
	if index, ok := what.(v1.ImageIndex); ok {
		err = remote.WriteIndex(ref, index, options...)
	} else {
		err = remote.Write(ref, what.(v1.Image), options...)
	}
	if err != nil {
		return fmt.Errorf("push %s: %w", ref, err)
	}
	return nil
}

func (t target) transport() (*http.Transport, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if t.authority == "" {
		return transport, nil
	}
	pem, err := os.ReadFile(t.authority)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s has no certificate", t.authority)
	}
	transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
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

// writeArchive writes an image or an index as an OCI archive that gives it a name.
func writeArchive(out, reference string, what any) (err error) {
	ref, err := name.ParseReference(reference, name.StrictValidation)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(filepath.Dir(out), ".image-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	folder, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	named := layout.WithAnnotations(map[string]string{
		"io.containerd.image.name":          ref.Name(),
		"org.opencontainers.image.ref.name": ref.Identifier(),
	})
	if index, ok := what.(v1.ImageIndex); ok {
		err = folder.AppendIndex(index, named)
	} else {
		err = folder.AppendImage(what.(v1.Image), named)
	}
	if err != nil {
		return err
	}
	return archiveFolder(dir, out)
}

// archiveFolder writes the files of a folder, in the order of their names, to a tar file that
// appears when it is complete.
func archiveFolder(dir, out string) error {
	partial := out + ".partial"
	f, err := os.Create(partial)
	if err != nil {
		return err
	}
	w := tar.NewWriter(f)
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return archiveFile(w, dir, path)
	})
	if err := errors.Join(err, w.Close(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(partial))
	}
	return os.Rename(partial, out)
}

func archiveFile(w *tar.Writer, dir, path string) error {
	relative, err := filepath.Rel(dir, path)
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // it reads only
	info, err := f.Stat()
	if err != nil {
		return err
	}
	err = w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: filepath.ToSlash(relative), Mode: 0o644, Size: info.Size(), ModTime: made()})
	if err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return err
}

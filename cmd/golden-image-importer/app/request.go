// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	importer "goldenimage.dev/pkg/apis/importer/v1"
	"goldenimage.dev/pkg/sources"
)

// maxFile bounds each of the files that the server mounts, in bytes: what a Secret or a
// ConfigMap can hold.
const maxFile = 1 << 20

// badRequest is a fault of the server.
type badRequest struct{ err error }

func (b *badRequest) Error() string { return "the request is malformed: " + b.err.Error() }

func (b *badRequest) Unwrap() error { return b.err }

// readRequest returns the Request at path. All its errors are a *badRequest.
func readRequest(path string) (*importer.Request, error) {
	content, err := readFile(path)
	if err != nil {
		return nil, &badRequest{err}
	}
	// What the worker does not know it cannot do.
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	request := &importer.Request{}
	if err := decoder.Decode(request); err != nil {
		return nil, &badRequest{err}
	}
	if err := validate(request); err != nil {
		return nil, &badRequest{err}
	}
	return request, nil
}

func validate(r *importer.Request) error {
	var set int
	for _, source := range []bool{r.Registry != nil, r.HTTP != nil, r.Image != nil, r.Clone != nil} {
		if source {
			set++
		}
	}
	var problems []error
	if set != 1 {
		problems = append(problems, fmt.Errorf("%d sources are set: exactly one of registry, http, image and clone is needed", set))
	}
	if r.Registry != nil && r.Registry.Reference == "" {
		problems = append(problems, errors.New("registry.reference is empty"))
	}
	if r.HTTP != nil && r.HTTP.URL == "" {
		problems = append(problems, errors.New("http.url is empty"))
	}
	if r.Target.SizeBytes < 0 {
		problems = append(problems, fmt.Errorf("target.sizeBytes is %d", r.Target.SizeBytes))
	}
	return errors.Join(problems...)
}

// readAccess returns the credentials and certificates that are mounted.
func readAccess(o options) (sources.Access, error) {
	var access sources.Access
	dir := o.path(importer.CredentialsDir)
	for name, value := range map[string]*string{"accessKeyId": &access.Username, "secretKey": &access.Password} {
		content, err := readFile(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return access, err
		}
		// Many a Secret is made with echo, and a header can hold no line break.
		*value = strings.TrimRight(string(content), "\r\n")
	}
	var err error
	access.DockerConfig, err = readFile(filepath.Join(dir, ".dockerconfigjson"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return access, err
	}
	if access.DockerConfig == nil {
		if access.DockerConfig, err = readPullSecrets(o); err != nil {
			return access, err
		}
	}
	if access.CertificatesPEM, err = readCertificates(o.path(importer.CertificatesDir)); err != nil {
		return access, err
	}
	return access, readProxy(o, &access)
}

func readCertificates(dir string) ([][]byte, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var certificates [][]byte
	for _, e := range entries {
		if !slices.Contains([]string{".crt", ".pem"}, filepath.Ext(e.Name())) {
			continue
		}
		content, err := readFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		certificates = append(certificates, content)
	}
	return certificates, nil
}

// readFile returns a file of at most maxFile bytes.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it reads only
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(content) > maxFile {
		err = fmt.Errorf("%s is larger than %d bytes", path, maxFile)
	}
	return content, err
}

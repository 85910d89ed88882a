// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	importer "goldenimage.dev/pkg/apis/importer/v1"
	"goldenimage.dev/pkg/disk"
	"goldenimage.dev/pkg/sources"
	web "goldenimage.dev/pkg/sources/http"
)

// maxHeaders bounds how many headers a request may have.
const maxHeaders = 256

// openHTTP streams a file from a web server.
func openHTTP(ctx context.Context, o options, r *importer.Request) (*input, error) {
	access, err := readAccess(o)
	if err != nil {
		return nil, &badRequest{err}
	}
	if access.Header, err = readHeaders(o, r.HTTP.Headers); err != nil {
		return nil, err
	}
	access.Insecure = r.HTTP.Insecure
	content, err := web.NewOpener(web.Options{}).Open(ctx, web.Pin(r.HTTP.URL, r.HTTP.Digest, r.HTTP.Checksum), access)
	if err != nil {
		return nil, err
	}
	return &input{
		name: content.Name, source: disk.Source{Stream: content, Size: content.Size}, digest: content.Digest, close: content.Close,
	}, nil
}

// readHeaders returns the headers of the request and those that are mounted.
func readHeaders(o options, lines []string) (map[string][]string, error) {
	headers := map[string][]string{}
	add := func(line, from string) error {
		name, value, err := sources.ParseHeader(line)
		if err != nil {
			return sources.Errorf(sources.Unauthorized, "%s cannot be used: %w: give headers as Name: value", from, err)
		}
		headers[name] = append(headers[name], value)
		if len(headers) > maxHeaders || len(headers[name]) > maxHeaders {
			return sources.Errorf(sources.Unauthorized, "there are more than %d headers", maxHeaders)
		}
		return nil
	}
	for i, line := range lines {
		if err := add(line, fmt.Sprintf("http.extraHeaders[%d]", i)); err != nil {
			return nil, err
		}
	}
	// The names of files begin with dots where the kubelet keeps versions of them.
	files, err := filepath.Glob(filepath.Join(o.path(importer.HeadersDir), "*", "*"))
	if err != nil {
		return nil, &badRequest{err}
	}
	for _, path := range files {
		name := filepath.Base(path)
		if strings.HasPrefix(name, "..") {
			continue
		}
		content, err := readFile(path)
		if errors.Is(err, os.ErrNotExist) {
			// It was removed meanwhile.
			continue
		}
		if err != nil {
			return nil, &badRequest{err}
		}
		if err := add(string(content), "key "+name+" of a Secret in http.secretExtraHeaders"); err != nil {
			return nil, err
		}
	}
	return headers, nil
}

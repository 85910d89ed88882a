// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	importer "goldenimage.dev/pkg/apis/importer/v1"
	"goldenimage.dev/pkg/sources"
)

// readProxy adds what is mounted about the cluster's proxy. It is for every source that is
// read from a network.
func readProxy(o options, into *sources.Access) error {
	content, err := readFile(o.path(importer.ProxyPath))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	var p importer.Proxy
	if err := decoder.Decode(&p); err != nil {
		return fmt.Errorf("%s: %w", importer.ProxyPath, err)
	}
	into.Proxy = sources.Proxy{HTTP: p.HTTP, HTTPS: p.HTTPS, No: p.No}
	if p.Certificates != "" {
		into.CertificatesPEM = append(into.CertificatesPEM, []byte(p.Certificates))
	}
	return nil
}

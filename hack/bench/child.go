// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// What the program can be for itself.
const (
	childExport   = "export"
	childDownload = "download"
)

func runChild(ctx context.Context, child string, args []string, stdout io.Writer) error {
	switch {
	case child == childExport && len(args) == 1:
		return export(ctx, args[0], stdout)
	case child == childDownload && len(args) == 2:
		return download(ctx, args[0], args[1])
	}
	return fmt.Errorf("%w: no such child: %s %q", errUsage, child, args)
}

// export writes an image's file system as a tar archive, the way crane export does.
func export(ctx context.Context, reference string, w io.Writer) (err error) {
	ref, err := name.NewDigest(reference, name.StrictValidation)
	if err != nil {
		return err
	}
	image, err := remote.Image(ref, remote.WithContext(ctx))
	if err != nil {
		return err
	}
	archive := mutate.Extract(image)
	defer func() { err = errors.Join(err, archive.Close()) }()
	_, err = io.Copy(w, archive)
	return err
}

// download reads a blob and compares its digest.
func download(ctx context.Context, url, want string) (err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", url, response.Status)
	}
	hash := sha256.New()
	if _, err := io.CopyBuffer(hash, response.Body, make([]byte, 1<<20)); err != nil {
		return err
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != want {
		return fmt.Errorf("the blob has SHA-256 %s instead of %s", got, want)
	}
	return nil
}

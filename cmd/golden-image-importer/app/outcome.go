// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"

	importer "goldenimage.dev/pkg/apis/importer/v1"
	"goldenimage.dev/pkg/disk"
	"goldenimage.dev/pkg/sources"
)

// outcome completes a Result by what went wrong, if anything, and chooses the exit code.
func outcome(ctx context.Context, result importer.Result, err error) (importer.Result, int) {
	if err == nil {
		result.Reason = importer.ReasonDone
		return result, importer.ExitDone
	}
	result.Message = err.Error()
	var malformed *badRequest
	var source *sources.Error
	var written *disk.Error
	code := importer.ExitRetry
	switch {
	case errors.As(err, &malformed):
		result.Reason, code = importer.ReasonBadRequest, importer.ExitUsage
	case ctx.Err() != nil:
		result.Reason, result.Message = importer.ReasonInterrupted, "the worker was told to stop before it was done"
	case errors.As(err, &source):
		result.Reason = sourceReason(source.Kind)
		result.Message = source.Error()
		if source.Kind.Permanent() {
			code = importer.ExitPermanent
		}
	case errors.As(err, &written):
		result.Reason, code = diskReason(written.Kind)
	default:
		// A volume or an image that the kubelet mounted.
		result.Reason = importer.ReasonReadFailed
	}
	return result, code
}

func sourceReason(kind sources.Kind) importer.Reason {
	switch kind {
	case sources.Unauthorized:
		return importer.ReasonUnauthorized
	case sources.NotFound:
		return importer.ReasonNotFound
	case sources.Certificate:
		return importer.ReasonCertificate
	case sources.Mismatch:
		return importer.ReasonDigestMismatch
	case sources.NoDisk:
		return importer.ReasonNoDisk
	case sources.Invalid:
		return importer.ReasonFormat
	case sources.Transient, sources.RateLimited, sources.Unreachable:
	}
	return importer.ReasonUnreachable
}

func diskReason(kind disk.Kind) (importer.Reason, int) {
	switch kind {
	case disk.Unsupported:
		return importer.ReasonFormat, importer.ExitPermanent
	case disk.TooLarge:
		return importer.ReasonTooLarge, importer.ExitPermanent
	case disk.Read:
		return importer.ReasonReadFailed, importer.ExitRetry
	case disk.Write:
	}
	return importer.ReasonWriteFailed, importer.ExitRetry
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"errors"
	"fmt"
	"syscall"
)

// Kind tells errors apart by what is at fault.
type Kind int

// Kinds of errors.
const (
	// Unsupported: the image's format is unknown, unsupported or damaged.
	Unsupported Kind = iota + 1
	// TooLarge: the disk does not fit the target.
	TooLarge
	// Read: the source could not be read. The cause is the source's own error.
	Read
	// Write: the target could not be written.
	Write
)

// An Error is how Write fails, unless its context ended.
type Error struct {
	Kind Kind
	// Message is a sentence for the user.
	Message string
	// Err is the cause, nil if there is none.
	Err error
}

func (e *Error) Error() string { return e.Message }

func (e *Error) Unwrap() error { return e.Err }

func failf(kind Kind, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Message: err.Error(), Err: errors.Unwrap(err)}
}

// tooLarge is in the words that users of CDI know.
func tooLarge(virtual, available int64) *Error {
	return failf(TooLarge, "virtual image size %d is larger than the reported available storage %d. A larger PVC is required", virtual, available)
}

// writeFailed tells a full volume from a broken one.
func writeFailed(err error, what string) error {
	var known *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return known
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return failf(TooLarge, "the volume has no space left to %s: A larger PVC is required: %w", what, err)
	}
	return failf(Write, "%s: %w", what, err)
}

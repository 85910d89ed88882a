// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package sources

import (
	"errors"
	"fmt"
	"time"
)

// Kind tells errors apart by what the user can do about them.
type Kind int

// Kinds of errors. The zero Kind is Transient: what nothing is known about is tried again.
const (
	// Transient errors may go away by themselves.
	Transient Kind = iota
	// RateLimited: the source asks to be left alone for a while.
	RateLimited
	// Unreachable: no connection to the source.
	Unreachable
	// Certificate: the source's certificate is not trusted.
	Certificate
	// Unauthorized: the credentials are missing or wrong.
	Unauthorized
	// NotFound: the source does not exist.
	NotFound
	// Mismatch: the content is not what its digest names.
	Mismatch
	// NoDisk: the content holds no disk, or several.
	NoDisk
	// Invalid: the content or its name is malformed and will stay so.
	Invalid
)

// String returns the kind in lower case words.
func (k Kind) String() string {
	names := [...]string{
		Transient: "transient", RateLimited: "rate limited", Unreachable: "unreachable", Certificate: "certificate not trusted",
		Unauthorized: "unauthorized", NotFound: "not found", Mismatch: "digest mismatch", NoDisk: "no disk", Invalid: "invalid",
	}
	if k < 0 || int(k) >= len(names) {
		return fmt.Sprintf("Kind(%d)", int(k))
	}
	return names[k]
}

// Permanent tells whether the same location will fail the same way until it is changed.
func (k Kind) Permanent() bool {
	return k == NoDisk || k == Invalid
}

// An Error is what a source's failure looks like to its caller.
type Error struct {
	Kind Kind
	// Message is a sentence for the user: what failed and what to do. It holds no credential.
	Message string
	// NotBefore is when the source asked to be tried again; zero if it did not say.
	NotBefore time.Time
	// Err is the cause, nil if there is none.
	Err error
}

func (e *Error) Error() string { return e.Message }

func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error whose message and cause are those of fmt.Errorf.
func Errorf(kind Kind, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Message: err.Error(), Err: errors.Unwrap(err)}
}

// KindOf returns the Kind of the first Error in err's chain, Transient if there is none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Transient
}

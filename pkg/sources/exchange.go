// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package sources

// An Exchange is one request to a source and how it was answered, for metrics. It holds no
// part of a URL but the host.
type Exchange struct {
	// Registry is the host[:port] that the user named, also if the request went to another
	// host on its behalf, such as that of its tokens or blobs.
	Registry string
	// Method of the request.
	Method string
	// Code is the status code of the answer; 0 if there was none.
	Code int
	// Remaining is how many requests the source grants until it limits them; -1 if it does
	// not say.
	Remaining int64
}

// An Observer is told of exchanges as they end. It returns at once, and is safe for concurrent
// use. Nil is nobody.
type Observer func(Exchange)

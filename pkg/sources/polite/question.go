// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package polite

import (
	"crypto/sha256"
	"encoding/json"
	"time"

	"goldenimage.dev/pkg/sources"
)

// A Question is asked once for all who want to know the same: the same kind, host and location,
// read with the same Access.
type Question struct {
	// Kind names the Resolver in Config.Resolvers.
	Kind string
	// Host is the host[:port] whose limits apply. Empty is for what is answered from memory: its
	// Resolver is called at once by whoever asks, without limits, and nothing is shared.
	Host string
	// Query to ask. Known is not part of what makes questions the same.
	Query sources.Query
	// AsOf is how old an answer may be: one whose asking began before will not do. Zero means
	// now. Who asks again when woken asks as of the same time, or would wait for ever.
	AsOf time.Time
	// Waiter names who asks, such as namespace/name of an object, so that who asks twice is
	// woken once. Empty is somebody else each time.
	Waiter string
}

// An Answer is what a source said.
type Answer struct {
	// Revision that the source holds, the zero value if Err is not nil.
	Revision sources.Revision
	// Err can be told apart by sources.KindOf. Nil if the source answered.
	Err error
	// Started and Ended are when the source was asked and when it had answered. They are the
	// same if it was not asked, because it is to be left alone or does not answer anybody.
	Started, Ended time.Time
}

// key tells questions apart. It is a hash, as what it is made from holds credentials.
type key [sha256.Size]byte

func (q *Question) key() key {
	return hashOf(q.Kind, q.Host, q.Query.Location, q.Query.Access)
}

// way is by which certificates and proxies a host is reached. Whether it can be differs with it,
// and who has wrong ones must not keep others from the host.
func (q *Question) way() key {
	access := &q.Query.Access
	return hashOf(q.Kind, access.CertificatesPEM, access.Insecure, access.Proxy)
}

func hashOf(parts ...any) key {
	// The parts are texts, bytes, flags and maps of these, of which encoding does not fail, and
	// it writes maps in the order of their keys.
	document, _ := json.Marshal(parts) //nolint:errchkjson // see above
	return sha256.Sum256(document)
}

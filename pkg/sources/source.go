// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package sources

import (
	"context"
	"io"
)

// A Revision is one immutable content of a source.
type Revision struct {
	// Digest identifies the content, as algorithm:hex. Never empty.
	Digest string
	// Location is where to read exactly this content, such as host/repository@digest.
	Location string
	// Size of what is transferred in bytes; 0 if it is not known.
	Size int64
}

// Access is what a source needs to be read besides its name. The zero value reads
// anonymously over verified TLS. It must not be logged.
type Access struct {
	// Username and Password for basic or token authentication; both empty means none.
	Username, Password string
	// DockerConfig is the content of a .dockerconfigjson, which may hold credentials
	// for several registries. It is used when Username is empty. Nil means none.
	DockerConfig []byte
	// CertificatesPEM are authorities to trust besides the system's.
	CertificatesPEM [][]byte
	// Insecure allows plain HTTP and certificates that do not verify.
	Insecure bool
	// Architecture chooses among the images of an index; empty means the running
	// program's own.
	Architecture string
}

// A Resolver finds out what a source holds now.
type Resolver interface {
	// Resolve returns the current Revision of location, such as
	// docker://host/repository:tag. Its errors can be told apart by KindOf.
	Resolve(ctx context.Context, location string, access Access) (Revision, error)
}

// A Content is an open stream of a Revision's disk.
type Content struct {
	io.ReadCloser
	// Size of the stream in bytes; 0 if it is not known.
	Size int64
	// Name of the disk's file in its source, for messages.
	Name string
	// Digest of what is read, which may be a child of the Revision's (the image of an index).
	Digest string
	// Labels that the source gives to volumes made from it; nil if none.
	Labels map[string]string
}

// An Opener reads a Revision.
type Opener interface {
	// Open returns the disk of a pinned location. The stream reports io.EOF only after
	// everything that was transferred has been verified; until then what was read from
	// it must not be relied on. Errors, also those of Read, can be told apart by KindOf.
	Open(ctx context.Context, location string, access Access) (*Content, error)
}

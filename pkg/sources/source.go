// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package sources

import (
	"context"
	"io"
)

// A Revision is one immutable content of a source.
type Revision struct {
	// Digest identifies the content, as algorithm:hex. Never empty. Of an image in an index it
	// is the index's, which is what a tag names.
	Digest string
	// Content is the digest of what a volume is made of, such as the image for one platform
	// among those of an index. It may stay the same when Digest does not. Empty means Digest.
	Content string
	// Location is where to read exactly this content, such as host/repository@digest.
	Location string
	// Size of what is transferred in bytes; 0 if it is not known.
	Size int64
	// Platform of Content as os/architecture[/variant]; empty if it is not known, or if the
	// source has only one.
	Platform string
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
	// Proxy to read through. The zero value takes the process's own settings.
	Proxy Proxy
	// Header is sent with every request to the source's own host, by canonical name. Nil
	// means none. Values may be secret.
	Header map[string][]string
}

// Proxy says through which proxy which hosts are read. Fields are as in the environment
// variables HTTP_PROXY, HTTPS_PROXY and NO_PROXY; the URLs may hold credentials.
type Proxy struct {
	HTTP, HTTPS, No string
}

// A Query is what a Resolver is asked.
type Query struct {
	// Location as the kind of source has it, such as docker://host/repository:tag.
	Location string
	// Access to read it with.
	Access Access
	// Known is the Revision that an earlier answer to this Location gave, the zero value if
	// there was none. It may save requests; the answer is the same without.
	Known Revision
}

// A Resolver finds out what a source holds now.
type Resolver interface {
	// Resolve returns the current Revision of a Location. Its errors can be told apart by
	// KindOf. It is safe for concurrent use.
	Resolve(ctx context.Context, query Query) (Revision, error)
}

// A Watcher learns of new content before anybody asks for it. A Resolver that can do so
// implements it besides.
type Watcher interface {
	// Watch calls changed with each location whose content may be another now, until ctx is
	// done; changed returns at once. A location is without the parts that choose among what
	// it holds, such as a tag.
	Watch(ctx context.Context, changed func(location string))
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

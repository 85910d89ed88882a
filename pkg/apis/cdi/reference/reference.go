// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// Transport is how an image is reached.
type Transport string

// Transports of a URL.
const (
	// Docker is an image in a registry: docker://host/repository:tag.
	Docker Transport = "docker"
	// OCIArchive is an image in a tar file: oci-archive:path.
	OCIArchive Transport = "oci-archive"
)

const (
	dockerPrefix  = "docker://"
	archivePrefix = "oci-archive:"
	accepted      = "docker://host[:port]/repository[:tag|@sha256:<64 hex digits>] or oci-archive:<path>"
	// maxLength of a URL. Registries refuse names far below it.
	maxLength = 1024
	// quoted is how much of a malformed value an error repeats.
	quoted = 200
)

var sha256Digest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// A Reference is the name of a container image. The zero value names nothing.
type Reference struct {
	transport  Transport
	registry   string
	repository string
	// One of tag and digest is set for Docker.
	tag, digest string
	path        string
}

// Parse reads a URL. Without tag and digest the tag is latest; with both, the digest
// counts and the tag is dropped. Its error names the value, unless that holds credentials.
func Parse(url string) (Reference, error) {
	if err := printable(url); err != nil {
		return Reference{}, err
	}
	if rest, ok := strings.CutPrefix(url, dockerPrefix); ok {
		return parseImage(url, rest)
	}
	if rest, ok := strings.CutPrefix(url, archivePrefix); ok {
		if strings.Trim(rest, "/") == "" {
			return Reference{}, malformed(url, errors.New("it names no file"))
		}
		return Reference{transport: OCIArchive, path: rest}, nil
	}
	return Reference{}, malformed(url, errors.New("it has another scheme or none"))
}

// ParseName reads a container image's name, such as host/repository@sha256:….
// A docker:// in front is accepted.
func ParseName(image string) (Reference, error) {
	if err := printable(image); err != nil {
		return Reference{}, err
	}
	return parseImage(image, strings.TrimPrefix(image, dockerPrefix))
}

func printable(value string) error {
	if len(value) > maxLength {
		return fmt.Errorf("image reference is %d characters long: at most %d are accepted", len(value), maxLength)
	}
	for _, r := range value {
		if r <= ' ' || r > '~' {
			return malformed(value, fmt.Errorf("it holds the character %q", r))
		}
	}
	return nil
}

func parseImage(value, image string) (Reference, error) {
	host, _, _ := strings.Cut(image, "/")
	if before, _, at := strings.Cut(host, "@"); at && strings.Contains(image, "/") && before != "" {
		// What stands before the host may be a password: the value is not repeated.
		return Reference{}, errors.New("image reference holds a user name or password: name a Secret by secretRef instead")
	}
	parsed, err := name.ParseReference(image)
	if err != nil {
		return Reference{}, malformed(value, err)
	}
	r := Reference{transport: Docker, registry: parsed.Context().RegistryStr(), repository: parsed.Context().RepositoryStr()}
	if strings.HasSuffix(r.registry, ":") {
		return Reference{}, malformed(value, errors.New("the registry's port is empty"))
	}
	digest, ok := parsed.(name.Digest)
	if !ok {
		r.tag = parsed.Identifier()
		return r, nil
	}
	r.digest = digest.DigestStr()
	if !sha256Digest.MatchString(r.digest) {
		return Reference{}, malformed(value, errors.New("its digest is not sha256 with 64 lower case hex digits"))
	}
	return r, nil
}

func malformed(value string, cause error) error {
	if len(value) > quoted {
		value = value[:quoted] + "…"
	}
	return fmt.Errorf("%q is not an image reference: accepted is %s: %w", value, accepted, cause)
}

// Transport returns how the image is reached, "" for the zero Reference.
func (r Reference) Transport() Transport { return r.transport }

// Registry returns the registry's host[:port], "" for an archive.
func (r Reference) Registry() string { return r.registry }

// Repository returns the name of the repository in its registry, "" for an archive.
func (r Reference) Repository() string { return r.repository }

// Identifier returns the tag or the digest, "" for an archive.
func (r Reference) Identifier() string {
	if r.digest != "" {
		return r.digest
	}
	return r.tag
}

// Digest returns the digest as sha256:hex, "" if the reference is a tag or an archive.
func (r Reference) Digest() string { return r.digest }

// Path returns what follows oci-archive:, "" for an image in a registry.
func (r Reference) Path() string { return r.path }

// Pin returns the same image at a digest, without its tag. An archive is returned as it is.
func (r Reference) Pin(digest string) Reference {
	if r.transport == Docker {
		r.tag, r.digest = "", digest
	}
	return r
}

// String returns the image's full name without scheme, such as
// index.docker.io/library/fedora:latest, or an archive's URL.
func (r Reference) String() string {
	switch {
	case r.transport == OCIArchive:
		return archivePrefix + r.path
	case r.digest != "":
		return r.registry + "/" + r.repository + "@" + r.digest
	case r.transport == Docker:
		return r.registry + "/" + r.repository + ":" + r.tag
	}
	return ""
}

// URL returns the URL that Parse reads back to an equal Reference.
func (r Reference) URL() string {
	if r.transport == Docker {
		return dockerPrefix + r.String()
	}
	return r.String()
}

// IsInsecure tells whether the registry is in a list of host[:port]. It is compared as a
// whole: a host does not stand for its ports.
func (r Reference) IsInsecure(registries []string) bool {
	return r.registry != "" && slices.Contains(registries, r.registry)
}

// Remote returns the image's repository in the form that go-containerregistry's transport
// asks for; insecure allows plain HTTP. It fails for an archive.
func (r Reference) Remote(insecure bool) (name.Repository, error) {
	if r.transport != Docker {
		return name.Repository{}, fmt.Errorf("%s is not in a registry", r)
	}
	var options []name.Option
	if insecure {
		options = append(options, name.Insecure)
	}
	repository, err := name.NewRepository(r.registry+"/"+r.repository, options...)
	if err != nil {
		return name.Repository{}, malformed(r.String(), err)
	}
	return repository, nil
}

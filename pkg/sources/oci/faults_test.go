// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"errors"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"goldenimage.dev/pkg/sources"
	"goldenimage.dev/test/registry"
)

// own is an index whose image for this machine holds a disk.
func own(t *testing.T, disk string) v1.ImageIndex {
	t.Helper()
	return registry.NewIndex(t, map[string]v1.Image{runtime.GOARCH: registry.ContainerDisk(t, "disk.img", []byte(disk))})
}

// contentOf is the digest of the image for this machine.
func contentOf(t *testing.T, index v1.ImageIndex) string {
	t.Helper()
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	return manifest.Manifests[len(manifest.Manifests)-1].Digest.String()
}

func always(step registry.Step) registry.Faults {
	return registry.Faults{Steps: []registry.Step{step}}
}

func limited(header, value string) registry.Faults {
	return always(registry.Step{Path: manifests, Status: 429, Header: map[string]string{header: value}})
}

// Each fault of a registry is an error that says what to do, and leaves nothing behind in the
// Resolver that met it.
func TestFaultsAndRecovery(t *testing.T) {
	soon := time.Now().Add(2 * time.Minute)
	unix := strconv.FormatInt(soon.Unix(), 10)
	for name, test := range map[string]struct {
		faults registry.Faults
		// expire makes the tokens invalid besides.
		expire bool
		want   sources.Kind
		// waits tells that the registry asks for two minutes.
		waits bool
		says  string
	}{
		"401 of the registry":             {faults: always(registry.Step{Path: manifests, Status: 401, Code: "UNAUTHORIZED"}), want: sources.Unauthorized, says: "refuses the credentials"},
		"401 of the token service":        {faults: always(registry.Step{Path: "/token", Status: 401}), expire: true, want: sources.Unauthorized, says: "secretRef"},
		"500 of the token service":        {faults: always(registry.Step{Path: "/token", Status: 500}), expire: true, want: sources.Transient},
		"429 of the token service":        {faults: always(registry.Step{Path: "/token", Status: 429, RetryAfter: "120"}), expire: true, want: sources.RateLimited, waits: true},
		"403":                             {faults: always(registry.Step{Path: manifests, Status: 403, Code: "DENIED"}), want: sources.Unauthorized, says: "secretRef"},
		"404":                             {faults: always(registry.Step{Path: manifests, Status: 404, Code: "MANIFEST_UNKNOWN"}), want: sources.NotFound, says: "check the repository and the tag"},
		"429 with seconds":                {faults: always(registry.Step{Path: manifests, Status: 429, RetryAfter: "120"}), want: sources.RateLimited, waits: true},
		"429 with a date":                 {faults: always(registry.Step{Path: manifests, Status: 429, RetryAfter: soon.UTC().Format(http.TimeFormat)}), want: sources.RateLimited, waits: true},
		"429 with another's date":         {faults: limited("X-Retry-After", unix), want: sources.RateLimited, waits: true},
		"429 with the reset of a window":  {faults: limited("RateLimit-Reset", "120;w=3600"), want: sources.RateLimited, waits: true},
		"429 with the reset as a date":    {faults: limited("X-RateLimit-Reset", unix), want: sources.RateLimited, waits: true},
		"429 that does not say":           {faults: always(registry.Step{Path: manifests, Status: 429}), want: sources.RateLimited},
		"503 with seconds":                {faults: always(registry.Step{Path: manifests, Status: 503, RetryAfter: "120"}), want: sources.Transient, waits: true},
		"a reset connection":              {faults: always(registry.Step{Path: manifests, Reset: true}), want: sources.Unreachable, says: "broke"},
		"a stall before the answer":       {faults: always(registry.Step{Path: manifests, Stall: true}), want: sources.Unreachable, says: "in time"},
		"a stall before the index":        {faults: always(registry.Step{Path: manifests, Method: "GET", Stall: true}), want: sources.Unreachable, says: "in time"},
		"an index that breaks off":        {faults: registry.Faults{BreakManifestAt: 100}, want: sources.Transient},
		"an index that is truncated":      {faults: registry.Faults{TruncateManifestAt: 100}, want: sources.Invalid, says: "not all of one"},
		"one truncated without a digest":  {faults: registry.Faults{TruncateManifestAt: 100, NoDigestHeader: true}, want: sources.Invalid, says: "not all of one"},
		"an index that is too large":      {faults: registry.Faults{EndlessManifest: true}, want: sources.Invalid, says: "larger than"},
		"an index that is none":           {faults: registry.Faults{OtherManifest: []byte(`{"mediaType":"application/vnd.oci.image.index.v1+json","manifests":{}}`)}, want: sources.Invalid, says: "malformed"},
		"a manifest of an old schema":     {faults: registry.Faults{ContentType: "application/vnd.docker.distribution.manifest.v1+json"}, want: sources.Invalid, says: "schema 1"},
		"a redirect to a cloud's service": {faults: always(registry.Step{Path: manifests, Status: 307, Location: "https://169.254.169.254/?a=hunter2"}), want: sources.Transient, says: "169.254.169.254"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := registry.New(t, registry.Config{Username: "ada", Password: "hunter2", Token: true})
			index := own(t, "disk")
			digest := r.Push(t, "images/fedora", "latest", index)
			access := trusted(r)
			access.Username, access.Password = "ada", "hunter2"
			o := quick
			if strings.Contains(name, "stall") {
				o.RequestTimeout = 300 * time.Millisecond
			}
			resolver := NewResolver(o)
			defer resolver.Close()
			query := sources.Query{Location: r.URL("images/fedora", "latest"), Access: access}
			resolveOther(t, r, resolver, access)
			r.SetFaults(test.faults)
			if test.expire {
				r.ExpireTokens()
			}
			_, err := resolver.Resolve(t.Context(), query)
			checkError(t, err, test.want, test.says)
			typed, _ := errors.AsType[*sources.Error](err)
			if wait := time.Until(typed.NotBefore); typed.NotBefore.IsZero() == test.waits || test.waits && (wait < 100*time.Second || wait > 121*time.Second) {
				t.Errorf("to be asked again at %s", typed.NotBefore)
			}
			r.SetFaults(registry.Faults{})
			want := sources.Revision{Digest: digest, Content: contentOf(t, index), Location: r.Host + "/images/fedora@" + digest, Platform: "linux/" + runtime.GOARCH}
			got, err := resolver.Resolve(t.Context(), query)
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("it does not heal: %v\n%s", err, diff)
			}
		})
	}
}

// resolveOther makes a session that a fault meets, without what would be kept of an index.
func resolveOther(t *testing.T, r *registry.Registry, resolver *Resolver, access sources.Access) {
	t.Helper()
	r.Push(t, "images/fedora", "other", registry.ContainerDisk(t, "disk.img", []byte("other")))
	if _, err := resolver.Resolve(t.Context(), sources.Query{Location: r.URL("images/fedora", "other"), Access: access}); err != nil {
		t.Fatal(err)
	}
}

func TestABurstOfErrorsIsOver(t *testing.T) {
	r := registry.New(t, registry.Config{})
	digest := r.Push(t, "images/fedora", "latest", own(t, "disk"))
	r.SetFaults(always(registry.Step{Path: manifests, Status: 500, Times: 3}))
	resolver := NewResolver(quick)
	defer resolver.Close()
	query := sources.Query{Location: r.URL("images/fedora", "latest"), Access: trusted(r)}
	for range 3 {
		_, err := resolver.Resolve(t.Context(), query)
		checkError(t, err, sources.Transient)
	}
	if got, err := resolver.Resolve(t.Context(), query); err != nil || got.Digest != digest {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestAnExpiredTokenIsRenewed(t *testing.T) {
	r := registry.New(t, registry.Config{Username: "ada", Password: "hunter2", Token: true})
	digest := r.Push(t, "images/fedora", "latest", registry.ContainerDisk(t, "disk.img", []byte("disk")))
	access := trusted(r)
	access.Username, access.Password = "ada", "hunter2"
	resolver := NewResolver(quick)
	defer resolver.Close()
	resolveOther(t, r, resolver, access)
	r.ExpireTokens()
	_ = r.Requests()
	for range 2 {
		got, err := resolver.Resolve(t.Context(), sources.Query{Location: r.URL("images/fedora", "latest"), Access: access})
		if err != nil || got.Digest != digest {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	head := "HEAD /v2/images/fedora/manifests/latest"
	if diff := cmp.Diff([]string{head, "GET /token", head, head}, paths(r)); diff != "" {
		t.Error(diff)
	}
}

func paths(r *registry.Registry) []string {
	var seen []string
	for _, request := range r.Requests() {
		seen = append(seen, request.Method+" "+request.Path)
	}
	return seen
}

func TestCredentialsDoNotFollowRedirects(t *testing.T) {
	for name, config := range map[string]registry.Config{
		"basic authentication": {Username: "ada", Password: "hunter2"},
		"token authentication": {Username: "ada", Password: "hunter2", Token: true},
	} {
		for where, elsewhere := range map[string]registry.Config{
			"to who lets everybody in":   {},
			"to who asks for a password": {Username: "ada", Password: "hunter2"},
			"to who asks for a token":    {Username: "ada", Password: "hunter2", Token: true},
		} {
			t.Run(name+" "+where, func(t *testing.T) {
				r, other := registry.New(t, config), registry.New(t, elsewhere)
				digest := other.Push(t, "images/fedora", "latest", own(t, "disk"))
				r.SetFaults(always(registry.Step{Path: manifests, Status: 307, Location: "https://" + other.Host + "/v2/images/fedora/manifests/latest"}))
				access := trusted(r)
				access.Username, access.Password = "ada", "hunter2"
				resolver := NewResolver(quick)
				defer resolver.Close()
				got, err := resolver.Resolve(t.Context(), sources.Query{Location: r.URL("images/fedora", "latest"), Access: access})
				seen := other.Requests()
				if len(seen) == 0 {
					t.Error("the redirect was not followed")
				}
				for _, request := range seen {
					if request.Authorized {
						t.Errorf("%s %s carried credentials", request.Method, request.Path)
					}
				}
				if elsewhere == (registry.Config{}) && (err != nil || got.Digest != digest) {
					t.Errorf("got %+v, %v", got, err)
				}
				if elsewhere != (registry.Config{}) {
					checkError(t, err, sources.Unauthorized)
				}
			})
		}
	}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"goldenimage.dev/pkg/sources"
	"goldenimage.dev/test/registry"
)

func trusted(r *registry.Registry) sources.Access {
	return sources.Access{CertificatesPEM: [][]byte{r.CertificatePEM()}}
}

func TestResolveReturnsThePinnedLocation(t *testing.T) {
	for name, faults := range map[string]registry.Faults{
		"a registry that keeps to the specification": {},
		"a registry that gives no digest":            {NoDigestHeader: true},
		"a registry that gives a malformed digest":   {DigestHeader: "sha256:abc"},
		"a registry that knows no HEAD":              {NoHead: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := registry.New(t, registry.Config{})
			digest := r.Push(t, "images/fedora", "latest", registry.ContainerDisk(t, "disk.img", []byte("disk")))
			r.SetFaults(faults)
			resolver := NewResolver(quick)
			defer resolver.Close()
			want := sources.Revision{Digest: digest, Location: r.Host + "/images/fedora@" + digest}
			for _, identifier := range []string{"latest", digest} {
				got, err := resolver.Resolve(t.Context(), sources.Query{Location: r.URL("images/fedora", identifier), Access: trusted(r)})
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestResolveFailures(t *testing.T) {
	for name, test := range map[string]struct {
		config registry.Config
		faults registry.Faults
		change func(*registry.Registry, *sources.Access)
		url    func(*registry.Registry) string
		want   sources.Kind
		says   []string
	}{
		"no credentials where some are needed": {
			config: registry.Config{Username: "ada", Password: "hunter2"},
			want:   sources.Unauthorized, says: []string{"anonymous", "spec.template.spec.source.registry.secretRef", "accessKeyId"},
		},
		"no credentials for the token service": {
			config: registry.Config{Username: "ada", Password: "hunter2", Token: true},
			want:   sources.Unauthorized, says: []string{"anonymous", "secretRef"},
		},
		"wrong credentials": {
			config: registry.Config{Username: "ada", Password: "hunter2"},
			change: func(_ *registry.Registry, a *sources.Access) { a.Username, a.Password = "ada", "sesame" },
			want:   sources.Unauthorized, says: []string{"refuses the credentials", "secretRef"},
		},
		"a repository that is forbidden": {
			faults: registry.Faults{Steps: []registry.Step{{Path: "/manifests/", Status: 403, Code: "DENIED"}}},
			want:   sources.Unauthorized, says: []string{"secretRef"},
		},
		"a malformed docker config": {
			change: func(_ *registry.Registry, a *sources.Access) { a.DockerConfig = []byte(`{"auths":"hunter2"`) },
			want:   sources.Unauthorized, says: []string{".dockerconfigjson"},
		},
		"a tag that is missing": {
			url:  func(r *registry.Registry) string { return r.URL("images/fedora", "gone") },
			want: sources.NotFound, says: []string{"images/fedora", "gone"},
		},
		"a repository that is missing": {
			url:  func(r *registry.Registry) string { return r.URL("images/gone", "latest") },
			want: sources.NotFound, says: []string{"images/gone"},
		},
		"a host that is no registry": {
			faults: registry.Faults{Steps: []registry.Step{{Status: 404}}},
			want:   sources.Unreachable, says: []string{"as a registry", "check the URL"},
		},
		"a rate limit": {
			faults: registry.Faults{Steps: []registry.Step{{Path: "/manifests/", Status: 429, RetryAfter: "120"}}},
			want:   sources.RateLimited, says: []string{"limits the rate"},
		},
		"a registry in trouble": {
			faults: registry.Faults{Steps: []registry.Step{{Path: "/manifests/", Status: 500}}},
			want:   sources.Transient, says: []string{"images/fedora"},
		},
		"an authority that is not trusted": {
			change: func(_ *registry.Registry, a *sources.Access) { a.CertificatesPEM = nil },
			want:   sources.Certificate, says: []string{"certConfigMap", "ConfigMap"},
		},
		"a ConfigMap without certificates": {
			change: func(_ *registry.Registry, a *sources.Access) { a.CertificatesPEM = [][]byte{[]byte("nothing")} },
			want:   sources.Certificate, says: []string{"certConfigMap", "PEM"},
		},
		"plain HTTP where it is not allowed": {
			config: registry.Config{PlainHTTP: true},
			change: func(_ *registry.Registry, a *sources.Access) { a.CertificatesPEM = nil },
			want:   sources.Unreachable, says: []string{"no TLS", "insecure"},
		},
		"a host that does not exist": {
			url:  func(*registry.Registry) string { return "docker://registry.invalid/a" },
			want: sources.Unreachable, says: []string{"registry.invalid"},
		},
		"a digest that is answered with another one": {
			faults: registry.Faults{DigestHeader: "sha256:" + strings.Repeat("ab", 32)},
			url:    func(r *registry.Registry) string { return r.URL("images/fedora", "sha256:"+strings.Repeat("cd", 32)) },
			want:   sources.NotFound,
		},
		"an archive": {
			url:  func(*registry.Registry) string { return "oci-archive:/a.tar" },
			want: sources.Invalid, says: []string{"oci-archive:/a.tar", "docker://"},
		},
		"a malformed URL": {
			url:  func(*registry.Registry) string { return "docker://Not A Name" },
			want: sources.Invalid, says: []string{"docker://host"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := registry.New(t, test.config)
			r.Push(t, "images/fedora", "latest", registry.ContainerDisk(t, "disk.img", []byte("disk")))
			r.SetFaults(test.faults)
			access, url := trusted(r), r.URL("images/fedora", "latest")
			if test.change != nil {
				test.change(r, &access)
			}
			if test.url != nil {
				url = test.url(r)
			}
			resolver := NewResolver(quick)
			defer resolver.Close()
			_, err := resolver.Resolve(t.Context(), sources.Query{Location: url, Access: access})
			checkError(t, err, test.want, test.says...)
		})
	}
}

func checkError(t *testing.T, err error, want sources.Kind, says ...string) {
	t.Helper()
	var typed *sources.Error
	if !errors.As(err, &typed) {
		t.Fatalf("got %v, want a sources.Error", err)
	}
	if typed.Kind != want {
		t.Errorf("got kind %s, want %s: %v", typed.Kind, want, err)
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("error %q lacks %q", err, s)
		}
	}
	for _, secret := range []string{"hunter2", "sesame", "token-of-the-fake-registry"} {
		if strings.Contains(fmt.Sprintf("%v %+v %v", err, typed, typed.Err), secret) {
			t.Errorf("error %q holds a credential", err)
		}
	}
}

func TestResolveRegistryThatIsDown(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = NewResolver(quick).Resolve(t.Context(), sources.Query{Location: "docker://" + host + "/a", Access: sources.Access{}})
	checkError(t, err, sources.Unreachable, "cannot be reached", host)
}

func TestResolveRegistryThatIsSilent(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() //nolint:errcheck // the test is over
	o := quick
	o.RequestTimeout = 100 * time.Millisecond
	_, err = NewResolver(o).Resolve(t.Context(), sources.Query{Location: "docker://" + listener.Addr().String() + "/a", Access: sources.Access{}})
	checkError(t, err, sources.Unreachable, "did not answer in time")
}

func TestResolveTellsWhenToComeBack(t *testing.T) {
	r := registry.New(t, registry.Config{})
	for name, header := range map[string]string{
		"seconds": "120",
		"a date":  time.Now().Add(2 * time.Minute).UTC().Format(http.TimeFormat),
	} {
		t.Run(name, func(t *testing.T) {
			r.SetFaults(registry.Faults{Steps: []registry.Step{{Path: "/manifests/", Status: 429, RetryAfter: header}}})
			_, err := NewResolver(quick).Resolve(t.Context(), sources.Query{Location: r.URL("a", "latest"), Access: trusted(r)})
			var typed *sources.Error
			if !errors.As(err, &typed) {
				t.Fatal(err)
			}
			if wait := time.Until(typed.NotBefore); wait < 110*time.Second || wait > 120*time.Second {
				t.Errorf("to be asked again in %s", wait)
			}
		})
	}
}

func TestPollsShareConnectionsAndTokens(t *testing.T) {
	r := registry.New(t, registry.Config{Username: "ada", Password: "hunter2", Token: true})
	r.Push(t, "images/fedora", "latest", registry.ContainerDisk(t, "disk.img", []byte("disk")))
	access := trusted(r)
	access.Username, access.Password = "ada", "hunter2"
	resolver := NewResolver(quick)
	defer resolver.Close()
	for range 5 {
		if _, err := resolver.Resolve(t.Context(), sources.Query{Location: r.URL("images/fedora", "latest"), Access: access}); err != nil {
			t.Fatal(err)
		}
	}
	var paths []string
	connections := map[string]bool{}
	for _, seen := range r.Requests() {
		paths = append(paths, seen.Method+" "+seen.Path)
		connections[seen.Address] = true
		if !strings.HasPrefix(seen.UserAgent, "golden-image-apiserver") {
			t.Errorf("%s %s has user agent %q", seen.Method, seen.Path, seen.UserAgent)
		}
		if strings.Contains(seen.Path, "/manifests/") && seen.Accept != acceptManifests {
			t.Errorf("%s %s accepts %q", seen.Method, seen.Path, seen.Accept)
		}
	}
	head := "HEAD /v2/images/fedora/manifests/latest"
	if diff := cmp.Diff([]string{"GET /v2/", "GET /token", head, head, head, head, head}, paths); diff != "" {
		t.Error(diff)
	}
	if len(connections) != 1 {
		t.Errorf("%d connections", len(connections))
	}
}

func TestOtherCredentialsDoNotShareASession(t *testing.T) {
	r := registry.New(t, registry.Config{Username: "ada", Password: "hunter2", Token: true})
	r.Push(t, "images/fedora", "latest", registry.ContainerDisk(t, "disk.img", []byte("disk")))
	resolver := NewResolver(quick)
	defer resolver.Close()
	good, wrong := trusted(r), trusted(r)
	good.Username, good.Password = "ada", "hunter2"
	wrong.Username, wrong.Password = "ada", "sesame"
	if _, err := resolver.Resolve(t.Context(), sources.Query{Location: r.URL("images/fedora", "latest"), Access: good}); err != nil {
		t.Fatal(err)
	}
	_, err := resolver.Resolve(t.Context(), sources.Query{Location: r.URL("images/fedora", "latest"), Access: wrong})
	checkError(t, err, sources.Unauthorized)
}

func TestASessionIsRenewedWhenTheRegistryChanges(t *testing.T) {
	r := registry.New(t, registry.Config{})
	r.Push(t, "images/fedora", "latest", registry.ContainerDisk(t, "disk.img", []byte("disk")))
	resolver := NewResolver(quick)
	defer resolver.Close()
	resolve := func() error {
		_, err := resolver.Resolve(t.Context(), sources.Query{Location: r.URL("images/fedora", "latest"), Access: trusted(r)})
		return err
	}
	if err := resolve(); err != nil {
		t.Fatal(err)
	}
	r.SetFaults(registry.Faults{Steps: []registry.Step{{Path: "/manifests/", Status: 401, Code: "UNAUTHORIZED"}}})
	checkError(t, resolve(), sources.Unauthorized)
	r.SetFaults(registry.Faults{})
	if err := resolve(); err != nil {
		t.Errorf("it does not heal: %v", err)
	}
}

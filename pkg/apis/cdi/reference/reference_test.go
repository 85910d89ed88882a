// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

type parts struct {
	Registry, Repository, Identifier, Digest, String, URL string
}

func partsOf(r Reference) parts {
	return parts{r.Registry(), r.Repository(), r.Identifier(), r.Digest(), r.String(), r.URL()}
}

func TestParse(t *testing.T) {
	for name, test := range map[string]struct {
		url  string
		want parts
	}{
		"a tag": {
			url: "docker://quay.io/kubevirt/fedora-cloud-registry-disk-demo:latest",
			want: parts{
				"quay.io", "kubevirt/fedora-cloud-registry-disk-demo", "latest", "",
				"quay.io/kubevirt/fedora-cloud-registry-disk-demo:latest", "docker://quay.io/kubevirt/fedora-cloud-registry-disk-demo:latest",
			},
		},
		"no tag means latest": {
			url:  "docker://registry.example:5000/fedora",
			want: parts{"registry.example:5000", "fedora", "latest", "", "registry.example:5000/fedora:latest", "docker://registry.example:5000/fedora:latest"},
		},
		"Docker Hub's short names are spelled out": {
			url:  "docker://fedora",
			want: parts{"index.docker.io", "library/fedora", "latest", "", "index.docker.io/library/fedora:latest", "docker://index.docker.io/library/fedora:latest"},
		},
		"Docker Hub by its usual name": {
			url:  "docker://docker.io/kubevirt/fedora:40",
			want: parts{"index.docker.io", "kubevirt/fedora", "40", "", "index.docker.io/kubevirt/fedora:40", "docker://index.docker.io/kubevirt/fedora:40"},
		},
		"a digest": {
			url:  "docker://quay.io/a/b@" + digest,
			want: parts{"quay.io", "a/b", digest, digest, "quay.io/a/b@" + digest, "docker://quay.io/a/b@" + digest},
		},
		"a digest drops the tag": {
			url:  "docker://quay.io/a/b:v1@" + digest,
			want: parts{"quay.io", "a/b", digest, digest, "quay.io/a/b@" + digest, "docker://quay.io/a/b@" + digest},
		},
		"an archive": {
			url:  "oci-archive:/images/fedora.tar",
			want: parts{String: "oci-archive:/images/fedora.tar", URL: "oci-archive:/images/fedora.tar"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Parse(test.url)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, partsOf(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		url, wantInError string
	}{
		"nothing":                     {"", "docker://host"},
		"no scheme":                   {"quay.io/a/b", `"quay.io/a/b"`},
		"another scheme":              {"https://quay.io/a/b", "docker://host"},
		"a scheme alone":              {"docker://", `"docker://"`},
		"an archive without a file":   {"oci-archive://", "names no file"},
		"upper case":                  {"docker://quay.io/A/b", `"docker://quay.io/A/b"`},
		"a blank":                     {"docker://quay.io/a b", "' '"},
		"a line break":                {"docker://quay.io/a\n", "docker://host"},
		"a short digest":              {"docker://quay.io/a@sha256:abcd", "sha256"},
		"a digest of another kind":    {"docker://quay.io/a@sha512:" + strings.Repeat("a", 128), "sha256"},
		"a query":                     {"docker://quay.io/a?x=y", "docker://host"},
		"an endless value":            {"docker://quay.io/" + strings.Repeat("a", 5000), "at most 1024"},
		"a password instead of a tag": {"docker://user:hunter2@quay.io/a", "secretRef"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Parse(test.url)
			if err == nil {
				t.Fatalf("no error but %q", got)
			}
			if !strings.Contains(err.Error(), test.wantInError) {
				t.Errorf("error %q lacks %q", err, test.wantInError)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error %q holds the password", err)
			}
		})
	}
}

func TestParseName(t *testing.T) {
	for _, image := range []string{"quay.io/a/b@" + digest, "docker://quay.io/a/b@" + digest} {
		got, err := ParseName(image)
		if err != nil {
			t.Fatal(err)
		}
		if got.Digest() != digest || got.Registry() != "quay.io" {
			t.Errorf("ParseName(%q) = %q", image, got)
		}
	}
	if _, err := ParseName("oci-archive:/a.tar"); err == nil {
		t.Error("an archive is no image name")
	}
}

func TestPinDropsTheTag(t *testing.T) {
	tag, err := Parse("docker://quay.io/a/b:v1")
	if err != nil {
		t.Fatal(err)
	}
	want := parts{"quay.io", "a/b", digest, digest, "quay.io/a/b@" + digest, "docker://quay.io/a/b@" + digest}
	if diff := cmp.Diff(want, partsOf(tag.Pin(digest))); diff != "" {
		t.Error(diff)
	}
	if got := tag.Identifier(); got != "v1" {
		t.Errorf("Pin changed its receiver to %q", got)
	}
}

func TestIsInsecure(t *testing.T) {
	for name, test := range map[string]struct {
		list []string
		want bool
	}{
		"an empty list":            {nil, false},
		"the same host and port":   {[]string{"other", "registry.example:5000"}, true},
		"the host without port":    {[]string{"registry.example"}, false},
		"the host at another port": {[]string{"registry.example:5001"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Parse("docker://registry.example:5000/fedora")
			if err != nil {
				t.Fatal(err)
			}
			if got := r.IsInsecure(test.list); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestRemote(t *testing.T) {
	r, err := Parse("docker://registry.example:5000/a/b")
	if err != nil {
		t.Fatal(err)
	}
	for insecure, scheme := range map[bool]string{false: "https", true: "http"} {
		got, err := r.Remote(insecure)
		if err != nil {
			t.Fatal(err)
		}
		if got.Name() != "registry.example:5000/a/b" || got.Scheme() != scheme {
			t.Errorf("got %s over %s", got.Name(), got.Scheme())
		}
	}
	archive, err := Parse("oci-archive:/a.tar")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Remote(false); err == nil {
		t.Error("an archive has no repository")
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"docker://fedora", "docker://quay.io/a/b:v1", "docker://h:5000/a@" + digest, "oci-archive:/a.tar:b",
		"docker://user:pass@h/a", "docker://[::1]:5000/a", "docker://h/a:b:c", "docker://@", "docker:///a",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, url string) {
		r, err := Parse(url)
		if err != nil {
			return
		}
		again, err := Parse(r.URL())
		if err != nil {
			t.Fatalf("Parse(%q) gives %q, which does not parse: %v", url, r.URL(), err)
		}
		if again != r {
			t.Fatalf("Parse(%q) gives %#v, and its URL %#v", url, r, again)
		}
		if r.Transport() != Docker {
			return
		}
		if r.Registry() == "" || r.Repository() == "" || r.Identifier() == "" {
			t.Fatalf("Parse(%q) gives an incomplete reference %#v", url, r)
		}
		if pinned := r.Pin(digest); pinned.Identifier() != digest {
			t.Fatalf("Pin of %q gives %q", url, pinned)
		}
	})
}

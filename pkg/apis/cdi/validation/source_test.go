// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"goldenimage.dev/pkg/apis/cdi"
)

const imageStreamElsewhere = "imageStream is supported in DataImportCrons alone: give url, or sourceRef to the DataSource of a DataImportCron that follows it"

// TestValidateImageStream checks names of ImageStreams where they may be given.
func TestValidateImageStream(t *testing.T) {
	const at = "spec.template.spec.source.registry.imageStream"
	const method = "Source registry ImageStream is supported only with node pull import method"
	for name, test := range map[string]struct {
		stream string
		method *cdi.RegistryPullMethod
		want   []fault
	}{
		"a name":                    {"rhel8-is", new(cdi.RegistryPullNode), nil},
		"a name and a tag":          {"rhel8-is:8.10", new(cdi.RegistryPullNode), nil},
		"what is found out by poll": {"a:b:c", new(cdi.RegistryPullNode), nil},
		"nothing":                   {"", new(cdi.RegistryPullNode), []fault{required(at, "Source registry ImageStream is not valid: give name or name:tag")}},
		"a pod would pull it":       {"rhel8-is", new(cdi.RegistryPullPod), []fault{invalid(at, method)}},
		"a pod would by default":    {"rhel8-is", nil, []fault{invalid(at, method)}},
	} {
		t.Run(name, func(t *testing.T) {
			cron := fedoraCron()
			registry := cron.Spec.Template.Spec.Source.Registry
			registry.URL, registry.ImageStream, registry.PullMethod = nil, &test.stream, test.method
			compare(t, test.want, ValidateDataImportCron(cron))
		})
	}
}

func TestValidateRegistry(t *testing.T) {
	const url = "docker://quay.io/containerdisks/fedora:latest"
	for name, test := range map[string]struct {
		registry cdi.DataVolumeSourceRegistry
		want     []fault
	}{
		"a url is valid": {cdi.DataVolumeSourceRegistry{URL: new(url)}, nil},
		"everything supported is valid": {cdi.DataVolumeSourceRegistry{
			URL: new("docker://localhost:5000/a/b@sha256:" + strings.Repeat("a", 64)), PullMethod: new(cdi.RegistryPullPod),
			SecretRef: new("credentials"), CertConfigMap: new("certs"), Platform: &cdi.PlatformOptions{Architecture: "arm64"},
		}, nil},
		"neither url nor imageStream": {cdi.DataVolumeSourceRegistry{}, []fault{invalid("registry", "Source registry should have either URL or ImageStream: give url")}},
		"both": {cdi.DataVolumeSourceRegistry{URL: new(url), ImageStream: new("fedora"), PullMethod: new(cdi.RegistryPullNode)}, []fault{
			invalid("registry", "Source registry should have either URL or ImageStream: give url"),
			forbidden("registry.imageStream", imageStreamElsewhere),
		}},
		"an imageStream": {cdi.DataVolumeSourceRegistry{ImageStream: new("fedora"), PullMethod: new(cdi.RegistryPullNode)},
			[]fault{forbidden("registry.imageStream", imageStreamElsewhere)}},
		"an imageStream that a pod would pull": {cdi.DataVolumeSourceRegistry{ImageStream: new("fedora"), PullMethod: new(cdi.RegistryPullPod)}, []fault{
			forbidden("registry.imageStream", imageStreamElsewhere),
			invalid("registry.imageStream", "Source registry ImageStream is supported only with node pull import method"),
		}},
		"an empty imageStream": {cdi.DataVolumeSourceRegistry{ImageStream: new("")}, []fault{
			forbidden("registry.imageStream", imageStreamElsewhere),
			required("registry.imageStream", "Source registry ImageStream is not valid: give name or name:tag"),
			invalid("registry.imageStream", "Source registry ImageStream is supported only with node pull import method"),
		}},
		"an unknown pull method": {cdi.DataVolumeSourceRegistry{URL: new(url), PullMethod: new(cdi.RegistryPullMethod("Node"))},
			[]fault{unsupported("registry.pullMethod", `ImportMethod Node is neither pod, node or ""`)}},
		"names and architecture that are none": {cdi.DataVolumeSourceRegistry{
			URL: new(url), SecretRef: new("a/b"), CertConfigMap: new("A"), Platform: &cdi.PlatformOptions{Architecture: "linux/amd64"},
		}, []fault{
			invalid("registry.secretRef", "name of the Secret is not valid: "+badName),
			invalid("registry.certConfigMap", "name of the ConfigMap is not valid: "+badName),
			invalid("registry.platform.architecture", "architecture is not valid: give one such as amd64, arm64 or s390x: "+badValue),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			compare(t, test.want, validateRegistry(&test.registry, field.NewPath("registry")))
		})
	}
}

func TestValidateURL(t *testing.T) {
	const (
		scheme = "Illegal registry source URL scheme "
		other  = "Illegal registry source URL "
	)
	for name, test := range map[string]struct {
		url string
		// want is what the error says, "" if there is none.
		want string
	}{
		"a tag":                      {"docker://quay.io/containerdisks/fedora:40", ""},
		"no tag":                     {"docker://quay.io/containerdisks/fedora", ""},
		"no registry":                {"docker://fedora", ""},
		"a port":                     {"docker://registry:5000/fedora", ""},
		"nothing":                    {"", scheme + ": " + acceptedURL},
		"no scheme":                  {"quay.io/fedora", scheme + "quay.io/fedora: " + acceptedURL},
		"https":                      {"https://quay.io/fedora", scheme + "https://quay.io/fedora: " + acceptedURL},
		"an archive":                 {"oci-archive:/a.tar", scheme + "oci-archive:/a.tar: " + acceptedURL},
		"a scheme in capitals":       {"DOCKER://quay.io/fedora", scheme + "DOCKER://quay.io/fedora: " + acceptedURL},
		"a scheme without slashes":   {"docker:quay.io/fedora", other + "docker:quay.io/fedora: it has another scheme or none: " + acceptedURL},
		"a blank":                    {"docker://quay.io/fe dora", other + "docker://quay.io/fe dora: it holds the character ' ': " + acceptedURL},
		"a repository with capitals": {"docker://quay.io/Fedora", other + "docker://quay.io/Fedora: "},
		"a half digest":              {"docker://quay.io/fedora@sha256:0123", other + "docker://quay.io/fedora@sha256:0123: "},
		"a book": {"docker://quay.io/" + strings.Repeat("a", 5000),
			other + "docker://quay.io/" + strings.Repeat("a", 239) + "…: image reference is 5017 characters long: at most 1024 are accepted: " + acceptedURL},
	} {
		t.Run(name, func(t *testing.T) {
			errs := validateURL(test.url, field.NewPath("url"))
			if test.want == "" {
				compare(t, nil, errs)
				return
			}
			if len(errs) != 1 || errs[0].Type != field.ErrorTypeInvalid || !strings.HasPrefix(errs[0].Detail, test.want) {
				t.Errorf("errors %v, want one that begins with\n%s", errs, test.want)
			}
			if length := len(errs.ToAggregate().Error()); length > 1200 {
				t.Errorf("the error is %d bytes long", length)
			}
		})
	}
}

func TestErrorsDoNotRepeatPasswords(t *testing.T) {
	const secret = "s3cret"
	for name, url := range map[string]string{
		"user and password":         "docker://user:s3cret@quay.io/fedora:latest",
		"with a digest":             "docker://user:s3cret@quay.io/fedora@sha256:" + strings.Repeat("a", 64),
		"a password with a slash":   "docker://user:s3/s3cret@quay.io/fedora",
		"a password with an @":      "docker://user:s3cret@s3cret@quay.io/fedora",
		"another scheme":            "https://user:s3cret@quay.io/fedora",
		"no scheme":                 "user:s3cret@quay.io/fedora",
		"a host alone":              "docker://user:s3cret@quay.io",
		"a password and nonsense":   "docker://user:s3cret@ @@@quay.io",
		"a token for the user name": "docker://s3cret@quay.io/fedora",
	} {
		t.Run(name, func(t *testing.T) {
			errs := validateURL(url, field.NewPath("url"))
			if len(errs) != 1 || !strings.Contains(errs[0].Detail, "name a Secret by secretRef instead") {
				t.Fatalf("errors %v", errs)
			}
			if text := errs.ToAggregate().Error(); strings.Contains(text, secret) {
				t.Errorf("the password is in %s", text)
			}
		})
	}
}

func FuzzValidateURL(f *testing.F) {
	for _, seed := range []string{"docker://quay.io/a:b", "docker://u:p@h/a", "oci-archive:/a", "@@", "docker://a@sha256:", "docker://\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, url string) {
		for _, err := range validateURL(url, field.NewPath("url")) {
			if len(err.Error()) > 8*shown+1024 {
				t.Errorf("error of %d bytes", len(err.Error()))
			}
		}
		if visible, secret := withoutCredentials(url); secret && !cutAtLast(visible) {
			t.Errorf("%q is shown as %q", url, visible)
		}
	})
}

// cutAtLast tells whether nothing stands before the first @ but the mark of what was left out.
func cutAtLast(visible string) bool {
	before, _, found := strings.Cut(visible, "@")
	return found && before == "…"
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"goldenimage.dev/pkg/apis/cdi"
)

func TestRegistryHosts(t *testing.T) {
	for name, test := range map[string]struct{ host, want string }{
		"a name":                     {"registry.example", ""},
		"a name in a network":        {"registry", ""},
		"a name and a port":          {"registry.example:5000", ""},
		"the highest port":           {"registry:65535", ""},
		"an address":                 {"192.0.2.1:5000", ""},
		"an address of IPv6":         {"[2001:db8::1]", ""},
		"one of IPv6 and a port":     {"[2001:db8::1]:5000", ""},
		"capitals":                   {"Registry.example", ""},
		"nothing":                    {"", "it is empty"},
		"a scheme":                   {"http://registry.example:5000", "it has a scheme"},
		"a path":                     {"registry.example/library", "it has a path"},
		"a slash":                    {"registry.example/", "it has a path"},
		"a query":                    {"registry.example?a=b", "it has a path"},
		"a user":                     {"user:hunter2@registry.example", "it has a user name"},
		"an empty port":              {"registry:", "its port is not a number from 1 to 65535"},
		"port 0":                     {"registry:0", "its port is not a number from 1 to 65535"},
		"a port too high":            {"registry:65536", "its port is not a number from 1 to 65535"},
		"a port that is a word":      {"registry:http", "its port is not a number from 1 to 65535"},
		"a port with a sign":         {"registry:+5000", "its port is not a number from 1 to 65535"},
		"a port alone":               {":5000", "its host is neither a name nor an address"},
		"a wildcard":                 {"*.example", "its host is neither a name nor an address"},
		"a blank":                    {"registry example", "its host is neither a name nor an address"},
		"IPv6 without brackets":      {"2001:db8::1", "its host is neither a name nor an address"},
		"brackets that do not close": {"[2001:db8::1", "its address is not of IPv6"},
		"IPv4 in brackets":           {"[192.0.2.1]:5000", "its address is not of IPv6"},
		"a zone":                     {"[fe80::1%eth0]:5000", "its address is not of IPv6"},
		"a word in brackets":         {"[registry]", "its address is not of IPv6"},
	} {
		t.Run(name, func(t *testing.T) {
			var want []fault
			if test.want != "" {
				want = []fault{invalid("list[1]", "registry is not valid: "+test.want+": accepted is host[:port], such as registry.example:5000, without a scheme or path")}
			}
			compare(t, want, validateRegistryHosts([]string{"ok", test.host}, field.NewPath("list")))
		})
	}
}

func TestVisibleURL(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "",
		"http://host/path":                   "http://host/path",
		"http://user:hunter2@host/path":      "…@host/path",
		"http://user:hunter2@sha256:abc":     "…@sha256:abc",
		"http://user:hun@ter2@host":          "…@host",
		"https://host/o?X-Amz-Signature=abc": "https://host/o?…",
		"https://a:b@host/o?c=d@e":           "…@e",
		strings.Repeat("a", 300):             strings.Repeat("a", 256) + "…",
	} {
		if diff := cmp.Diff(want, visibleURL(text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

// Wherever a URL with a password is wrong, and whatever is wrong with it, the password stays out.
func TestNoErrorRepeatsAPassword(t *testing.T) {
	const secret = "hunter2"
	for name, url := range map[string]string{
		"a scheme that is not known":    "ftp://user:hunter2@host/disk",
		"no scheme":                     "user:hunter2@host/disk",
		"a URL that does not parse":     "http://user:hunter2@ho st/disk",
		"a password with a slash":       "http://user:hun/hunter2@host/disk",
		"a password that is escaped":    "ftp://user:hunter2%40@host/disk",
		"a host that is like a digest":  "ftp://user:hunter2@sha256:abcd/disk",
		"no host":                       "http://user:hunter2@",
		"a user alone":                  "ftp://hunter2@host",
		"a signature that is no secret": "ftp://host/disk?signature=hunter2",
	} {
		t.Run(name, func(t *testing.T) {
			config := theConfig()
			config.Spec = cdi.CDIConfigSpec{ImportProxy: &cdi.ImportProxy{HTTPProxy: &url, HTTPSProxy: &url}, InsecureRegistries: []string{url}}
			errs := ValidateCDIConfig(config)
			volume := fedoraImport()
			volume.Spec.Source = everySource(url)
			errs = append(errs, ValidateDataVolume(volume)...)
			if len(errs) < 10 {
				t.Errorf("only %d errors: %v", len(errs), errs)
			}
			if text := errs.ToAggregate().Error(); strings.Contains(text, secret) {
				t.Errorf("the password is in %s", text)
			}
		})
	}
}

// everySource has all members that have a URL.
func everySource(url string) *cdi.DataVolumeSource {
	return &cdi.DataVolumeSource{
		HTTP: &cdi.DataVolumeSourceHTTP{URL: url}, S3: &cdi.DataVolumeSourceS3{URL: url}, GCS: &cdi.DataVolumeSourceGCS{URL: url},
		Imageio: &cdi.DataVolumeSourceImageIO{URL: url}, VDDK: &cdi.DataVolumeSourceVDDK{URL: url},
		Registry: &cdi.DataVolumeSourceRegistry{URL: new("docker://user:hunter2@host/disk")},
	}
}

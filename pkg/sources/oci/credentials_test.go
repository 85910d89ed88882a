// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"

	"goldenimage.dev/pkg/apis/cdi/reference"
	"goldenimage.dev/pkg/sources"
)

func TestCredential(t *testing.T) {
	const ada = `{"username":"ada","password":"p"}`
	const bob = `{"auth":"Ym9iOnE="}`
	adaAuth, bobAuth := authn.AuthConfig{Username: "ada", Password: "p"}, authn.AuthConfig{Username: "bob", Password: "q"}
	for name, test := range map[string]struct {
		image  string
		access sources.Access
		config string
		want   authn.AuthConfig
	}{
		"nothing":                                {image: "quay.io/a/b"},
		"user name and password":                 {image: "quay.io/a/b", access: sources.Access{Username: "ada", Password: "p"}, config: `{"auths":{"quay.io":` + bob + `}}`, want: adaAuth},
		"the registry's host":                    {image: "quay.io/a/b", config: `{"auths":{"quay.io":` + ada + `}}`, want: adaAuth},
		"an encoded pair":                        {image: "quay.io/a/b", config: `{"auths":{"quay.io":` + bob + `}}`, want: bobAuth},
		"another host":                           {image: "quay.io/a/b", config: `{"auths":{"ghcr.io":` + ada + `}}`},
		"a host that ends the same":              {image: "quay.io/a/b", config: `{"auths":{"io":` + ada + `,"notquay.io":` + ada + `}}`},
		"the host at another port":               {image: "quay.io:5000/a/b", config: `{"auths":{"quay.io":` + ada + `}}`},
		"a URL":                                  {image: "quay.io/a/b", config: `{"auths":{"https://quay.io/v2/":` + ada + `}}`, want: adaAuth},
		"Docker Hub as docker login writes it":   {image: "fedora", config: `{"auths":{"https://index.docker.io/v1/":` + ada + `}}`, want: adaAuth},
		"Docker Hub by its short name":           {image: "fedora", config: `{"auths":{"docker.io":` + ada + `}}`, want: adaAuth},
		"a repository":                           {image: "quay.io/a/b", config: `{"auths":{"quay.io/a":` + ada + `}}`, want: adaAuth},
		"the longest of several":                 {image: "quay.io/a/b", config: `{"auths":{"quay.io":` + bob + `,"quay.io/a":` + ada + `}}`, want: adaAuth},
		"a repository that begins the same":      {image: "quay.io/ab/c", config: `{"auths":{"quay.io/a":` + ada + `}}`},
		"a pattern":                              {image: "1.registry.example/a", config: `{"auths":{"*.registry.example":` + ada + `}}`, want: adaAuth},
		"a pattern does not go across dots":      {image: "1.2.registry.example/a", config: `{"auths":{"*.registry.example":` + ada + `}}`},
		"a malformed entry of another registry":  {image: "quay.io/a", config: `{"auths":{"ghcr.io":{"auth":"!"},"quay.io":` + ada + `}}`, want: adaAuth},
		"an identity token":                      {image: "quay.io/a", config: `{"auths":{"quay.io":{"identitytoken":"t"}}}`, want: authn.AuthConfig{IdentityToken: "t"}},
		"a document without what we look for":    {image: "quay.io/a", config: `{"credsStore":"desktop"}`},
		"an entry that says nothing is as none":  {image: "quay.io/a", config: `{"auths":{"quay.io":{}}}`},
		"user name and password beat the config": {image: "quay.io/a", access: sources.Access{Username: "bob", Password: "q"}, config: `{"auths":{"quay.io":` + ada + `}}`, want: bobAuth},
	} {
		t.Run(name, func(t *testing.T) {
			ref, err := reference.ParseName(test.image)
			if err != nil {
				t.Fatal(err)
			}
			test.access.DockerConfig = []byte(test.config)
			got, err := credential(ref, test.access)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

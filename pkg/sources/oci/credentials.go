// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"encoding/json"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"

	"goldenimage.dev/pkg/apis/cdi/reference"
	"goldenimage.dev/pkg/sources"
)

// hub is Docker Hub's registry as references spell it.
const hub = "index.docker.io"

// credential returns what access holds for the reference's registry, the zero AuthConfig if
// that is nothing.
func credential(ref reference.Reference, access sources.Access) (authn.AuthConfig, error) {
	if access.Username != "" || access.Password != "" {
		return authn.AuthConfig{Username: access.Username, Password: access.Password}, nil
	}
	if len(access.DockerConfig) == 0 {
		return authn.AuthConfig{}, nil
	}
	var config struct {
		Auths map[string]json.RawMessage `json:"auths"`
	}
	if err := json.Unmarshal(access.DockerConfig, &config); err != nil {
		return authn.AuthConfig{}, errDockerConfig()
	}
	// The longest scope wins; in the order of their keys, so that it is always the same one.
	var best, bestKey string
	for _, key := range slices.Sorted(maps.Keys(config.Auths)) {
		if scope := configScope(key); scopeCovers(scope, ref) && len(scope) > len(best) {
			best, bestKey = scope, key
		}
	}
	if best == "" {
		return authn.AuthConfig{}, nil
	}
	var found authn.AuthConfig
	if err := json.Unmarshal(config.Auths[bestKey], &found); err != nil {
		return authn.AuthConfig{}, errDockerConfig()
	}
	// What is encoded in it has been taken out, and the rest is what sessions are told apart by.
	found.Auth = ""
	return found, nil
}

// errDockerConfig leaves its cause out, which may repeat a part of the document.
func errDockerConfig() error {
	return sources.Errorf(sources.Unauthorized,
		"the Secret of %s holds a malformed .dockerconfigjson: make it with kubectl create secret docker-registry", secretField)
}

// configScope returns a key of auths as host[:port][/path]. Docker's own keys are URLs, such
// as https://index.docker.io/v1/.
func configScope(key string) string {
	key = strings.TrimPrefix(strings.TrimPrefix(key, "https://"), "http://")
	host, rest, _ := strings.Cut(key, "/")
	switch host {
	case "docker.io", "registry-1.docker.io":
		host = hub
	}
	rest = strings.Trim(rest, "/")
	if rest == "v1" || rest == "v2" {
		rest = ""
	}
	for _, api := range []string{"v1/", "v2/"} {
		rest = strings.TrimPrefix(rest, api)
	}
	if rest == "" {
		return host
	}
	return host + "/" + rest
}

// scopeCovers tells whether a scope is for the reference's registry and repository. A * in
// the host stands for a part between dots, as the kubelet has it.
func scopeCovers(scope string, ref reference.Reference) bool {
	host, prefix, _ := strings.Cut(scope, "/")
	if !hostMatches(host, ref.Registry()) {
		return false
	}
	return prefix == "" || ref.Repository() == prefix || strings.HasPrefix(ref.Repository(), prefix+"/")
}

func hostMatches(pattern, host string) bool {
	if !strings.Contains(pattern, "*") {
		return pattern == host
	}
	patterns, parts := strings.Split(pattern, "."), strings.Split(host, ".")
	if len(patterns) != len(parts) {
		return false
	}
	for i := range parts {
		if ok, err := path.Match(patterns[i], parts[i]); err != nil || !ok {
			return false
		}
	}
	return true
}

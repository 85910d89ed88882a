// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package v1

// ProxyPath is a file that holds a Proxy. It is absent when sources are read without one.
const ProxyPath = "/etc/golden-image/proxy.json"

// PullSecretsPerAccount is how many Secrets that a ServiceAccount pulls with may lie in
// CredentialsDir, as 0.dockerconfigjson or 0.dockercfg and so on by their order. Of several
// credentials for the same registry the first one counts.
const PullSecretsPerAccount = 16

// Commands of the worker, as its first argument. They need no Request.
const (
	// CommandCopy PATH copies the program to PATH.
	CommandCopy = "copy-self"
	// CommandExit does nothing.
	CommandExit = "exit"
)

// A Proxy says through which proxy which hosts are read. It holds no credential.
type Proxy struct {
	// HTTP, HTTPS and No are as in the environment variables.
	HTTP  string `json:"http,omitempty"`
	HTTPS string `json:"https,omitempty"`
	No    string `json:"no,omitempty"`
	// Certificates are authorities to trust besides those of CertificatesDir, PEM encoded.
	Certificates string `json:"certificates,omitempty"`
}

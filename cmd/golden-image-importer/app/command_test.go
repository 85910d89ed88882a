// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	importer "goldenimage.dev/pkg/apis/importer/v1"
	"goldenimage.dev/pkg/sources"
)

func TestTheProgramCopiesItself(t *testing.T) {
	path := filepath.Join(t.TempDir(), "importer")
	// Twice: the second one replaces the first.
	for range 2 {
		var stdout, stderr bytes.Buffer
		if code := Run(t.Context(), []string{"copy-self", path}, &stdout, &stderr); code != importer.ExitDone || stdout.Len() > 0 {
			t.Fatalf("exit code %d: %s %s", code, &stdout, &stderr)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("the copy has %d bytes and the program %d", len(got), len(want))
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o111 == 0 {
		t.Errorf("the copy cannot be run: %v %v", info, err)
	}
}

func TestCommands(t *testing.T) {
	tests := map[string]struct {
		arguments []string
		want      int
	}{
		"nothing is done":                 {[]string{"exit"}, importer.ExitDone},
		"nothing is done, whatever it is": {[]string{"exit", "--root", "/nowhere"}, importer.ExitDone},
		"a copy to nowhere":               {[]string{"copy-self"}, importer.ExitUsage},
		"a copy to two places":            {[]string{"copy-self", "a", "b"}, importer.ExitUsage},
		"a copy to where it cannot be":    {[]string{"copy-self", filepath.Join(t.TempDir(), "none", "importer")}, importer.ExitRetry},
		"another command":                 {[]string{"stay"}, importer.ExitUsage},
		"a command after a flag":          {[]string{"--qemu-img", "none", "exit"}, importer.ExitUsage},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Run(t.Context(), tc.arguments, io.Discard, io.Discard); got != tc.want {
				t.Errorf("exit code %d, want %d", got, tc.want)
			}
		})
	}
}

func TestReadProxy(t *testing.T) {
	tests := map[string]struct {
		document string
		want     sources.Access
		fails    bool
	}{
		"none": {},
		"all of it": {
			document: `{"http":"http://proxy:1","https":"http://proxy:2","no":".svc","certificates":"pem"}`,
			want:     sources.Access{Proxy: sources.Proxy{HTTP: "http://proxy:1", HTTPS: "http://proxy:2", No: ".svc"}, CertificatesPEM: [][]byte{[]byte("own"), []byte("pem")}},
		},
		"without certificates":                       {document: `{"https":"http://proxy:2"}`, want: sources.Access{Proxy: sources.Proxy{HTTPS: "http://proxy:2"}}},
		"what the worker does not know it cannot do": {document: `{"socks":"x"}`, fails: true},
		"no JSON": {document: `http://proxy`, fails: true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p := newPod(t)
			if tc.document != "" {
				p.write(t, "/etc/golden-image/proxy.json", []byte(tc.document))
			}
			access := sources.Access{}
			if tc.want.CertificatesPEM != nil {
				access.CertificatesPEM = [][]byte{[]byte("own")}
			}
			err := readProxy(options{root: p.root}, &access)
			if (err != nil) != tc.fails {
				t.Errorf("error %v", err)
			}
			if diff := cmp.Diff(tc.want, access); diff != "" {
				t.Errorf("access (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadPullSecrets(t *testing.T) {
	const one, two = `{"auth":"b25l"}`, `{"auth":"dHdv"}`
	tests := map[string]struct {
		files map[string]string
		want  string
		fails bool
	}{
		"none": {},
		"of several the first one stands": {
			files: map[string]string{
				"0.dockerconfigjson": `{"auths":{"a.example":` + one + `}}`,
				"2.dockercfg":        `{"a.example":` + two + `,"b.example":` + two + `}`, // the second one vanished
				"3.dockerconfigjson": `{"auths":{"b.example":` + one + `,"c.example":` + one + `}}`,
			},
			want: `{"auths":{"a.example":` + one + `,"b.example":` + two + `,"c.example":` + one + `}}`,
		},
		"that of the source is another file": {files: map[string]string{".dockerconfigjson": `{"auths":{"a.example":` + one + `}}`}},
		"more than are mounted":              {files: map[string]string{"16.dockerconfigjson": `{"auths":{"a.example":` + one + `}}`}},
		"malformed":                          {files: map[string]string{"0.dockercfg": `topsecret`}, fails: true},
		"too large":                          {files: map[string]string{"0.dockercfg": string(make([]byte, maxFile+1))}, fails: true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p := newPod(t)
			for file, content := range tc.files {
				p.write(t, filepath.Join(importer.CredentialsDir, file), []byte(content))
			}
			got, err := readPullSecrets(options{root: p.root})
			if (err != nil) != tc.fails || err != nil && bytes.Contains([]byte(err.Error()), []byte("topsecret")) {
				t.Errorf("error %v", err)
			}
			if string(got) != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	importer "goldenimage.dev/pkg/apis/importer/v1"
)

// packed is content as a program of a cloud's build makes it.
func packed(t *testing.T, content []byte, program string) []byte {
	t.Helper()
	command := exec.CommandContext(t.Context(), program, "-1", "-c")
	command.Stdin = bytes.NewReader(content)
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s is needed: %v", program, err)
	}
	return out
}

// serveFile returns the URL of a file that only those may read who send the password and the
// header.
func serveFile(t *testing.T, content []byte) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != "hunter2" || r.Header.Get("X-Token") != "sesame" || r.Header.Get("X-Site") != "one" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		http.ServeContent(w, r, "", time.Unix(1e9, 0), bytes.NewReader(content))
	}))
	t.Cleanup(server.Close)
	return server.URL + "/images/fedora.img"
}

func webPod(t *testing.T, source importer.HTTPSource) pod {
	t.Helper()
	p := newPod(t)
	p.write(t, importer.CredentialsDir+"/accessKeyId", []byte("ada\n"))
	p.write(t, importer.CredentialsDir+"/secretKey", []byte("hunter2\n"))
	p.write(t, importer.HeadersDir+"/0/token", []byte("X-Token: sesame\n"))
	p.write(t, importer.HeadersDir+"/0/..data/token", []byte("not looked at"))
	source.Headers = []string{"X-Site: one"}
	p.request(t, importer.Request{HTTP: &source, Target: importer.Target{SizeBytes: 32 * mib}})
	return p
}

func TestImportFromAWebServer(t *testing.T) {
	raw := sampleDisk()
	image := qcow2(t, raw)
	for name, test := range map[string]struct {
		content []byte
		format  string
	}{
		"raw":           {raw, "raw"},
		"qcow2":         {image, "qcow2"},
		"raw in xz":     {packed(t, raw, "xz"), "raw"},
		"qcow2 in xz":   {packed(t, image, "xz"), "qcow2"},
		"qcow2 in gzip": {packed(t, image, "gzip"), "qcow2"},
	} {
		t.Run(name, func(t *testing.T) {
			sum := fmt.Sprintf("sha256:%x", sha256.Sum256(test.content))
			p := webPod(t, importer.HTTPSource{URL: serveFile(t, test.content), Checksum: sum})
			got, code, stdout := p.run(t, t.Context())
			want := importer.Result{Reason: importer.ReasonDone, Digest: sum, VirtualSizeBytes: 24 * mib, Format: test.format}
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(want, "BytesWritten", "BytesRead")); diff != "" || code != importer.ExitDone {
				t.Errorf("exit code %d: %s", code, diff)
			}
			checkDisk(t, p.disk(), raw, 32*mib)
			checkProgress(t, stdout)
		})
	}
}

func TestFailuresOfAWebServer(t *testing.T) {
	url := serveFile(t, sampleDisk())
	for name, test := range map[string]struct {
		source importer.HTTPSource
		change func(t *testing.T, p pod)
		reason importer.Reason
		code   int
		says   string
	}{
		"another checksum": {
			source: importer.HTTPSource{URL: url, Checksum: "sha256:" + strings.Repeat("0", 64)},
			reason: importer.ReasonDigestMismatch, code: importer.ExitRetry, says: "instead of sha256:0000",
		},
		"another build": {
			source: importer.HTTPSource{URL: url, Digest: "etag:" + strings.Repeat("0", 64)},
			reason: importer.ReasonDigestMismatch, code: importer.ExitRetry, says: "another file",
		},
		"a Secret with a header that is none": {
			source: importer.HTTPSource{URL: url},
			change: func(t *testing.T, p pod) { p.write(t, importer.HeadersDir+"/0/token", []byte("sesame")) },
			reason: importer.ReasonUnauthorized, code: importer.ExitRetry, says: "key token of a Secret",
		},
		"a Secret that is gone": {
			source: importer.HTTPSource{URL: url},
			change: func(t *testing.T, p pod) { p.write(t, importer.CredentialsDir+"/secretKey", nil) },
			reason: importer.ReasonUnauthorized, code: importer.ExitRetry, says: "refuses the credentials",
		},
		"a file that is packed and none": {
			source: importer.HTTPSource{URL: serveFile(t, []byte("\xfd7zXZ\x00 and then something else"))},
			reason: importer.ReasonFormat, code: importer.ExitPermanent, says: "cannot be unpacked",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := webPod(t, test.source)
			if test.change != nil {
				test.change(t, p)
			}
			checkFailure(t, p, test.reason, test.code, test.says)
		})
	}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"archive/tar"
	"os"
	"path/filepath"
	"strings"
	"testing"

	importer "goldenimage.dev/pkg/apis/importer/v1"
	"goldenimage.dev/test/registry"
)

func TestFailures(t *testing.T) {
	raw := sampleDisk()
	good := registry.Image{Layers: []registry.Layer{{{Name: "disk/a.img", Content: raw}}}}
	for name, test := range map[string]struct {
		image  registry.Image
		config registry.Config
		faults registry.Faults
		change func(*testing.T, pod, *importer.Request)
		want   importer.Reason
		code   int
		says   string
	}{
		"no credentials": {
			image: good, config: registry.Config{Username: "ada", Password: "hunter2"},
			want: importer.ReasonUnauthorized, code: importer.ExitRetry, says: "secretRef",
		},
		"wrong credentials": {
			image: good, config: registry.Config{Username: "ada", Password: "hunter2", Token: true},
			change: func(t *testing.T, p pod, _ *importer.Request) {
				p.write(t, importer.CredentialsDir+"/accessKeyId", []byte("ada"))
				p.write(t, importer.CredentialsDir+"/secretKey", []byte("sesame"))
			},
			want: importer.ReasonUnauthorized, code: importer.ExitRetry, says: "secretRef",
		},
		"no certificate": {
			image: good,
			change: func(t *testing.T, p pod, _ *importer.Request) {
				if err := os.RemoveAll(p.path(importer.CertificatesDir)); err != nil {
					t.Fatal(err)
				}
			},
			want: importer.ReasonCertificate, code: importer.ExitRetry, says: "certConfigMap",
		},
		"an image that is gone": {
			image: good, faults: registry.Faults{Steps: []registry.Step{{Path: "/manifests/", Status: 404, Code: "MANIFEST_UNKNOWN"}}},
			want: importer.ReasonNotFound, code: importer.ExitRetry, says: "images/fedora",
		},
		"a rate limit": {
			image: good, faults: registry.Faults{Steps: []registry.Step{{Path: "/manifests/", Status: 429}}},
			want: importer.ReasonUnreachable, code: importer.ExitRetry, says: "rate",
		},
		"a corrupted layer": {
			image: good, faults: registry.Faults{BlobsFrom: mib, CorruptAt: 3 * mib},
			want: importer.ReasonDigestMismatch, code: importer.ExitRetry, says: "digest",
		},
		"an image without a disk": {
			image: registry.Image{Layers: []registry.Layer{{{Name: "etc/motd", Content: []byte("x")}}}},
			want:  importer.ReasonNoDisk, code: importer.ExitPermanent, says: "/etc",
		},
		"an image of another architecture": {
			image: registry.Image{Layers: good.Layers, Architecture: "s390x"},
			change: func(_ *testing.T, _ pod, r *importer.Request) {
				r.Registry.Architecture = "amd64"
			},
			want: importer.ReasonFormat, code: importer.ExitPermanent, says: "doesn't match requested architecture",
		},
		"a disk that is too large": {
			image:  good,
			change: func(_ *testing.T, _ pod, r *importer.Request) { r.Target.SizeBytes = 10 * mib },
			want:   importer.ReasonTooLarge, code: importer.ExitPermanent,
			says: "virtual image size 25165824 is larger than the reported available storage 10485760. A larger PVC is required",
		},
		"a disk that is no disk": {
			image: registry.Image{Layers: []registry.Layer{{{Name: "disk/a.qcow2", Content: []byte("QFI\xfb....")}}}},
			want:  importer.ReasonFormat, code: importer.ExitPermanent, says: "truncated",
		},
		"a volume that cannot be written": {
			image: good,
			change: func(t *testing.T, p pod, _ *importer.Request) {
				if err := os.Remove(filepath.Dir(p.disk())); err != nil {
					t.Fatal(err)
				}
			},
			want: importer.ReasonWriteFailed, code: importer.ExitRetry,
		},
		"a request for two sources": {
			image:  good,
			change: func(_ *testing.T, _ pod, r *importer.Request) { r.Clone = &importer.CloneSource{} },
			want:   importer.ReasonBadRequest, code: importer.ExitUsage, says: "exactly one",
		},
		"a request that is not pinned": {
			image:  good,
			change: func(_ *testing.T, _ pod, r *importer.Request) { r.Registry.Reference = "quay.io/a:latest" },
			want:   importer.ReasonFormat, code: importer.ExitPermanent, says: "not pinned",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPod(t)
			r, reference, _ := p.push(t, registry.NewImage(t, test.image), test.config)
			r.SetFaults(test.faults)
			request := importer.Request{Registry: &importer.RegistrySource{Reference: reference}}
			if test.change != nil {
				test.change(t, p, &request)
			}
			p.request(t, request)
			checkFailure(t, p, test.want, test.code, test.says)
		})
	}
}

func checkFailure(t *testing.T, p pod, want importer.Reason, wantCode int, says string) {
	t.Helper()
	got, code, _ := p.run(t, t.Context())
	if got.Reason != want || code != wantCode || !strings.Contains(got.Message, says) {
		t.Errorf("exit code %d, %+v, want %d, %s and %q", code, got, wantCode, want, says)
	}
	if left, _ := os.ReadDir(filepath.Dir(p.disk())); len(left) != 0 {
		t.Errorf("left are %v", left)
	}
}

func TestMalformedRequests(t *testing.T) {
	for name, content := range map[string]string{
		"no JSON":           "hello",
		"an unknown field":  `{"clone":{"name":"a/b"},"target":{},"teleport":true}`,
		"no source":         `{"target":{}}`,
		"a negative size":   `{"clone":{"name":"a/b"},"target":{"sizeBytes":-1}}`,
		"an empty registry": `{"registry":{},"target":{}}`,
		"an empty file":     `{"http":{},"target":{}}`,
		"too much":          `"` + strings.Repeat("x", 2*mib) + `"`,
	} {
		t.Run(name, func(t *testing.T) {
			p := newPod(t)
			p.write(t, importer.RequestPath, []byte(content))
			checkFailure(t, p, importer.ReasonBadRequest, importer.ExitUsage, "the request is malformed")
		})
	}
	t.Run("none", func(t *testing.T) {
		checkFailure(t, newPod(t), importer.ReasonBadRequest, importer.ExitUsage, "no such file")
	})
}

func TestMountedImagesWithoutADisk(t *testing.T) {
	for name, test := range map[string]struct {
		files []registry.File
		want  importer.Reason
		code  int
		says  string
	}{
		"no folder":                   {[]registry.File{{Name: "etc/motd"}}, importer.ReasonNoDisk, importer.ExitPermanent, "/etc"},
		"an empty folder":             {[]registry.File{{Name: "disk", Type: tar.TypeDir}}, importer.ReasonNoDisk, importer.ExitPermanent, "there is none"},
		"two disks":                   {[]registry.File{{Name: "disk/a"}, {Name: "disk/b/c"}}, importer.ReasonNoDisk, importer.ExitPermanent, "/disk/a, /disk/b/c"},
		"a link that leads out":       {[]registry.File{{Name: "disk/a", Type: tar.TypeSymlink, Link: "/etc/passwd"}}, importer.ReasonNoDisk, importer.ExitPermanent, "there is none"},
		"a folder that leads out":     {[]registry.File{{Name: "disk", Type: tar.TypeSymlink, Link: "/etc"}}, importer.ReasonNoDisk, importer.ExitPermanent, "/disk"},
		"a bootable container":        {[]registry.File{{Name: "sysroot/a"}, {Name: "ostree/a"}, {Name: "disk/a"}}, importer.ReasonNoDisk, importer.ExitPermanent, "bootable"},
		"an image that is not a disk": {[]registry.File{{Name: "disk/a", Content: []byte("\xfd7zXZ\x00")}}, importer.ReasonFormat, importer.ExitPermanent, "xz"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPod(t)
			for _, f := range test.files {
				switch path := importer.ImageDir + "/" + f.Name; f.Type {
				case tar.TypeDir:
					p.write(t, path+"/x", nil)
					if err := os.Remove(p.path(path + "/x")); err != nil {
						t.Fatal(err)
					}
				case tar.TypeSymlink:
					p.write(t, filepath.Dir(path)+"/x", nil)
					if err := os.Remove(p.path(filepath.Dir(path) + "/x")); err != nil {
						t.Fatal(err)
					}
					if err := os.Symlink(f.Link, p.path(path)); err != nil {
						t.Fatal(err)
					}
				default:
					p.write(t, path, f.Content)
				}
			}
			p.request(t, importer.Request{Image: &importer.ImageSource{Reference: "quay.io/a/b"}})
			checkFailure(t, p, test.want, test.code, test.says)
		})
	}
	t.Run("nothing mounted", func(t *testing.T) {
		p := newPod(t)
		p.request(t, importer.Request{Image: &importer.ImageSource{Reference: "quay.io/a/b"}})
		checkFailure(t, p, importer.ReasonReadFailed, importer.ExitRetry, "quay.io/a/b")
	})
}

func TestClonesThatCannotBeRead(t *testing.T) {
	for name, make := range map[string]func(*testing.T, pod){
		"no disk": func(*testing.T, pod) {},
		"a link to something of the worker's": func(t *testing.T, p pod) {
			p.write(t, importer.CredentialsDir+"/secretKey", []byte("hunter2"))
			p.write(t, importer.SourceDir+"/x", nil)
			if err := os.Symlink(p.path(importer.CredentialsDir+"/secretKey"), p.path(importer.SourceDir+"/"+importer.DiskName)); err != nil {
				t.Fatal(err)
			}
		},
		"a folder": func(t *testing.T, p pod) { p.write(t, importer.SourceDir+"/"+importer.DiskName+"/x", nil) },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPod(t)
			make(t, p)
			p.request(t, importer.Request{Clone: &importer.CloneSource{Name: "ns/pvc"}})
			checkFailure(t, p, importer.ReasonReadFailed, importer.ExitRetry, "ns/pvc")
		})
	}
}

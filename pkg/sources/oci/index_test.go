// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"goldenimage.dev/pkg/apis/cdi/reference"
	"goldenimage.dev/pkg/sources"
)

const (
	imageType = `"mediaType":"application/vnd.oci.image.manifest.v1+json",`
	one       = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
	two       = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
)

func entry(digest, platform string) string {
	return `{` + imageType + `"digest":"` + digest + `","platform":` + platform + `}`
}

func exampleReference(t testing.TB) reference.Reference {
	t.Helper()
	ref, err := reference.Parse("docker://quay.io/images/fedora")
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func TestChooseImage(t *testing.T) {
	amd64, arm64 := `{"os":"linux","architecture":"amd64"}`, `{"os":"linux","architecture":"arm64","variant":"v8"}`
	for name, test := range map[string]struct {
		manifests string
		want      child
		// fails is a part of the error's text.
		fails string
	}{
		"the one of the architecture":   {manifests: `[` + entry(one, amd64) + `,` + entry(two, arm64) + `]`, want: child{digest: two, platform: "linux/arm64/v8"}},
		"the first of two":              {manifests: `[` + entry(one, arm64) + `,` + entry(two, arm64) + `]`, want: child{digest: one, platform: "linux/arm64/v8"}},
		"one that names no system":      {manifests: `[` + entry(one, `{"architecture":"arm64"}`) + `]`, want: child{digest: one, platform: "linux/arm64"}},
		"one with an odd variant":       {manifests: `[` + entry(one, `{"os":"linux","architecture":"arm64","variant":"a b/c"}`) + `]`, want: child{digest: one, platform: "linux/arm64"}},
		"one of another system":         {manifests: `[` + entry(one, `{"os":"windows","architecture":"arm64"}`) + `]`, want: child{offered: "windows/arm64"}},
		"none":                          {manifests: `[` + entry(one, amd64) + `,` + entry(two, amd64) + `]`, want: child{offered: "linux/amd64"}},
		"none that is an image":         {manifests: `[{"digest":"` + one + `","platform":` + arm64 + `}]`, want: child{offered: "none"}},
		"an attestation":                {manifests: `[` + entry(one, `{"os":"unknown","architecture":"unknown"}`) + `]`, want: child{offered: "none"}},
		"an attestation by annotation":  {manifests: `[{` + imageType + `"digest":"` + one + `","platform":` + arm64 + `,"annotations":{"vnd.docker.reference.type":"attestation-manifest"}},` + entry(two, arm64) + `]`, want: child{digest: two, platform: "linux/arm64/v8"}},
		"one without a platform":        {manifests: `[{` + imageType + `"digest":"` + one + `"}]`, want: child{offered: "none"}},
		"no manifests":                  {manifests: `[]`, want: child{offered: "none"}},
		"manifests that are null":       {manifests: `null`, want: child{offered: "none"}},
		"an object for a list":          {manifests: `{}`, fails: "malformed"},
		"a number for a manifest":       {manifests: `[1]`, fails: "malformed"},
		"a digest that is none":         {manifests: `[` + entry("sha256:abc", arm64) + `]`, fails: "only sha256"},
		"a digest of another algorithm": {manifests: `[` + entry("sha512:"+strings.Repeat("ab", 64), arm64) + `]`, fails: "only sha256"},
		"more manifests than any has":   {manifests: `[` + strings.Repeat(`{},`, maxManifests) + entry(one, arm64) + `]`, fails: "more than"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := chooseImage(exampleReference(t), []byte(`{"schemaVersion":2,"manifests":`+test.manifests+`}`), "arm64")
			if test.fails != "" {
				checkError(t, err, sources.Invalid, "images/fedora", test.fails)
				return
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(child{})); err != nil || diff != "" {
				t.Error(err, diff)
			}
		})
	}
}

func TestWhatAnIndexOffersIsBounded(t *testing.T) {
	var entries []string
	for i := range 100 {
		entries = append(entries, entry(one, fmt.Sprintf(`{"os":"linux","architecture":"%s%d"}`, strings.Repeat("a", 1000), i)))
	}
	got, err := chooseImage(exampleReference(t), []byte(`{"manifests":[`+strings.Join(entries, ",")+`]}`), "arm64")
	if err != nil || len(got.offered) > maxCause+10 {
		t.Errorf("it offers %d bytes, %v", len(got.offered), err)
	}
}

func FuzzChooseImage(f *testing.F) {
	f.Add([]byte(`{"manifests":[`+entry(one, `{"os":"linux","architecture":"arm64","variant":"v8"}`)+`]}`), "arm64")
	f.Add([]byte(`{"manifests":[{"annotations":{"vnd.docker.reference.type":"x"}}]}`), "amd64")
	f.Add([]byte(`{"Manifests":null,"manifests":[[]]}`), "")
	f.Add([]byte(`{"manifests":[`), "amd64")
	ref := exampleReference(f)
	f.Fuzz(func(t *testing.T, content []byte, architecture string) {
		_ = documentType(content, "application/json; charset=utf-8")
		got, err := chooseImage(ref, content, architecture)
		switch {
		case err != nil:
			if sources.KindOf(err) != sources.Invalid || got != (child{}) {
				t.Errorf("got %+v, %v", got, err)
			}
		case got.offered == "" && !validDigest.MatchString(got.digest):
			t.Errorf("digest %q", got.digest)
		case len(got.offered) > maxCause+10:
			t.Errorf("it offers %d bytes", len(got.offered))
		}
	})
}

func TestChildrenAreBounded(t *testing.T) {
	c := newChildren(3)
	get := func(digest string) (found bool) {
		found = true
		_, err := c.get(t.Context(), childKey{digest: digest}, func() (child, error) { found = false; return child{digest: digest}, nil })
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	for _, digest := range []string{"a", "b", "c", "a", "d"} {
		get(digest)
	}
	if len(c.entries) != 3 || c.order.Len() != 3 {
		t.Errorf("%d entries, %d in order", len(c.entries), c.order.Len())
	}
	if !get("a") || get("b") {
		t.Error("it is not the least recently used one that was dropped")
	}
}

func TestAFailureIsNotKept(t *testing.T) {
	c := newChildren(3)
	if _, err := c.get(t.Context(), childKey{}, func() (child, error) { return child{}, errStalled }); !errors.Is(err, errStalled) {
		t.Errorf("got %v", err)
	}
	got, err := c.get(t.Context(), childKey{}, func() (child, error) { return child{digest: one}, nil })
	if err != nil || got.digest != one {
		t.Errorf("got %+v, %v", got, err)
	}
	c.put(childKey{}, child{digest: two})
	if got, err := c.get(t.Context(), childKey{}, nil); err != nil || got.digest != two {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestWaitingForAnotherReaderEnds(t *testing.T) {
	c := newChildren(3)
	_, err := c.get(t.Context(), childKey{}, func() (child, error) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := c.get(ctx, childKey{}, nil)
		return child{}, err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

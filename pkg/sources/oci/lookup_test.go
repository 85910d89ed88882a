// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"goldenimage.dev/pkg/sources"
	"goldenimage.dev/test/registry"
)

const fedora = "images/fedora"

func disks(t *testing.T, architectures ...string) v1.ImageIndex {
	t.Helper()
	images := map[string]v1.Image{}
	for _, a := range architectures {
		images[a] = registry.ContainerDisk(t, "disk.img", []byte(a))
	}
	return registry.NewIndex(t, images)
}

func digestOfImage(t *testing.T, index v1.ImageIndex, architecture string) string {
	t.Helper()
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range manifest.Manifests {
		if d.Platform.Architecture == architecture && d.Annotations[referenceType] == "" {
			return d.Digest.String()
		}
	}
	t.Fatalf("no image for %s", architecture)
	return ""
}

func mustResolve(t *testing.T, resolver *Resolver, query sources.Query) sources.Revision {
	t.Helper()
	revision, err := resolver.Resolve(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	return revision
}

func TestResolveKnowsTheImageOfAnIndex(t *testing.T) {
	index := disks(t, "amd64", "arm64", "s390x")
	wrong := "sha256:" + strings.Repeat("ab", 32)
	for name, test := range map[string]struct {
		index        v1.ImageIndex
		faults       registry.Faults
		architecture string
		// requests besides the handshake.
		requests []string
	}{
		"by architecture":                  {index: index, architecture: "arm64", requests: []string{"HEAD latest", "GET digest"}},
		"by default this machine's":        {index: index, requests: []string{"HEAD latest", "GET digest"}},
		"past attestations":                {index: registry.Attested(t, index, "arm64"), architecture: "arm64", requests: []string{"HEAD latest", "GET digest"}},
		"of a registry without HEAD":       {index: index, faults: registry.Faults{NoHead: true}, architecture: "arm64", requests: []string{"HEAD latest", "GET latest"}},
		"of one that gives no digest":      {index: index, faults: registry.Faults{NoDigestHeader: true}, architecture: "arm64", requests: []string{"HEAD latest", "GET latest"}},
		"of one that gives a wrong digest": {index: index, faults: registry.Faults{DigestHeader: wrong}, architecture: "arm64", requests: []string{"HEAD latest", "GET wrong", "GET latest"}},
		"of one that does not say what it is": {index: index, faults: registry.Faults{ContentType: "application/json"}, architecture: "arm64",
			requests: []string{"HEAD latest", "GET digest"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := registry.New(t, registry.Config{})
			digest := r.Push(t, fedora, "latest", test.index)
			r.SetFaults(test.faults)
			access := trusted(r)
			access.Architecture = test.architecture
			architecture := test.architecture
			if architecture == "" {
				architecture = runtime.GOARCH
			}
			resolver := NewResolver(quick)
			defer resolver.Close()
			want := sources.Revision{
				Digest: digest, Content: digestOfImage(t, test.index, architecture),
				Location: r.Host + "/" + fedora + "@" + digest, Platform: "linux/" + architecture,
			}
			query := sources.Query{Location: r.URL(fedora, "latest"), Access: access}
			if diff := cmp.Diff(want, mustResolve(t, resolver, query)); diff != "" {
				t.Error(diff)
			}
			var requests []string
			for _, p := range paths(r)[1:] {
				p = strings.Replace(p, "/v2/"+fedora+manifests, "", 1)
				requests = append(requests, strings.NewReplacer(digest, "digest", wrong, "wrong").Replace(p))
			}
			if diff := cmp.Diff(test.requests, requests); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(want, mustResolve(t, resolver, query)); diff != "" {
				t.Errorf("the second time: %s", diff)
			}
		})
	}
}

func TestAnIndexThatIsPushedAgainHasTheSameContent(t *testing.T) {
	r := registry.New(t, registry.Config{})
	index := own(t, "disk")
	query := sources.Query{Location: r.URL(fedora, "latest"), Access: trusted(r)}
	resolver := NewResolver(quick)
	defer resolver.Close()
	r.Push(t, fedora, "latest", index)
	before := mustResolve(t, resolver, query)
	r.Push(t, fedora, "latest", registry.Repacked(t, index, "later"))
	query.Known = before
	after := mustResolve(t, resolver, query)
	if before.Digest == after.Digest || before.Content != after.Content || after.Content == "" {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

func TestAnIndexWithoutTheArchitectureIsInvalid(t *testing.T) {
	r := registry.New(t, registry.Config{})
	r.Push(t, fedora, "latest", disks(t, "ppc64le", "s390x"))
	resolver := NewResolver(quick)
	defer resolver.Close()
	access := trusted(r)
	access.Architecture = "arm64"
	for range 2 {
		_, err := resolver.Resolve(t.Context(), sources.Query{Location: r.URL(fedora, "latest"), Access: access})
		checkError(t, err, sources.Invalid, fedora, "linux/arm64", "linux/ppc64le", "linux/s390x")
	}
	r.Push(t, fedora, "latest", disks(t, "arm64"))
	mustResolve(t, resolver, sources.Query{Location: r.URL(fedora, "latest"), Access: access})
}

func TestWhatIsKnownSavesRequests(t *testing.T) {
	index := disks(t, "amd64", "arm64")
	for name, test := range map[string]struct {
		change func(*sources.Revision)
		reads  bool
	}{
		"the same":                    {},
		"another digest":              {change: func(r *sources.Revision) { r.Digest = r.Content }, reads: true},
		"without a content":           {change: func(r *sources.Revision) { r.Content, r.Platform = "", "" }, reads: true},
		"with a content that is none": {change: func(r *sources.Revision) { r.Content = "sha256:abc" }, reads: true},
		"of another architecture":     {change: func(r *sources.Revision) { r.Platform = "linux/amd64" }, reads: true},
		"with a variant":              {change: func(r *sources.Revision) { r.Platform = "linux/arm64/v8" }},
		"without a platform":          {change: func(r *sources.Revision) { r.Platform = "" }, reads: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := registry.New(t, registry.Config{})
			r.Push(t, fedora, "latest", index)
			access := trusted(r)
			access.Architecture = "arm64"
			query := sources.Query{Location: r.URL(fedora, "latest"), Access: access}
			first := NewResolver(quick)
			defer first.Close()
			want := mustResolve(t, first, query)
			_ = r.Requests()
			query.Known = want
			if test.change != nil {
				test.change(&query.Known)
			}
			// As after a restart.
			second := NewResolver(quick)
			defer second.Close()
			got := mustResolve(t, second, query)
			if got.Digest != want.Digest || got.Content != want.Content {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if n := len(paths(r)); n != 2 && !test.reads || n != 3 && test.reads {
				t.Errorf("%d requests, the index is read: %t", n, test.reads)
			}
		})
	}
}

func TestManyTagsOfAnIndexReadItOnce(t *testing.T) {
	r := registry.New(t, registry.Config{})
	index := own(t, "disk")
	for i := range 20 {
		r.Push(t, fedora, fmt.Sprint("tag-", i), index)
	}
	resolver := NewResolver(quick)
	defer resolver.Close()
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			query := sources.Query{Location: r.URL(fedora, fmt.Sprint("tag-", i%20)), Access: trusted(r)}
			if got, err := resolver.Resolve(t.Context(), query); err != nil || got.Content != contentOf(t, index) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	all.Wait()
	reads := 0
	for _, p := range paths(r) {
		if strings.HasPrefix(p, "GET") && strings.Contains(p, manifests) {
			reads++
		}
	}
	if reads != 1 {
		t.Errorf("the index was read %d times", reads)
	}
}

func TestATagThatMovesBetweenItsRequests(t *testing.T) {
	for name, gone := range map[string]bool{"the old index stays": false, "the old index is gone": true} {
		t.Run(name, func(t *testing.T) {
			r := registry.New(t, registry.Config{})
			before, after := own(t, "before"), own(t, "after")
			first := r.Push(t, fedora, "latest", before)
			moved := make(chan string, 1)
			var once sync.Once
			r.SetFaults(registry.Faults{AfterHead: func() {
				once.Do(func() {
					moved <- r.Push(t, fedora, "latest", after)
					if gone {
						r.Delete(t, fedora, first)
					}
				})
			}})
			resolver := NewResolver(quick)
			defer resolver.Close()
			query := sources.Query{Location: r.URL(fedora, "latest"), Access: trusted(r)}
			got, second := mustResolve(t, resolver, query), <-moved
			want := sources.Revision{Digest: first, Content: contentOf(t, before)}
			if gone {
				want = sources.Revision{Digest: second, Content: contentOf(t, after)}
			}
			if got.Digest != want.Digest || got.Content != want.Content {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if got := mustResolve(t, resolver, query); got.Digest != second || got.Content != contentOf(t, after) {
				t.Errorf("later got %+v", got)
			}
		})
	}
}

func TestAWrongDigestThatIsTrueLater(t *testing.T) {
	r := registry.New(t, registry.Config{})
	digest := r.Push(t, fedora, "latest", own(t, "disk"))
	r.SetFaults(always(registry.Step{Method: "GET", Path: digest, Status: 404, Code: "MANIFEST_UNKNOWN"}))
	resolver := NewResolver(quick)
	defer resolver.Close()
	query := sources.Query{Location: r.URL(fedora, "latest"), Access: trusted(r)}
	want := mustResolve(t, resolver, query)
	_ = r.Requests()
	if got := mustResolve(t, resolver, query); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if diff := cmp.Diff([]string{"HEAD /v2/" + fedora + manifests + "latest"}, paths(r)); diff != "" {
		t.Error(diff)
	}
}

func TestAPinnedImageDoesNotNeedTheHeader(t *testing.T) {
	r := registry.New(t, registry.Config{})
	digest := r.Push(t, fedora, "latest", registry.ContainerDisk(t, "disk.img", []byte("disk")))
	r.SetFaults(registry.Faults{DigestHeader: "sha256:" + strings.Repeat("ab", 32)})
	resolver := NewResolver(quick)
	defer resolver.Close()
	query := sources.Query{Location: r.URL(fedora, digest), Access: trusted(r)}
	want := sources.Revision{Digest: digest, Location: r.Host + "/" + fedora + "@" + digest}
	if diff := cmp.Diff(want, mustResolve(t, resolver, query)); diff != "" {
		t.Error(diff)
	}
	r.SetFaults(registry.Faults{DigestHeader: "sha256:" + strings.Repeat("ab", 32), OtherManifest: []byte("{}")})
	_, err := resolver.Resolve(t.Context(), query)
	checkError(t, err, sources.Mismatch, digest)
}

func TestAnImageOfAnUnknownTypeIsReadOnce(t *testing.T) {
	r := registry.New(t, registry.Config{})
	digest := r.Push(t, fedora, "latest", registry.ContainerDisk(t, "disk.img", []byte("disk")))
	r.SetFaults(registry.Faults{ContentType: "application/json"})
	resolver := NewResolver(quick)
	defer resolver.Close()
	query := sources.Query{Location: r.URL(fedora, "latest"), Access: trusted(r)}
	want := sources.Revision{Digest: digest, Location: r.Host + "/" + fedora + "@" + digest}
	for range 2 {
		if diff := cmp.Diff(want, mustResolve(t, resolver, query)); diff != "" {
			t.Error(diff)
		}
	}
	head, get := "HEAD /v2/"+fedora+manifests+"latest", "GET /v2/"+fedora+manifests+digest
	if diff := cmp.Diff([]string{"GET /v2/", head, get, head}, paths(r)); diff != "" {
		t.Error(diff)
	}
}

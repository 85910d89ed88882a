// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package nodepull

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"

	"goldenimage.dev/pkg/sources"
	"goldenimage.dev/pkg/sources/sourcestest"
)

func TestContract(t *testing.T) {
	sourcestest.Run(t, func(t *testing.T) sourcestest.Fixture {
		c := newCluster(t)
		digest := digestA
		play := func(pod *corev1.Pod) {
			if strings.Contains(pod.Spec.Containers[0].Image, "missing") {
				waits("ErrImagePull", "failed to resolve reference: not found")(pod)
				return
			}
			pulled("site.example/os/fedora@" + digest)(pod)
		}
		heal := func() { c.set(scheduled, programEnded(0, ""), play) }
		heal()
		return sourcestest.Fixture{
			Resolver: c.resolver(), Location: location(),
			Missing: Location(namespace, "other", uid, "docker://site.example/os/missing:1"),
			Change: func() {
				c.mu.Lock()
				digest = digestB
				c.mu.Unlock()
			},
			Silence: func() { c.set() }, Heal: heal,
			Cannot: map[string]string{
				"WrongAccess": "the node has its own credentials, and those of a query are not used",
				"Cut":         "the answer is an object of the cluster's API", "Oversize": "the answer is an object of the cluster's API",
				"Opener": "what a node pulls is mounted", "Corrupt": "there is no Opener", "Truncate": "there is no Opener", "Stall": "there is no Opener",
			},
		}
	})
}

func TestResolve(t *testing.T) {
	long := strings.Repeat("x", 5000)
	tests := map[string]struct {
		play []func(*corev1.Pod)
		url  string
		want sources.Revision
		// kind and says are of the error, if there is one.
		kind sources.Kind
		says []string
		// after is how long it takes.
		after time.Duration
	}{
		"the runtime names a repository": {
			play: []func(*corev1.Pod){scheduled, programEnded(0, ""), pulled("site.example/os/fedora@" + digestA)},
			want: sources.Revision{Digest: digestA, Location: "site.example/os/fedora@" + digestA},
		},
		"the runtime names a mirror, in an older form": {
			play: []func(*corev1.Pod){pulled("docker-pullable://mirror.example/fedora@" + digestA)},
			want: sources.Revision{Digest: digestA, Location: "site.example/os/fedora@" + digestA},
		},
		"the image is there though its program could not be run": {
			play: []func(*corev1.Pod){func(pod *corev1.Pod) {
				pulled("site.example/os/fedora@" + digestA)(pod)
				ends(corev1.PodFailed, "", "")(pod)
			}},
			want: sources.Revision{Digest: digestA, Location: "site.example/os/fedora@" + digestA},
		},
		"a pull that is tried again after an error of the node": {
			play: []func(*corev1.Pod){unschedulable("0/1 nodes are available"), func(pod *corev1.Pod) { pod.Status.Conditions = nil }, pulled("a@" + digestA)},
			want: sources.Revision{Digest: digestA, Location: "site.example/os/fedora@" + digestA},
		},
		"the runtime names the image's configuration": {
			play: []func(*corev1.Pod){pulled(digestA)}, kind: sources.Invalid, says: []string{image, digestA, "name the image by digest"},
		},
		"the runtime names it oddly": {
			play: []func(*corev1.Pod){pulled("site.example/os/fedora@sha512:" + long)}, kind: sources.Invalid,
		},
		"the registry refuses the node": {
			play: []func(*corev1.Pod){waits("ErrImagePull", `failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://user:topsecret@site.example/token?secret=topsecret: 403 Forbidden`)},
			kind: sources.Unauthorized, says: []string{image, "ErrImagePull", "403 Forbidden", "imagePullSecret"},
		},
		"the image may not exist, or not for everyone": {
			play: []func(*corev1.Pod){waits("ImagePullBackOff", `Back-off pulling image "site.example/os/fedora:42": ErrImagePull: pull access denied, repository does not exist or may require authorization`)},
			kind: sources.Unauthorized,
		},
		"the image does not exist": {
			play: []func(*corev1.Pod){waits("ErrImagePull", `failed to resolve reference "site.example/os/fedora:42": site.example/os/fedora:42: not found`)},
			kind: sources.NotFound, says: []string{"check the repository and the tag"},
		},
		"words in the image's name are not the runtime's": {
			url:  "docker://site.example/not found/unauthorized:denied",
			kind: sources.Invalid,
		},
		"a repository called as a failure": {
			url: "docker://unauthorized.example/denied:1", kind: sources.NotFound,
			play: []func(*corev1.Pod){waits("ErrImagePull", `failed to resolve reference "unauthorized.example/denied:1": manifest unknown`)},
		},
		"the registry's name is not known": {
			play: []func(*corev1.Pod){waits("ErrImagePull", `dial tcp: lookup site.example: no such host`)}, kind: sources.Unreachable,
		},
		"the certificate is not trusted": {
			play: []func(*corev1.Pod){waits("ErrImagePull", `tls: failed to verify certificate: x509: certificate signed by unknown authority`)}, kind: sources.Certificate,
		},
		"the registry limits the rate": {
			play: []func(*corev1.Pod){waits("ErrImagePull", `429 Too Many Requests - Server message: toomanyrequests`)}, kind: sources.RateLimited,
		},
		"the name is one that the runtime cannot read": {
			play: []func(*corev1.Pod){waits("InvalidImageName", "couldn't parse")}, kind: sources.Invalid,
		},
		"the runtime says a lot that is not clear": {
			play: []func(*corev1.Pod){waits("ErrImagePull", long+"\x00\n")}, kind: sources.Transient, says: []string{"xxx…"},
		},
		"the container cannot be made": {
			play: []func(*corev1.Pod){waits("CreateContainerError", "no space left")}, kind: sources.Transient, says: []string{"cannot start", "no space left"},
		},
		"the worker's image cannot be pulled": {
			play: []func(*corev1.Pod){programWaits("ImagePullBackOff", "unauthorized")}, kind: sources.Transient, says: []string{worker, "--importer-image"},
		},
		"the program cannot be copied": {
			play: []func(*corev1.Pod){programEnded(3, "no space"), ends(corev1.PodFailed, "", "")}, kind: sources.Transient, says: []string{"exit code 3: no space"},
		},
		"the Pod is evicted": {
			play: []func(*corev1.Pod){ends(corev1.PodFailed, "Evicted", "The node was low on memory")}, kind: sources.Transient, says: []string{"Evicted: The node was low on memory"},
		},
		"the Pod is done and nothing was said": {
			play: []func(*corev1.Pod){ends(corev1.PodSucceeded, "", "")}, kind: sources.Transient, says: []string{"does not say why"},
		},
		"no node takes the Pod": {
			play: []func(*corev1.Pod){unschedulable("0/3 nodes are available")}, kind: sources.Transient, says: []string{"0/3 nodes are available"}, after: schedulingPatience,
		},
		"the node takes too long": {
			play: []func(*corev1.Pod){scheduled, programEnded(0, "")}, kind: sources.Unreachable, says: []string{"node node-1 is pulling the image"}, after: 5 * time.Minute,
		},
		"an archive":           {url: "oci-archive:/a.tar", kind: sources.Invalid, says: []string{"docker://host/repository:tag"}},
		"an image by its name": {url: "docker://", kind: sources.Invalid},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, tc.play...)
				start := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
				defer cancel()
				if tc.url == "" {
					tc.url = url
				}
				got, err := c.resolver().Resolve(ctx, sources.Query{Location: Location(namespace, "fedora", uid, tc.url)})
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("revision (-want +got):\n%s", diff)
				}
				if tc.want.Digest == "" {
					checkError(t, err, tc.kind, tc.says)
				} else if err != nil {
					t.Error(err)
				}
				if took := time.Since(start); took != tc.after {
					t.Errorf("it took %s, want %s", took, tc.after)
				}
				c.leftovers(t)
			})
		})
	}
}

func checkError(t *testing.T, err error, kind sources.Kind, says []string) {
	t.Helper()
	var known *sources.Error
	if !errors.As(err, &known) || known.Kind != kind {
		t.Fatalf("error %v, want kind %s", err, kind)
	}
	for _, words := range says {
		if !strings.Contains(known.Message, words) {
			t.Errorf("message %q does not say %q", known.Message, words)
		}
	}
	if strings.Contains(known.Message, "topsecret") || strings.ContainsAny(known.Message, "\x00\n") || len(known.Message) > 1000 {
		t.Errorf("message %q (%d bytes)", known.Message, len(known.Message))
	}
}

func TestWhatIsNamedByDigestNeedsNoPod(t *testing.T) {
	c := newCluster(t)
	got, err := c.resolver().Resolve(t.Context(), sources.Query{Location: Location(namespace, "fedora", uid, "docker://site.example/os/fedora@"+digestA)})
	want := sources.Revision{Digest: digestA, Location: "site.example/os/fedora@" + digestA}
	if err != nil || got != want || c.made != 0 {
		t.Errorf("got %+v %v with %d Pods, want %+v with none", got, err, c.made, want)
	}
}

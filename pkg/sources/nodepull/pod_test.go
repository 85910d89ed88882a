// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package nodepull

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"goldenimage.dev/pkg/sources"
)

var update = flag.Bool("update", false, "write the golden file anew")

// TestGoldenPod pins all that a Pod is allowed.
func TestGoldenPod(t *testing.T) {
	target := Target{Namespace: namespace, Name: "fedora", UID: uid, URL: url, ServiceAccount: "puller"}
	ref, err := target.image()
	if err != nil {
		t.Fatal(err)
	}
	config := Config{Image: worker, PullPolicy: string(corev1.PullIfNotPresent)}
	got, err := yaml.Marshal(config.render(target, ref, "arm64", []string{"pull"}, 5*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "pod.yaml")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil { //nolint:gosec // it is checked in
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("pod (-want +got):\n%s", diff)
	}
}

func TestWhatAPodIsMadeWith(t *testing.T) {
	account := func(name string, secrets ...string) *corev1.ServiceAccount {
		a := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
		for _, secret := range secrets {
			a.ImagePullSecrets = append(a.ImagePullSecrets, corev1.LocalObjectReference{Name: secret})
		}
		return a
	}
	tests := map[string]struct {
		target Target
		// pullSecrets are for the worker's image.
		pullSecrets  []string
		architecture string
		deadline     time.Duration
		secrets      string
		seconds      int64
		selector     map[string]string
		unlabelled   bool
	}{
		"nothing is said: the cluster adds the account's Secrets": {seconds: 630},
		"an architecture":             {architecture: "s390x", seconds: 630, selector: map[string]string{"kubernetes.io/arch": "s390x"}},
		"a Secret of the source":      {target: Target{PullSecret: "own"}, secrets: "own,a,b", seconds: 630},
		"that and the worker's":       {target: Target{PullSecret: "own"}, pullSecrets: []string{"pull"}, secrets: "own,a,b,pull", seconds: 630},
		"the worker's and an account": {pullSecrets: []string{"pull"}, secrets: "a,b,pull", seconds: 630},
		"another account's":           {target: Target{ServiceAccount: "other"}, pullSecrets: []string{"pull"}, secrets: "c,pull", seconds: 630},
		"a time":                      {deadline: 90 * time.Second, seconds: 120},
		"more time than is good":      {deadline: 100 * time.Hour, seconds: 3630},
		"a name that is no label":     {target: Target{Name: strings.Repeat("a", 64)}, seconds: 630, unlabelled: true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, pulled("site.example/os/fedora@"+digestA))
				for _, a := range []*corev1.ServiceAccount{account("default", "a", "b"), account("other", "c")} {
					if err := c.Tracker().Add(a); err != nil {
						t.Fatal(err)
					}
				}
				ctx := t.Context()
				if tc.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tc.deadline)
					defer cancel()
				}
				target := tc.target
				target.Namespace, target.UID, target.URL = namespace, uid, url
				if target.Name == "" {
					target.Name = "fedora"
				}
				r := NewResolver(Config{Client: c, Image: worker, PullSecrets: tc.pullSecrets})
				access := sources.Access{Architecture: tc.architecture, Username: "user", Password: "topsecret", DockerConfig: []byte("topsecret")}
				if _, err := r.Resolve(ctx, sources.Query{Location: target.String(), Access: access}); err != nil {
					t.Fatal(err)
				}
				var secrets []string
				for _, secret := range c.last.Spec.ImagePullSecrets {
					secrets = append(secrets, secret.Name)
				}
				if got := strings.Join(secrets, ","); got != tc.secrets {
					t.Errorf("pull secrets %q, want %q", got, tc.secrets)
				}
				if got := *c.last.Spec.ActiveDeadlineSeconds; got != tc.seconds {
					t.Errorf("active for %d s, want %d", got, tc.seconds)
				}
				if diff := cmp.Diff(tc.selector, c.last.Spec.NodeSelector); diff != "" {
					t.Errorf("node selector (-want +got):\n%s", diff)
				}
				if _, labelled := c.last.Labels["cdi.kubevirt.io/dataImportCron"]; labelled == tc.unlabelled {
					t.Errorf("labels %v", c.last.Labels)
				}
				if c.last.Spec.ServiceAccountName != tc.target.ServiceAccount {
					t.Errorf("account %q", c.last.Spec.ServiceAccountName)
				}
				if document, err := yaml.Marshal(c.last); err != nil || strings.Contains(string(document), "topsecret") {
					t.Errorf("the Pod holds a credential, or: %v", err)
				}
				if diff := cmp.Diff([]string{"metadata.name=poll-" + uid}, c.watched); diff != "" {
					t.Errorf("watched (-want +got):\n%s", diff)
				}
				c.leftovers(t)
			})
		})
	}
}

func TestTargets(t *testing.T) {
	full := Target{Namespace: "images", Name: "fedora.42", UID: uid, ServiceAccount: "puller", PullSecret: "pull", URL: url}
	bare := Target{Namespace: "images", Name: "fedora", UID: uid, URL: url}
	for text, want := range map[string]Target{
		"images/fedora.42/" + uid + "/puller/pull " + url: full,
		"images/fedora/" + uid + "// " + url:              bare,
	} {
		got, err := Parse(text)
		if err != nil || got != want {
			t.Errorf("%q is read as %+v %v", text, got, err)
		}
		if again := want.String(); again != text {
			t.Errorf("%+v is written as %q, want %q", want, again, text)
		}
	}
	if got := Location("images", "fedora", uid, url); got != bare.String() {
		t.Errorf("location %q", got)
	}
}

func TestTargetsThatAreNone(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":                 "",
		"an image alone":          url,
		"too few parts":           "images/fedora/" + uid + " " + url,
		"too many parts":          "images/fedora/" + uid + "/a/b/c " + url,
		"no namespace":            "/fedora/" + uid + "// " + url,
		"no name":                 "images//" + uid + "// " + url,
		"no UID":                  "images/fedora/// " + url,
		"a UID with a dot":        "images/fedora/a.b// " + url,
		"a UID that is long":      "images/fedora/" + strings.Repeat("a", 53) + "// " + url,
		"a name in capitals":      "images/Fedora/" + uid + "// " + url,
		"a Secret elsewhere":      "images/fedora/" + uid + "//../other " + url,
		"a name that is too long": "images/" + strings.Repeat("a", 254) + "/" + uid + "// " + url,
		"no image":                "images/fedora/" + uid + "// ",
		"an image by a name":      "images/fedora/" + uid + "// fedora:42",
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			_, err := c.resolver().Resolve(t.Context(), sources.Query{Location: text})
			checkError(t, err, sources.Invalid, nil)
			if c.made != 0 {
				t.Error("a Pod was made")
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(location())
	f.Add("a/b/c/d/e " + url)
	f.Fuzz(func(t *testing.T, text string) {
		target, err := Parse(text)
		if err != nil {
			return
		}
		if again, err := Parse(target.String()); err != nil || again != target {
			t.Errorf("%q is read as %+v and then %+v %v", text, target, again, err)
		}
		if name := podName(target); len(name) > maxLabel {
			t.Errorf("name %q is too long for a host", name)
		}
	})
}

func FuzzBounded(f *testing.F) {
	f.Add("https://user:pass@host/path?token=x \x00")
	f.Fuzz(func(t *testing.T, text string) {
		got := bounded(text)
		if len(got) > maxText+len("…") {
			t.Errorf("%d bytes", len(got))
		}
		if strings.ContainsFunc(got, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Errorf("%q", got)
		}
	})
}

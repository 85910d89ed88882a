// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package requester

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"

func TestWhatIsEncodedIsDecoded(t *testing.T) {
	want := CloneRequester{
		Username: "alice", UID: "1", Groups: []string{"team", "system:authenticated"},
		Extra:   map[string][]string{"scopes.authorization.openshift.io": {"user:full"}},
		Allowed: []Source{{Kind: Claim, Namespace: "images", Name: "disk"}},
	}
	text, err := Encode(want)
	if err != nil {
		t.Fatal(err)
	}
	const golden = `{"username":"alice","uid":"1","groups":["team","system:authenticated"],` +
		`"extra":{"scopes.authorization.openshift.io":["user:full"]},` +
		`"allowed":[{"kind":"PersistentVolumeClaim","namespace":"images","name":"disk"}]}`
	if diff := cmp.Diff(golden, text); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	got, err := Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("decoded (-want +got):\n%s", diff)
	}
}

func TestSecretsAreNotEncoded(t *testing.T) {
	tests := map[string]struct {
		key, value string
		kept       bool
	}{
		"scopes are kept":                        {"scopes.authorization.openshift.io", "user:info", true},
		"scopes of a token are kept":             {"example.com/token-scopes", "read", true},
		"the Pod of a ServiceAccount is kept":    {"authentication.kubernetes.io/pod-name", "runner", true},
		"an assertion is left out":               {"user-assertion.cloud.example", "opaque", false},
		"a credential's ID is left out":          {"authentication.kubernetes.io/credential-id", "JTI=1", false},
		"an access key is left out":              {"accessKeyId", "AKIA", false},
		"a token in upper case is left out":      {"X-Token", "opaque", false},
		"a token under a harmless name, too":     {"example.com/note", token, false},
		"an Authorization header's value, too":   {"example.com/header", "Bearer opaque", false},
		"a name with dots is not taken for one":  {"example.com/host", "a.b.example", true},
		"what only begins like a token is kept":  {"example.com/word", "eyJust", true},
		"the session that one is in is left out": {"sessionName", "opaque", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			text, err := Encode(CloneRequester{Username: "alice", Extra: map[string][]string{test.key: {test.value}}})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(text, test.key); got != test.kept {
				t.Errorf("%s is encoded: %t, want %t: %s", test.key, got, test.kept, text)
			}
			if !test.kept && strings.Contains(text, test.value) {
				t.Errorf("the value shows in %s", text)
			}
		})
	}
}

func TestWhatIsTooLargeIsNotEncoded(t *testing.T) {
	r := CloneRequester{Username: "alice"}
	for i := range 5000 {
		r.Groups = append(r.Groups, fmt.Sprintf("a-group-with-a-name-of-some-length-%d", i))
	}
	if text, err := Encode(r); err == nil || text != "" || !strings.Contains(err.Error(), "5000 groups") {
		t.Errorf("got %d bytes, error %v", len(text), err)
	}
	r.Groups = r.Groups[:1000]
	if _, err := Encode(r); err != nil {
		t.Errorf("a thousand groups: %v", err)
	}
}

func TestNobodyIsNotEncoded(t *testing.T) {
	if text, err := Encode(CloneRequester{Groups: []string{"system:masters"}}); err == nil {
		t.Errorf("got %s", text)
	}
}

func TestWhatIsNoRequesterIsNotDecoded(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":            "",
		"not JSON":           "alice",
		"an empty object":    "{}",
		"no user":            `{"groups":["system:masters"]}`,
		"another type":       `{"username":["alice"]}`,
		"two documents":      `{"username":"alice"}{"username":"bob"}`,
		"larger than it may": `{"username":"` + strings.Repeat("a", MaxSize) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := Decode(text); err == nil || got.Username != "" || got.Groups != nil {
				t.Errorf("got %+v, error %v", got, err)
			}
		})
	}
}

func TestServiceAccount(t *testing.T) {
	for name, want := range map[string]string{"": "system:serviceaccount:ns:default", "importer": "system:serviceaccount:ns:importer"} {
		t.Run(want, func(t *testing.T) {
			want := CloneRequester{Username: want, Groups: []string{"system:serviceaccounts", "system:serviceaccounts:ns", "system:authenticated"}}
			if diff := cmp.Diff(want, ServiceAccount("ns", name)); diff != "" {
				t.Errorf("requester (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAllows(t *testing.T) {
	disk := Source{Kind: Claim, Namespace: "images", Name: "disk"}
	r := CloneRequester{Username: "alice", Allowed: []Source{disk}}
	for name, test := range map[string]struct {
		source Source
		want   bool
	}{
		"the same":            {disk, true},
		"another name":        {Source{Kind: Claim, Namespace: "images", Name: "other"}, false},
		"another namespace":   {Source{Kind: Claim, Namespace: "other", Name: "disk"}, false},
		"another kind":        {Source{Kind: Snapshot, Namespace: "images", Name: "disk"}, false},
		"nothing of the name": {Source{Kind: Claim, Namespace: "images"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := r.Allows(test.source); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}

func TestWays(t *testing.T) {
	source := Permission{Group: "cdi.kubevirt.io", Version: "v1beta1", Resource: "datavolumes", Subresource: "source", Name: "x"}
	unnamed := source
	unnamed.Name = ""
	pods, claims := Permission{Version: "v1", Resource: "pods"}, Permission{Version: "v1", Resource: "persistentvolumeclaims"}
	for kind, test := range map[Kind]struct {
		ways [][]Permission
		end  string
	}{
		Claim:      {[][]Permission{{source}, {pods}}, " or on pods is needed there"},
		Snapshot:   {[][]Permission{{source}, {pods, claims}}, " or on pods and persistentvolumeclaims is needed there"},
		DataSource: {[][]Permission{{unnamed}, {pods}}, " or on pods is needed there"},
	} {
		t.Run(string(kind), func(t *testing.T) {
			from := Source{Kind: kind, Namespace: "images", Name: "x"}
			if diff := cmp.Diff(test.ways, from.Ways()); diff != "" {
				t.Errorf("ways (-want +got):\n%s", diff)
			}
			const words = "User alice has insufficient permissions in clone source namespace images: "
			if got := from.Refusal("alice"); !strings.HasPrefix(got, words) || !strings.HasSuffix(got, test.end) {
				t.Errorf("refusal %q", got)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(`{"username":"alice","allowed":[{"kind":"VolumeSnapshot","namespace":"a","name":"b"}]}`)
	f.Add(`{"username":"","groups":null}`)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Decode(text)
		if err != nil {
			return
		}
		again, err := Encode(r)
		if err != nil {
			// What is not escaped in text may take more bytes when it is.
			return
		}
		if second, err := Decode(again); err != nil || second.Username != r.Username {
			t.Errorf("%q became %q: %v", text, again, err)
		}
	})
}

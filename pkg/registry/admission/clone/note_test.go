// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package clone

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/authentication/user"

	"goldenimage.dev/pkg/apis/cdi"
	"goldenimage.dev/pkg/apis/cdi/requester"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

func TestWhatIsNoted(t *testing.T) {
	note := func(allowed ...requester.Source) *requester.CloneRequester {
		return &requester.CloneRequester{
			Username: "alice", UID: "1", Groups: []string{"team"}, Extra: map[string][]string{"scopes.example": {"full"}}, Allowed: allowed,
		}
	}
	claim := requester.Source{Kind: requester.Claim, Namespace: "images", Name: "disk"}
	tests := map[string]struct {
		obj  *cdi.DataVolume
		want *requester.CloneRequester
	}{
		"a clone from elsewhere":            {volume(disk("images"), nil), note(claim)},
		"a snapshot from elsewhere":         {volume(shot("images"), nil), note(requester.Source{Kind: requester.Snapshot, Namespace: "images", Name: "shot"})},
		"what a DataSource leads to":        {volume(nil, ref("images", "fedora")), note(claim)},
		"what a pointer leads to":           {volume(nil, ref("", "pointer")), note(claim)},
		"a DataSource that is not there":    {volume(nil, ref("images", "later")), note(requester.Source{Kind: requester.DataSource, Namespace: "images", Name: "later"})},
		"a DataSource that leads to own":    {volume(nil, ref("", "near")), note()},
		"an own one that is not there":      {volume(nil, ref("", "later")), note()},
		"a clone from the own namespace":    {volume(disk("own"), nil), nil},
		"a snapshot from the own namespace": {volume(shot("own"), nil), nil},
		"an import":                         {volume(image(), nil), nil},
	}
	for name, test := range tests {
		for _, forged := range []string{"", `{"username":"bob","allowed":[{"kind":"PersistentVolumeClaim","namespace":"images","name":"other"}]}`} {
			t.Run(fmt.Sprintf("%s, forged %t", name, forged != ""), func(t *testing.T) {
				obj := test.obj.DeepCopy()
				if forged != "" {
					obj = noted(obj, forged)
				}
				p := plugin(t, "alice", permissions{mayClone}, known())
				if err := p.Admit(t.Context(), request(obj, nil, "", alice()), nil); err != nil {
					t.Fatal(err)
				}
				if forged != "" && obj.Annotations["other"] != "kept" {
					t.Errorf("annotations %v", obj.Annotations)
				}
				text, ok := obj.Annotations[v1beta1.AnnCloneRequester]
				if !ok {
					if test.want != nil {
						t.Error("there is no note")
					}
					return
				}
				got, err := requester.Decode(text)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(test.want, &got); diff != "" {
					t.Errorf("note (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestNoteIsTheServersAlone(t *testing.T) {
	tests := map[string]struct {
		obj, old    *cdi.DataVolume
		subresource string
		who         user.Info
		want        string
	}{
		"a user does not change it":            {obj: noted(volume(nil, ref("", "near")), "forged"), old: noted(volume(nil, ref("", "near")), "old"), who: alice(), want: "old"},
		"a user does not remove it":            {obj: volume(nil, ref("", "near")), old: noted(volume(nil, ref("", "near")), "old"), who: alice(), want: "old"},
		"a user does not add it":               {obj: noted(volume(image(), nil), "forged"), old: volume(image(), nil), who: alice()},
		"a cluster's administrator is a user":  {obj: noted(volume(image(), nil), "forged"), who: &user.DefaultInfo{Name: "root", Groups: []string{user.SystemPrivilegedGroup}}},
		"the server's own stays as it made it": {obj: noted(volume(disk("images"), nil), "made"), who: server(), want: "made"},
		"the server may change it":             {obj: noted(volume(disk("images"), nil), "new"), old: noted(volume(disk("images"), nil), "old"), who: server(), want: "new"},
		"status is not looked at":              {obj: noted(volume(image(), nil), "x"), old: volume(image(), nil), subresource: "status", who: alice(), want: "x"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var old runtime.Object
			if test.old != nil {
				old = test.old
			}
			p := plugin(t, "nobody", nil, known())
			if err := p.Admit(t.Context(), request(test.obj, old, test.subresource, test.who), nil); err != nil {
				t.Fatal(err)
			}
			if got := test.obj.Annotations[v1beta1.AnnCloneRequester]; got != test.want {
				t.Errorf("note %q, want %q", got, test.want)
			}
		})
	}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	cdi "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	kjson "sigs.k8s.io/json"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// TestKeysOfAnImportAreCapitalised pins what is unlike all other keys.
func TestKeysOfAnImportAreCapitalised(t *testing.T) {
	want := cdi.ImportStatus{DataVolumeName: "fedora-0123456789ab", Digest: "sha256:0123456789ab"}
	const document = `{"DataVolumeName":"fedora-0123456789ab","Digest":"sha256:0123456789ab"}`
	var ours v1beta1.ImportStatus
	decode(t, []byte(document), &ours)
	for name, data := range map[string][]byte{"theirs": encode(t, want), "ours": encode(t, ours)} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(document, string(data)); diff != "" {
				t.Errorf("document (-want +got):\n%s", diff)
			}
		})
	}
	for name, into := range map[string]any{"theirs": &cdi.ImportStatus{}, "ours": &v1beta1.ImportStatus{}} {
		t.Run(name+" in lower case", func(t *testing.T) {
			unknown, err := kjson.UnmarshalStrict([]byte(`{"dataVolumeName":"a","digest":"b"}`), into)
			if err != nil || len(unknown) != 2 {
				t.Errorf("unknown fields %v, error %v, want both fields unknown", unknown, err)
			}
		})
	}
}

// TestEverySourceIsKept sets each member of a source alone, since random objects have several.
func TestEverySourceIsKept(t *testing.T) {
	sources := reflect.TypeFor[cdi.DataVolumeSource]()
	if sources.NumField() != reflect.TypeFor[v1beta1.DataVolumeSource]().NumField() {
		t.Error("the number of sources differs")
	}
	for member := range sources.Fields() {
		name, _, _ := strings.Cut(member.Tag.Get("json"), ",")
		t.Run(name, func(t *testing.T) {
			filler := newFiller(t).NilChance(0)
			theirs := &cdi.DataVolume{Spec: cdi.DataVolumeSpec{Source: &cdi.DataVolumeSource{}}}
			filler.Fill(reflect.ValueOf(theirs.Spec.Source).Elem().FieldByIndex(member.Index).Addr().Interface())
			ours, back := &v1beta1.DataVolume{}, &cdi.DataVolume{}
			decode(t, encode(t, theirs), ours)
			data := encode(t, ours)
			decode(t, data, back)
			mustEqual(t, theirs, back)
			var document struct {
				Spec struct {
					Source map[string]json.RawMessage `json:"source"`
				} `json:"spec"`
			}
			if err := json.Unmarshal(data, &document); err != nil {
				t.Fatal(err)
			}
			if _, ok := document.Spec.Source[name]; !ok || len(document.Spec.Source) != 1 {
				t.Errorf("source is %s", data)
			}
		})
	}
}

// TestDocumentsOfOurExamples reads documents that users know, as both sides do.
func TestDocumentsOfOurExamples(t *testing.T) {
	for name, test := range map[string]struct{ document, want string }{
		"an empty blank source stays": {
			`{"spec":{"source":{"blank":{}},"storage":{"resources":{"requests":{"storage":"5Gi"}}}}}`,
			`{"source":{"blank":{}},"storage":{"resources":{"requests":{"storage":"5Gi"}}}}`,
		},
		"a registry keeps its pointers": {
			`{"spec":{"source":{"registry":{"url":"","pullMethod":"node","platform":{}}},"storage":{"resources":{}}}}`,
			`{"source":{"registry":{"url":"","pullMethod":"node","platform":{}}},"storage":{"resources":{}}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := &v1beta1.DataVolume{}, &cdi.DataVolume{}
			decode(t, []byte(test.document), ours)
			decode(t, []byte(test.document), theirs)
			for side, data := range map[string][]byte{"ours": encode(t, ours.Spec), "theirs": encode(t, theirs.Spec)} {
				if diff := cmp.Diff(test.want, string(data)); diff != "" {
					t.Errorf("spec of %s (-want +got):\n%s", side, diff)
				}
			}
		})
	}
}

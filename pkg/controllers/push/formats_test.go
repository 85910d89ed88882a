// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package push

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	const digest = "sha256:aaaa"
	for name, test := range map[string]struct {
		file, body string
		want       []Event
		ignored    int
		fails      bool
	}{
		"distribution tells of all it does, and one is a tag": {
			file: "distribution.json", ignored: 2,
			want: []Event{{Registry: "registry.example.com:5000", Repository: "os/fedora", Tag: "42", Digest: digest, ID: "a1"}},
		},
		"Harbor": {
			file: "harbor.json",
			want: []Event{{Registry: "harbor.example.com", Repository: "os/fedora", Tag: "42", Digest: digest, ID: "1680501893"}},
		},
		"Harbor with CloudEvents": {
			file: "harbor-cloudevents.json",
			want: []Event{{Registry: "harbor.example.com", Repository: "os/fedora", Tag: "42", Digest: digest, ID: "4b2f89a6"}},
		},
		"Quay": {file: "quay.json", want: []Event{{Registry: "quay.io", Repository: "os/fedora", Tag: "42"}}},
		"Docker Hub": {
			file: "dockerhub.json",
			want: []Event{{Registry: dockerHub, Repository: "os/fedora", Tag: "42", ID: "1417566161"}},
		},
		"Quay of old":                {body: `{"docker_url":"q/a","updated_tags":{"x":"id"}}`, want: []Event{{Registry: "q", Repository: "a", Tag: "x"}}},
		"a scan of Harbor":           {body: `{"type":"SCANNING_COMPLETED","event_data":{}}`, ignored: 1},
		"a build of Quay":            {body: `{"docker_url":"q/a","build_id":"1"}`, ignored: 1},
		"an event of something else": {body: `{"hello":"world"}`, fails: true},
		"no JSON":                    {body: `hello`, fails: true},
		"an event that is no object": {body: `{"events":[1]}`, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			body := []byte(test.body)
			if test.file != "" {
				var err error
				if body, err = os.ReadFile(filepath.Join("testdata", test.file)); err != nil {
					t.Fatal(err)
				}
			}
			got, ignored, err := Parse(body)
			if (err != nil) != test.fails || ignored != test.ignored {
				t.Errorf("ignored %d, error %v", ignored, err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		events, _, err := Parse(body)
		if len(events) > maxEvents || err != nil && events != nil {
			t.Errorf("%d events, error %v", len(events), err)
		}
	})
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestMetadataPatch(t *testing.T) {
	obj := &metav1.ObjectMeta{UID: "u", Labels: map[string]string{"a": "1"}, Annotations: map[string]string{"b": "", "c": "3"}}
	for name, test := range map[string]struct {
		labels, annotations map[string]*string
		want                string
	}{
		"nothing to change is no patch": {
			labels: map[string]*string{"a": new("1"), "z": nil}, annotations: map[string]*string{"b": new("")},
		},
		"only what differs is sent": {
			labels: map[string]*string{"a": new("2")}, annotations: map[string]*string{"b": nil, "c": new("3"), "d": new("")},
			want: `{"metadata":{"annotations":{"b":null,"d":""},"labels":{"a":"2"},"uid":"u"}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := MetadataPatch(obj, test.labels, test.annotations)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Errorf("patch (-want +got):\n%s", diff)
			}
		})
	}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	importerv1 "goldenimage.dev/pkg/apis/importer/v1"
	"goldenimage.dev/pkg/controllers/access"
	"goldenimage.dev/pkg/sources"
)

func emptyPod() *corev1.Pod {
	pod := &corev1.Pod{}
	pod.Annotations = map[string]string{}
	pod.Spec.Containers = make([]corev1.Container, 1)
	addDownward(pod)
	return pod
}

func TestPullSecretsAreMountedByTheirOrder(t *testing.T) {
	pod := emptyPod()
	addPullSecrets(pod, []string{"a", "b"})
	var got []string
	for _, volume := range pod.Spec.Volumes {
		if volume.Projected == nil {
			continue
		}
		for _, source := range volume.Projected.Sources {
			if !*source.Secret.Optional {
				t.Errorf("Secret %s keeps the pod from starting", source.Secret.Name)
			}
			for _, item := range source.Secret.Items {
				got = append(got, source.Secret.Name+":"+item.Key+"="+item.Path)
			}
		}
	}
	want := []string{"a:.dockerconfigjson=0.dockerconfigjson", "a:.dockercfg=0.dockercfg", "b:.dockerconfigjson=1.dockerconfigjson", "b:.dockercfg=1.dockercfg"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestAProxyIsToldOf(t *testing.T) {
	tests := map[string]struct {
		proxy access.Proxy
		want  string
	}{
		"none": {},
		"all of it": {
			access.Proxy{Proxy: sources.Proxy{HTTP: "http://a", HTTPS: "http://b", No: ".svc"}, CertificatesPEM: [][]byte{[]byte("one"), []byte("two")}},
			`{"http":"http://a","https":"http://b","no":".svc","certificates":"one\ntwo"}`,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			pod := emptyPod()
			if err := addProxy(pod, tc.proxy); err != nil {
				t.Fatal(err)
			}
			if got := pod.Annotations[v1beta1.AnnProxy]; got != tc.want {
				t.Errorf("annotation %q, want %q", got, tc.want)
			}
			mounted := false
			for _, at := range pod.Spec.Containers[0].VolumeMounts {
				mounted = mounted || at.MountPath == importerv1.ProxyPath && at.SubPath == "proxy.json"
			}
			if mounted != (tc.want != "") {
				t.Errorf("mounted: %t", mounted)
			}
		})
	}
}

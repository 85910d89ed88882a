// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/sources"
)

func TestHTTP(t *testing.T) {
	certificate := authority(t)
	reader := Reader{Client: fake.NewClientset(
		secret("login", corev1.SecretTypeOpaque, KeyUser, "user", KeyPassword, "word\n"),
		secret("docker", corev1.SecretTypeDockerConfigJson, corev1.DockerConfigJsonKey, `{"auths":{}}`),
		secret("tokens", corev1.SecretTypeOpaque, "b", "X-Token: two\n", "a", "x-token: one"),
		secret("no-token", corev1.SecretTypeOpaque, "a", "topsecret"),
		configMap("certs", "ca.crt", certificate),
		configMap("no-certs", "ca.crt", "no PEM"),
	)}
	tests := map[string]struct {
		source v1beta1.DataVolumeSourceHTTP
		want   sources.Access
		// reason of the Error, "" for none.
		reason string
	}{
		"nothing is needed":         {},
		"user and password":         {source: v1beta1.DataVolumeSourceHTTP{SecretRef: "login"}, want: sources.Access{Username: "user", Password: "word"}},
		"certificates":              {source: v1beta1.DataVolumeSourceHTTP{CertConfigMap: "certs"}, want: sources.Access{CertificatesPEM: [][]byte{[]byte(certificate)}}},
		"a server that is not sure": {source: v1beta1.DataVolumeSourceHTTP{InsecureSkipVerify: new(true)}, want: sources.Access{Insecure: true}},
		"headers, some of them secret": {
			source: v1beta1.DataVolumeSourceHTTP{ExtraHeaders: []string{"x-site: one"}, SecretExtraHeaders: []string{"tokens"}},
			want:   sources.Access{Header: map[string][]string{"X-Site": {"one"}, "X-Token": {"one", "two"}}},
		},
		"no Secret":                {source: v1beta1.DataVolumeSourceHTTP{SecretRef: "absent"}, reason: ReasonSecretNotFound},
		"a Secret for registries":  {source: v1beta1.DataVolumeSourceHTTP{SecretRef: "docker"}, reason: ReasonBadSecret},
		"no Secret with headers":   {source: v1beta1.DataVolumeSourceHTTP{SecretExtraHeaders: []string{"absent"}}, reason: ReasonSecretNotFound},
		"a Secret without headers": {source: v1beta1.DataVolumeSourceHTTP{SecretExtraHeaders: []string{"no-token"}}, reason: ReasonBadSecret},
		"no ConfigMap":             {source: v1beta1.DataVolumeSourceHTTP{CertConfigMap: "absent"}, reason: ReasonConfigMapNotFound},
		"no certificate":           {source: v1beta1.DataVolumeSourceHTTP{CertConfigMap: "no-certs"}, reason: ReasonBadConfigMap},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := reader.HTTP(t.Context(), namespace, &tc.source)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("access (-want +got):\n%s", diff)
			}
			if tc.reason == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var known *Error
			if !errors.As(err, &known) || known.Reason != tc.reason || !strings.Contains(known.Message, namespace+"/") {
				t.Errorf("error %v, want reason %s", err, tc.reason)
			}
			if strings.Contains(err.Error(), "topsecret") {
				t.Errorf("error %v repeats the Secret", err)
			}
		})
	}
}

func TestHeadersThatAreNone(t *testing.T) {
	_, err := Reader{Client: fake.NewClientset()}.HTTP(t.Context(), namespace, &v1beta1.DataVolumeSourceHTTP{ExtraHeaders: []string{"X-A: b", "topsecret"}})
	if sources.KindOf(err) != sources.Invalid || !strings.Contains(err.Error(), "extraHeaders[1]") || strings.Contains(err.Error(), "topsecret") {
		t.Errorf("got %v", err)
	}
}

func TestClusterErrorsOfHTTPAreNotTheUsers(t *testing.T) {
	client := fake.NewClientset()
	client.PrependReactor("get", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewServiceUnavailable("not now")
	})
	_, err := Reader{Client: client}.HTTP(t.Context(), namespace, &v1beta1.DataVolumeSourceHTTP{SecretExtraHeaders: []string{"tokens"}})
	var known *Error
	if errors.As(err, &known) || !apierrors.IsServiceUnavailable(err) {
		t.Errorf("error %v, want that of the cluster", err)
	}
}

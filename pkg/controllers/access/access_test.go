// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/sources"
)

const namespace = "golden-images"

func authority(t *testing.T) string {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func secret(name string, kind corev1.SecretType, data ...string) *corev1.Secret {
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Type: kind, Data: map[string][]byte{}}
	for i := 0; i < len(data); i += 2 {
		s.Data[data[i]] = []byte(data[i+1])
	}
	return s
}

func configMap(name string, data ...string) *corev1.ConfigMap {
	c := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Data: map[string]string{}}
	for i := 0; i < len(data); i += 2 {
		c.Data[data[i]] = data[i+1]
	}
	return c
}

func TestRegistry(t *testing.T) {
	one, two := authority(t), authority(t)
	reader := Reader{InsecureRegistries: []string{"insecure.example:5000"}, Client: fake.NewClientset(
		secret("login", corev1.SecretTypeOpaque, KeyUser, "user", KeyPassword, "word\n"),
		secret("no-password", corev1.SecretTypeOpaque, KeyUser, "user"),
		secret("no-user", corev1.SecretTypeOpaque, KeyPassword, "topsecret"),
		secret("docker", corev1.SecretTypeDockerConfigJson, corev1.DockerConfigJsonKey, `{"auths":{}}`),
		secret("bad-docker", corev1.SecretTypeDockerConfigJson, corev1.DockerConfigJsonKey, `topsecret`),
		configMap("certs", "b.pem", two, "a.crt", "# a comment\n"+one, "README", "no"),
		configMap("no-certs", "ca", one, "ca.crt", "no PEM", "key.pem", "-----BEGIN X-----\n-----END X-----\n"),
	)}
	tests := map[string]struct {
		url          string
		secret, cert string
		architecture string
		want         sources.Access
		// reason of the Error, "" for none.
		reason string
	}{
		"nothing is needed":          {url: "docker://registry.example/fedora"},
		"user and password":          {secret: "login", want: sources.Access{Username: "user", Password: "word"}},
		"a docker config":            {secret: "docker", want: sources.Access{DockerConfig: []byte(`{"auths":{}}`)}},
		"certificates, by their key": {cert: "certs", want: sources.Access{CertificatesPEM: [][]byte{[]byte("# a comment\n" + one), []byte(two)}}},
		"an insecure registry":       {url: "docker://insecure.example:5000/fedora", want: sources.Access{Insecure: true}},
		"another port":               {url: "docker://insecure.example/fedora"},
		"a URL that cannot be read":  {url: "docker://"},
		"an architecture":            {architecture: "arm64", want: sources.Access{Architecture: "arm64"}},
		"no Secret":                  {secret: "absent", reason: ReasonSecretNotFound},
		"no password":                {secret: "no-password", reason: ReasonBadSecret},
		"no user":                    {secret: "no-user", reason: ReasonBadSecret},
		"a malformed docker config":  {secret: "bad-docker", reason: ReasonBadSecret},
		"no ConfigMap":               {cert: "absent", reason: ReasonConfigMapNotFound},
		"no certificate":             {cert: "no-certs", reason: ReasonBadConfigMap},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			source := &v1beta1.DataVolumeSourceRegistry{URL: &tc.url, SecretRef: &tc.secret, CertConfigMap: &tc.cert}
			if tc.architecture != "" {
				source.Platform = &v1beta1.PlatformOptions{Architecture: tc.architecture}
			}
			got, err := reader.Registry(t.Context(), namespace, source)
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

func TestClusterErrorsAreNotTheUsers(t *testing.T) {
	client := fake.NewClientset()
	client.PrependReactor("get", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewServiceUnavailable("not now")
	})
	for name, source := range map[string]v1beta1.DataVolumeSourceRegistry{
		"a Secret":    {SecretRef: new("login")},
		"a ConfigMap": {CertConfigMap: new("certs")},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Reader{Client: client}.Registry(t.Context(), namespace, &source)
			var known *Error
			if errors.As(err, &known) || !apierrors.IsServiceUnavailable(err) {
				t.Errorf("error %v, want that of the cluster", err)
			}
		})
	}
}

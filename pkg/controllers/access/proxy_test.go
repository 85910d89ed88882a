// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/cache"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	listers "goldenimage.dev/pkg/generated/listers/cdi/v1beta1"
	"goldenimage.dev/pkg/sources"
)

const serverNamespace = "golden-image"

// configs returns a lister of one CDIConfig, with another one beside it.
func configs(t *testing.T, spec v1beta1.CDIConfigSpec) listers.CDIConfigLister {
	t.Helper()
	store := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	for name, spec := range map[string]v1beta1.CDIConfigSpec{
		v1beta1.CDIConfigName: spec,
		"another":             {InsecureRegistries: []string{"verified.example"}},
	} {
		if err := store.Add(&v1beta1.CDIConfig{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: spec}); err != nil {
			t.Fatal(err)
		}
	}
	return listers.NewCDIConfigLister(store)
}

func TestTheConfigOfTheCluster(t *testing.T) {
	one, two := authority(t), authority(t)
	atServer := func(c *corev1.ConfigMap) *corev1.ConfigMap {
		c.Namespace = serverNamespace
		return c
	}
	client := fake.NewClientset(
		configMap("registry", "ca.crt", one),
		// The proxy's authority of this name is not where the image is.
		configMap("proxy-ca", "ca.pem", one),
		atServer(configMap("proxy-ca", "ca.pem", two)),
		atServer(configMap("empty", "ca", two)),
		atServer(configMap("large", "ca.pem", two+strings.Repeat("#", maxProxyCertificates))),
	)
	tests := map[string]struct {
		url    string
		cert   string
		spec   v1beta1.CDIConfigSpec
		want   sources.Access
		reason string
		// says are words of the Error.
		says string
	}{
		"nothing is set": {url: "docker://verified.example/a"},
		"a registry is insecure": {
			url: "docker://insecure.example:5000/a", spec: v1beta1.CDIConfigSpec{InsecureRegistries: []string{"insecure.example:5000"}}, want: sources.Access{Insecure: true},
		},
		"the flag's list counts too": {
			url: "docker://flag.example/a", spec: v1beta1.CDIConfigSpec{InsecureRegistries: []string{"other.example"}}, want: sources.Access{Insecure: true},
		},
		"another port is another registry": {url: "docker://insecure.example/a", spec: v1beta1.CDIConfigSpec{InsecureRegistries: []string{"insecure.example:5000"}}},
		"the host is compared as it is written": {
			url: "docker://docker.io/library/a", spec: v1beta1.CDIConfigSpec{InsecureRegistries: []string{"docker.io"}}, want: sources.Access{Insecure: true},
		},
		"a path is no host": {url: "docker://a/insecure.example", spec: v1beta1.CDIConfigSpec{InsecureRegistries: []string{"insecure.example"}}},
		"a proxy": {
			spec: v1beta1.CDIConfigSpec{ImportProxy: &v1beta1.ImportProxy{HTTPProxy: new("http://proxy:3128"), HTTPSProxy: new("http://proxy:3129"), NoProxy: new(".svc,10.0.0.0/8")}},
			want: sources.Access{Proxy: sources.Proxy{HTTP: "http://proxy:3128", HTTPS: "http://proxy:3129", No: ".svc,10.0.0.0/8"}},
		},
		"a proxy with an authority, besides the registry's": {
			cert: "registry", spec: v1beta1.CDIConfigSpec{ImportProxy: &v1beta1.ImportProxy{HTTPSProxy: new("https://proxy"), TrustedCAProxy: new("proxy-ca")}},
			want: sources.Access{Proxy: sources.Proxy{HTTPS: "https://proxy"}, CertificatesPEM: [][]byte{[]byte(one), []byte(two)}},
		},
		"the authority is missing": {
			spec:   v1beta1.CDIConfigSpec{ImportProxy: &v1beta1.ImportProxy{TrustedCAProxy: new("registry")}},
			reason: ReasonConfigMapNotFound, says: "ConfigMap golden-image/registry, which spec.importProxy.trustedCAProxy",
		},
		"the authority is none": {
			spec: v1beta1.CDIConfigSpec{ImportProxy: &v1beta1.ImportProxy{TrustedCAProxy: new("empty")}}, reason: ReasonBadConfigMap, says: "ca.pem",
		},
		"the authorities are too many to go with a worker": {
			spec: v1beta1.CDIConfigSpec{ImportProxy: &v1beta1.ImportProxy{TrustedCAProxy: new("large")}}, reason: ReasonBadConfigMap, says: "131072",
		},
		"the proxy's URL holds a password": {
			spec:   v1beta1.CDIConfigSpec{ImportProxy: &v1beta1.ImportProxy{HTTPProxy: new("http://proxy"), HTTPSProxy: new("http://user:topsecret@proxy")}},
			reason: ReasonBadProxy, says: "spec.importProxy.HTTPSProxy of CDIConfig config",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			reader := Reader{Client: client, InsecureRegistries: []string{"flag.example"}, Configs: configs(t, tc.spec), ServerNamespace: serverNamespace}
			got, err := reader.Registry(t.Context(), namespace, &v1beta1.DataVolumeSourceRegistry{URL: &tc.url, CertConfigMap: &tc.cert})
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("access (-want +got):\n%s", diff)
			}
			checkError(t, err, tc.reason, tc.says)
			forWorker, err := reader.Proxy(t.Context())
			checkError(t, err, tc.reason, tc.says)
			if tc.reason == "" && forWorker.Proxy != tc.want.Proxy {
				t.Errorf("a worker is told %+v, want %+v", forWorker.Proxy, tc.want.Proxy)
			}
			if ca := ptrOf(tc.spec.ImportProxy).TrustedCAProxy; tc.reason == "" && ca != nil && cmp.Diff([][]byte{[]byte(two)}, forWorker.CertificatesPEM) != "" {
				t.Errorf("a worker is told the certificates %s, want those of the proxy alone", forWorker.CertificatesPEM)
			}
		})
	}
}

func ptrOf(proxy *v1beta1.ImportProxy) v1beta1.ImportProxy {
	if proxy == nil {
		return v1beta1.ImportProxy{}
	}
	return *proxy
}

// checkError wants an *Error of a reason, or none for "".
func checkError(t *testing.T, err error, reason, says string) {
	t.Helper()
	if reason == "" {
		if err != nil {
			t.Error(err)
		}
		return
	}
	var known *Error
	if !errors.As(err, &known) || known.Reason != reason || !strings.Contains(known.Message, says) {
		t.Errorf("error %v, want reason %s that says %q", err, reason, says)
		return
	}
	if strings.Contains(err.Error(), "topsecret") {
		t.Errorf("error %v repeats a password", err)
	}
}

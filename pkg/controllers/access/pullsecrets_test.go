// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/clock"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/sources"
)

func serviceAccount(name string, secrets ...string) *corev1.ServiceAccount {
	a := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	for _, secret := range secrets {
		a.ImagePullSecrets = append(a.ImagePullSecrets, corev1.LocalObjectReference{Name: secret})
	}
	return a
}

func TestCredentialsOfAServiceAccount(t *testing.T) {
	const one, two = `{"auth":"b25l"}`, `{"auth":"dHdv"}`
	half := fmt.Sprintf(`{"auth":%q}`, strings.Repeat("A", maxDockerConfig*2/3))
	client := fake.NewClientset(
		secret("login", corev1.SecretTypeOpaque, KeyUser, "user", KeyPassword, "word"),
		secret("first", corev1.SecretTypeDockerConfigJson, corev1.DockerConfigJsonKey, `{"auths":{"a.example":`+one+`}}`),
		secret("second", corev1.SecretTypeDockerConfigJson, corev1.DockerConfigJsonKey, `{"auths":{"a.example":`+two+`,"b.example/path":`+two+`},"credsStore":"x"}`),
		secret("legacy", corev1.SecretTypeDockercfg, corev1.DockerConfigKey, `{"c.example":`+one+`}`),
		secret("bad", corev1.SecretTypeDockerConfigJson, corev1.DockerConfigJsonKey, `{"auths":{"topsecret`),
		secret("bad-legacy", corev1.SecretTypeDockercfg, corev1.DockerConfigKey, `topsecret`),
		secret("large", corev1.SecretTypeDockerConfigJson, corev1.DockerConfigJsonKey, `{"auths":{"d.example":`+half+`}}`),
		secret("large-too", corev1.SecretTypeDockerConfigJson, corev1.DockerConfigJsonKey, `{"auths":{"e.example":`+half+`}}`),
		serviceAccount("default", "first"),
		serviceAccount("several", "first", "absent", "", "login", "second", "legacy"),
		serviceAccount("bad", "bad"), serviceAccount("bad-legacy", "bad-legacy"), serviceAccount("large", "large", "large-too"),
		serviceAccount("none"), serviceAccount("others", "absent", "login"),
	)
	tests := map[string]struct {
		account, secret string
		want            string
		reason          string
	}{
		"no account is the default one":              {want: `{"auths":{"a.example":` + one + `}}`},
		"of several Secrets the first one stands":    {account: "several", want: `{"auths":{"a.example":` + one + `,"b.example/path":` + two + `,"c.example":` + one + `}}`},
		"an account without Secrets":                 {account: "none"},
		"Secrets of which none holds any credential": {account: "others"},
		"an account that does not exist":             {account: "absent"},
		"a Secret of the source stands for all":      {account: "bad", secret: "login"},
		"a malformed Secret":                         {account: "bad", reason: ReasonBadSecret},
		"a malformed Secret of the older type":       {account: "bad-legacy", reason: ReasonBadSecret},
		"Secrets that are too large together":        {account: "large", reason: ReasonBadSecret},
		"a Secret of the source that does not exist": {secret: "absent", reason: ReasonSecretNotFound},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			reader := Reader{Client: client}
			got, err := reader.RegistryAs(t.Context(), namespace, tc.account, &v1beta1.DataVolumeSourceRegistry{SecretRef: &tc.secret})
			checkError(t, err, tc.reason, namespace)
			if diff := cmp.Diff(tc.want, string(got.DockerConfig)); diff != "" {
				t.Errorf("credentials (-want +got):\n%s", diff)
			}
			if tc.secret == "login" && got.Username != "user" {
				t.Errorf("the source's own Secret is not used: %q", got.Username)
			}
		})
	}
}

func TestSecretsOfAnAccountAreBounded(t *testing.T) {
	many := serviceAccount("many")
	for i := range 3 * maxPullSecrets {
		many.ImagePullSecrets = append(many.ImagePullSecrets, corev1.LocalObjectReference{Name: fmt.Sprint("pull-", i)})
	}
	names, err := Reader{Client: fake.NewClientset(many)}.PullSecrets(t.Context(), namespace, "many")
	if err != nil || len(names) != maxPullSecrets || names[0] != "pull-0" {
		t.Errorf("got %v %v, want the first %d", names, err, maxPullSecrets)
	}
}

func TestClusterErrorsOfAccountsAreNotTheUsers(t *testing.T) {
	for name, resource := range map[string]string{"the account": "serviceaccounts", "a Secret": "secrets"} {
		t.Run(name, func(t *testing.T) {
			client := fake.NewClientset(serviceAccount("default", "pull"))
			client.PrependReactor("get", resource, func(clienttesting.Action) (bool, runtime.Object, error) {
				return true, nil, apierrors.NewServiceUnavailable("not now")
			})
			_, err := Reader{Client: client}.RegistryAs(t.Context(), namespace, "", &v1beta1.DataVolumeSourceRegistry{})
			var known *Error
			if errors.As(err, &known) || !apierrors.IsServiceUnavailable(err) {
				t.Errorf("error %v, want that of the cluster", err)
			}
		})
	}
}

func TestAccountsAreReadAgainAfterAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset(serviceAccount("default", "old"))
		reader := Reader{Client: client, Accounts: NewAccounts(clock.RealClock{})}
		names := func() string {
			t.Helper()
			names, err := reader.PullSecrets(t.Context(), namespace, "")
			if err != nil {
				t.Fatal(err)
			}
			return strings.Join(names, ",")
		}
		first := names()
		if _, err := client.CoreV1().ServiceAccounts(namespace).Update(t.Context(), serviceAccount("default", "new"), metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		second := names()
		<-time.After(accountAge)
		if diff := cmp.Diff([]string{"old", "old", "new"}, []string{first, second, names()}); diff != "" {
			t.Errorf("names (-want +got):\n%s", diff)
		}
	})
}

func TestManyWhoAskAtOnceHaveAnAccountReadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset(serviceAccount("default", "pull"))
		client.PrependReactor("get", "serviceaccounts", func(clienttesting.Action) (bool, runtime.Object, error) {
			<-time.After(time.Second)
			return false, nil, nil
		})
		reader := Reader{Client: client, Accounts: NewAccounts(clock.RealClock{})}
		hurried, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := reader.PullSecrets(hurried, namespace, "")
			ended <- err
		}()
		var all sync.WaitGroup
		for range 20 {
			synctest.Wait()
			all.Go(func() {
				if names, err := reader.PullSecrets(t.Context(), namespace, ""); err != nil || len(names) != 1 || names[0] != "pull" {
					t.Errorf("names %v, error %v", names, err)
				}
			})
		}
		synctest.Wait()
		// That one gives up is nothing to the others, although it was the first.
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("error %v of one who gave up", err)
		}
		all.Wait()
		if reads := len(client.Actions()); reads != 1 {
			t.Errorf("read %d times", reads)
		}
	})
}

func TestAccountsAreBounded(t *testing.T) {
	accounts := NewAccounts(clock.RealClock{})
	for i := range 3 * maxAccounts {
		accounts.set(types.NamespacedName{Name: fmt.Sprint(i)}, nil)
		if len(accounts.known) > maxAccounts {
			t.Fatalf("%d are remembered", len(accounts.known))
		}
	}
	if _, ok := accounts.get(types.NamespacedName{Name: fmt.Sprint(3*maxAccounts - 1)}); !ok {
		t.Error("the last one is forgotten")
	}
}

func TestFingerprint(t *testing.T) {
	base := sources.Access{Username: "user", Password: "word", Header: map[string][]string{"A": {"1"}, "B": {"2"}}}
	seen := map[string]string{}
	for name, access := range map[string]sources.Access{
		"nothing":               {},
		"a user":                base,
		"another password":      {Username: "user", Password: "words", Header: base.Header},
		"parts that run on":     {Username: "userw", Password: "ord", Header: base.Header},
		"another header":        {Username: "user", Password: "word", Header: map[string][]string{"A": {"1"}, "B": {"3"}}},
		"certificates":          {CertificatesPEM: [][]byte{[]byte("a"), []byte("b")}},
		"certificates that run": {CertificatesPEM: [][]byte{[]byte("ab")}},
		"a docker config":       {DockerConfig: []byte("{}")},
		"insecure":              {Insecure: true},
		"an architecture":       {Architecture: "arm64"},
		"a proxy":               {Proxy: sources.Proxy{HTTP: "http://proxy"}},
	} {
		got := Fingerprint(access)
		if other, ok := seen[got]; ok || len(got) != 2*fingerprintBytes || strings.Contains(got, "word") {
			t.Errorf("%s has the fingerprint %q, as has %q", name, got, other)
		}
		seen[got] = name
		if again := Fingerprint(access); again != got {
			t.Errorf("%s has the fingerprint %q and then %q", name, got, again)
		}
	}
}

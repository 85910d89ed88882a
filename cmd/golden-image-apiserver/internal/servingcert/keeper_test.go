// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package servingcert

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"
	clocktesting "k8s.io/utils/clock/testing"
)

var apiServices = schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"}

func newKeeper(client *fake.Clientset, clk *clocktesting.FakeClock) *Keeper {
	service := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
		"metadata": map[string]any{"name": "v1.example"}, "spec": map[string]any{"group": "example"},
	}}
	return &Keeper{
		Client:  client,
		Dynamic: dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{apiServices: "APIServiceList"}, service),
		Clock:   clk, Namespace: "ns", SecretName: "cert", Service: "svc", APIService: "v1.example",
	}
}

func verify(t *testing.T, k *Keeper, authority []byte, now time.Time) error {
	t.Helper()
	pair, err := tls.X509KeyPair(k.CurrentCertKeyContent())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	_, err = pair.Leaf.Verify(x509.VerifyOptions{DNSName: "svc.ns.svc", Roots: roots, CurrentTime: now})
	return err
}

func TestKeeper(t *testing.T) {
	begin := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		// prepare changes the Secret that a first replica made, and the clock.
		prepare func(*corev1.Secret, *clocktesting.FakeClock)
		// keepsCert and keepsCA tell whether a second replica takes over what it finds.
		keepsCert, keepsCA bool
	}{
		"what another replica made is taken over": {
			prepare: func(*corev1.Secret, *clocktesting.FakeClock) {}, keepsCert: true, keepsCA: true,
		},
		"a serving certificate that ends in a month is renewed by the same authority": {
			prepare: func(_ *corev1.Secret, clk *clocktesting.FakeClock) {
				clk.Step(servingValidity - servingRenewal + time.Hour)
			},
			keepsCA: true,
		},
		"an authority that ends in a year is renewed": {
			prepare: func(_ *corev1.Secret, clk *clocktesting.FakeClock) {
				clk.Step(authorityValidity - authorityRenewal + time.Hour)
			},
		},
		"a damaged certificate is made anew": {
			prepare: func(s *corev1.Secret, _ *clocktesting.FakeClock) { s.Data[corev1.TLSCertKey] = []byte("x") },
			keepsCA: true,
		},
		"a damaged authority is made anew": {
			prepare: func(s *corev1.Secret, _ *clocktesting.FakeClock) { s.Data[keyAuthorityKey] = nil },
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			clk := clocktesting.NewFakeClock(begin)
			client := fake.NewClientset()
			first := newKeeper(client, clk)
			if err := first.Ensure(t.Context()); err != nil {
				t.Fatal(err)
			}
			secrets := client.CoreV1().Secrets("ns")
			secret, err := secrets.Get(t.Context(), "cert", metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			made := fromSecret(secret)
			test.prepare(secret, clk)
			if _, err := secrets.Update(t.Context(), secret, metav1.UpdateOptions{}); err != nil {
				t.Fatal(err)
			}
			second := newKeeper(client, clk)
			if err := second.Ensure(t.Context()); err != nil {
				t.Fatal(err)
			}
			if kept := string(second.current.serving) == string(made.serving); kept != test.keepsCert {
				t.Errorf("certificate kept: %t, want %t", kept, test.keepsCert)
			}
			if kept := string(second.current.authority) == string(made.authority); kept != test.keepsCA {
				t.Errorf("authority kept: %t, want %t", kept, test.keepsCA)
			}
			if err := verify(t, second, second.current.authority, clk.Now()); err != nil {
				t.Error(err)
			}
		})
	}
}

type told struct{ times int }

func (l *told) Enqueue() { l.times++ }

func TestARenewalIsAnnounced(t *testing.T) {
	clk := clocktesting.NewFakeClock(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC))
	keeper := newKeeper(fake.NewClientset(), clk)
	listener := &told{}
	keeper.AddListener(listener)
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, 1}, {time.Hour, 1}, {servingValidity, 2}} {
		clk.Step(step.after)
		if err := keeper.Ensure(t.Context()); err != nil {
			t.Fatal(err)
		}
		if listener.times != step.want {
			t.Errorf("after %v the listener was told %d times, want %d", step.after, listener.times, step.want)
		}
	}
}

func TestTheAPIServiceGetsTheAuthority(t *testing.T) {
	clk := clocktesting.NewFakeClock(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC))
	keeper := newKeeper(fake.NewClientset(), clk)
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // Run looks once, and ends.
	keeper.Run(ctx)
	service, err := keeper.Dynamic.Resource(apiServices).Get(t.Context(), "v1.example", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	bundle, _, err := unstructured.NestedString(service.Object, "spec", "caBundle")
	if err != nil {
		t.Fatal(err)
	}
	authority, err := base64.StdEncoding.DecodeString(bundle)
	if err != nil {
		t.Fatal(err)
	}
	if err := verify(t, keeper, authority, clk.Now()); err != nil {
		t.Error(err)
	}
}

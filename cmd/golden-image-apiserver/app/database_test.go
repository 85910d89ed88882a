// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func TestAnotherDatabaseIsRefused(t *testing.T) {
	client := fake.NewClientset(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "cert"},
		Data:       map[string][]byte{corev1.TLSCertKey: []byte("kept")},
	})
	first, second := t.TempDir(), t.TempDir()
	for _, step := range []struct {
		dir     string
		refused bool
	}{{first, false}, {first, false}, {second, true}, {first, false}} {
		err := guardDatabase(t.Context(), client, &Options{Namespace: "ns", ServingCertSecret: "cert", DataDir: step.dir})
		if step.refused != (err != nil) {
			t.Errorf("%s: %v", step.dir, err)
		}
		if err != nil && !strings.Contains(err.Error(), `remove the key "database" from Secret ns/cert`) {
			t.Errorf("the error does not say what to do: %v", err)
		}
	}
	secret, err := client.CoreV1().Secrets("ns").Get(t.Context(), "cert", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if string(secret.Data[corev1.TLSCertKey]) != "kept" {
		t.Errorf("the Secret's other keys are %v", secret.Data)
	}
}

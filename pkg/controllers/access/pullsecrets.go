// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/sources"
)

const (
	// defaultAccount is the ServiceAccount of Pods that name none.
	defaultAccount = "default"
	// maxPullSecrets bounds how many Secrets one ServiceAccount has read.
	maxPullSecrets = 16
	// maxDockerConfig bounds what they hold together, in bytes.
	maxDockerConfig = 1 << 20
)

// RegistryAs is Registry with the credentials that the kubelet would have for a Pod of a
// ServiceAccount, "" for the default one, where src has no secretRef. As with the kubelet, a
// ServiceAccount or a Secret that does not exist is none to read with.
func (r Reader) RegistryAs(ctx context.Context, namespace, serviceAccount string, src *v1beta1.DataVolumeSourceRegistry) (sources.Access, error) {
	access, err := r.Registry(ctx, namespace, src)
	if err != nil || ptr.Deref(src.SecretRef, "") != "" {
		return access, err
	}
	names, err := r.PullSecrets(ctx, namespace, serviceAccount)
	if err != nil {
		return sources.Access{}, err
	}
	if access.DockerConfig, err = r.pullCredentials(ctx, namespace, names); err != nil {
		return sources.Access{}, err
	}
	return access, nil
}

// PullSecrets returns the names of the Secrets that a ServiceAccount, "" for the default one,
// pulls with, in their order. They need not exist.
func (r Reader) PullSecrets(ctx context.Context, namespace, serviceAccount string) ([]string, error) {
	key := types.NamespacedName{Namespace: namespace, Name: cmp.Or(serviceAccount, defaultAccount)}
	return r.Accounts.names(ctx, key, func(ctx context.Context) ([]string, error) {
		return r.pullSecrets(ctx, key)
	})
}

func (r Reader) pullSecrets(ctx context.Context, key types.NamespacedName) ([]string, error) {
	found, err := r.Client.CoreV1().ServiceAccounts(key.Namespace).Get(ctx, key.Name, metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("get service account %s: %w", key, err)
	}
	var names []string
	if err == nil {
		for _, secret := range found.ImagePullSecrets[:min(len(found.ImagePullSecrets), maxPullSecrets)] {
			if secret.Name != "" {
				names = append(names, secret.Name)
			}
		}
	}
	return names, nil
}

// auths is a .dockerconfigjson as far as it matters, by registry.
type auths map[string]json.RawMessage

// pullCredentials returns what Secrets hold as one .dockerconfigjson, in which of several for
// the same key the first one stands. Nil means nothing.
func (r Reader) pullCredentials(ctx context.Context, namespace string, names []string) ([]byte, error) {
	all, size := auths{}, 0
	for _, name := range names {
		secret, err := r.Client.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("get secret %s/%s: %w", namespace, name, err)
		}
		found, err := authsOf(secret)
		if err != nil {
			return nil, err
		}
		for key, value := range found {
			if _, ok := all[key]; ok {
				continue
			}
			if size += len(key) + len(value); size > maxDockerConfig {
				return nil, badPullSecret(secret, fmt.Sprintf("with it the imagePullSecrets of its ServiceAccount hold more than %d bytes", maxDockerConfig))
			}
			all[key] = value
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	merged, err := json.Marshal(map[string]auths{"auths": all})
	if err != nil {
		// The error could repeat what is in the Secrets.
		return nil, &Error{Reason: ReasonBadSecret, Message: fmt.Sprintf("The imagePullSecrets of a ServiceAccount in namespace %s cannot be joined", namespace)}
	}
	return merged, nil
}

// authsOf reads a Secret that images are pulled with. One of another type holds nothing.
func authsOf(secret *corev1.Secret) (auths, error) {
	switch secret.Type {
	case corev1.SecretTypeDockerConfigJson:
		var document struct {
			Auths auths `json:"auths"`
		}
		// The error is left out, as it may repeat a part of the Secret.
		if json.Unmarshal(secret.Data[corev1.DockerConfigJsonKey], &document) != nil {
			return nil, badPullSecret(secret, "its "+corev1.DockerConfigJsonKey+" is malformed")
		}
		return document.Auths, nil
	case corev1.SecretTypeDockercfg:
		// The older form is what stands below auths in the newer one.
		var document auths
		if json.Unmarshal(secret.Data[corev1.DockerConfigKey], &document) != nil {
			return nil, badPullSecret(secret, "its "+corev1.DockerConfigKey+" is malformed")
		}
		return document, nil
	default:
		return nil, nil
	}
}

func badPullSecret(secret *corev1.Secret, what string) error {
	return &Error{Reason: ReasonBadSecret, Message: fmt.Sprintf(
		"Secret %s/%s, an imagePullSecret of the ServiceAccount, cannot be used, %s: make it with kubectl create secret docker-registry, take it from the ServiceAccount, or give the source a secretRef",
		secret.Namespace, secret.Name, what)}
}

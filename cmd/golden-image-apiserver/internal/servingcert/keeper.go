// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package servingcert

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apiserver/pkg/server/dynamiccertificates"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

// interval is how often the Secret and the APIService are looked at.
const interval = 30 * time.Second

// A Keeper keeps the certificate. It is what the server's TLS reads it from.
type Keeper struct {
	Client     kubernetes.Interface
	Dynamic    dynamic.Interface
	Clock      clock.WithTicker
	Namespace  string
	SecretName string
	// Service and APIService are the names of what points to the server.
	Service, APIService string

	mu        sync.RWMutex
	current   bundle
	listeners []dynamiccertificates.Listener
}

var (
	_ dynamiccertificates.CertKeyContentProvider = &Keeper{}
	_ dynamiccertificates.Notifier               = &Keeper{}
)

// Name appears in logs.
func (k *Keeper) Name() string { return "secret/" + k.Namespace + "/" + k.SecretName }

// CurrentCertKeyContent returns the serving certificate and its key, PEM.
func (k *Keeper) CurrentCertKeyContent() (cert, key []byte) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.current.serving, k.current.servingKey
}

// AddListener registers who is told of a new certificate.
func (k *Keeper) AddListener(listener dynamiccertificates.Listener) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.listeners = append(k.listeners, listener)
}

// Run keeps the certificate current until ctx is done.
func (k *Keeper) Run(ctx context.Context) {
	logger := klog.FromContext(ctx).WithName("servingcert")
	ticker := k.Clock.NewTicker(interval)
	defer ticker.Stop()
	for {
		if err := k.Ensure(ctx); err != nil && ctx.Err() == nil {
			logger.Error(err, "Serving certificate could not be looked after, trying again", "after", interval)
		} else if err := k.inject(ctx); err != nil && ctx.Err() == nil {
			logger.Error(err, "APIService could not be given the certificate authority, trying again", "after", interval)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
		}
	}
}

// Ensure makes or renews what the Secret holds, if needed, and takes it over.
func (k *Keeper) Ensure(ctx context.Context) error {
	secrets := k.Client.CoreV1().Secrets(k.Namespace)
	secret, err := secrets.Get(ctx, k.SecretName, metav1.GetOptions{})
	missing := apierrors.IsNotFound(err)
	if err != nil && !missing {
		return fmt.Errorf("read the certificate's Secret: %w", err)
	}
	if missing {
		secret = &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: k.Namespace, Name: k.SecretName},
			Type:       corev1.SecretTypeTLS,
		}
	}
	wanted, changed, err := fromSecret(secret).renewed(k.names(), k.Clock.Now())
	if err != nil {
		return err
	}
	if changed {
		if secret.Data == nil {
			secret.Data = map[string][]byte{}
		}
		maps.Copy(secret.Data, wanted.data()) // other keys are not ours
		if missing {
			secret, err = secrets.Create(ctx, secret, metav1.CreateOptions{})
		} else {
			secret, err = secrets.Update(ctx, secret, metav1.UpdateOptions{})
		}
		if apierrors.IsAlreadyExists(err) || apierrors.IsConflict(err) {
			return k.Ensure(ctx) // another replica was faster: take what it made
		}
		if err != nil {
			return fmt.Errorf("write the certificate's Secret: %w", err)
		}
		klog.FromContext(ctx).V(2).Info("Serving certificate renewed", "secret", klog.KObj(secret))
	}
	k.take(wanted)
	return nil
}

func (k *Keeper) names() []string {
	name := k.Service + "." + k.Namespace + ".svc"
	return []string{name, name + ".cluster.local", "localhost"}
}

func (k *Keeper) take(wanted bundle) {
	k.mu.Lock()
	same := bytes.Equal(k.current.serving, wanted.serving)
	k.current = wanted
	listeners := k.listeners
	k.mu.Unlock()
	if same {
		return
	}
	for _, listener := range listeners {
		listener.Enqueue()
	}
}

// inject gives the APIService the authority's certificate if it has another.
func (k *Keeper) inject(ctx context.Context) error {
	k.mu.RLock()
	wanted := base64.StdEncoding.EncodeToString(k.current.authority)
	k.mu.RUnlock()
	services := k.Dynamic.Resource(schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"})
	service, err := services.Get(ctx, k.APIService, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("read APIService: %w", err)
	}
	spec, _ := service.Object["spec"].(map[string]any)
	if have, _ := spec["caBundle"].(string); have == wanted {
		return nil
	}
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"caBundle": wanted}})
	if err != nil {
		return fmt.Errorf("encode the patch of APIService: %w", err)
	}
	if _, err := services.Patch(ctx, k.APIService, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		return fmt.Errorf("patch APIService: %w", err)
	}
	klog.FromContext(ctx).V(2).Info("APIService has the certificate authority", "apiService", k.APIService)
	return nil
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"fmt"
	"maps"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/sources"
)

// HTTP returns what src, in namespace, is read with. Errors are as those of Registry.
func (r Reader) HTTP(ctx context.Context, namespace string, src *v1beta1.DataVolumeSourceHTTP) (sources.Access, error) {
	access := sources.Access{Insecure: ptr.Deref(src.InsecureSkipVerify, false)}
	config, err := r.config()
	if err != nil {
		return sources.Access{}, err
	}
	if src.SecretRef != "" {
		if err := r.credentials(ctx, namespace, src.SecretRef, &access); err != nil {
			return sources.Access{}, err
		}
		if access.DockerConfig != nil {
			return sources.Access{}, &Error{Reason: ReasonBadSecret, Message: fmt.Sprintf(
				"Secret %s/%s cannot be used, it is one for registries: give a Secret with the keys %s and %s", namespace, src.SecretRef, KeyUser, KeyPassword)}
		}
	}
	if src.CertConfigMap != "" {
		if err := r.certificates(ctx, namespace, src.CertConfigMap, &access); err != nil {
			return sources.Access{}, err
		}
	}
	if err := r.headers(ctx, namespace, src, &access); err != nil {
		return sources.Access{}, err
	}
	if err := r.proxy(ctx, config, &access); err != nil {
		return sources.Access{}, err
	}
	return access, nil
}

// headers adds the headers of a source, those of its Secrets last.
func (r Reader) headers(ctx context.Context, namespace string, src *v1beta1.DataVolumeSourceHTTP, into *sources.Access) error {
	add := func(line string) error {
		name, value, err := sources.ParseHeader(line)
		if err != nil {
			return err
		}
		if into.Header == nil {
			into.Header = map[string][]string{}
		}
		into.Header[name] = append(into.Header[name], value)
		return nil
	}
	for i, line := range src.ExtraHeaders {
		if err := add(line); err != nil {
			return sources.Errorf(sources.Invalid, "http.extraHeaders[%d] cannot be used: %w: give headers as Name: value", i, err)
		}
	}
	for _, name := range src.SecretExtraHeaders {
		secret, err := r.Client.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return &Error{Reason: ReasonSecretNotFound, Err: err, Message: fmt.Sprintf(
				"Secret %s/%s does not exist: create it with a header, as Name: value, in each key, or remove it from secretExtraHeaders", namespace, name)}
		}
		if err != nil {
			return fmt.Errorf("get secret %s/%s: %w", namespace, name, err)
		}
		// In the order of their keys, as the worker finds them.
		for _, key := range slices.Sorted(maps.Keys(secret.Data)) {
			if err := add(string(secret.Data[key])); err != nil {
				return &Error{Reason: ReasonBadSecret, Message: fmt.Sprintf(
					"Secret %s/%s cannot be used, its key %s holds no header, %s: give each key a value of the form Name: value", namespace, name, key, err)}
			}
		}
	}
	return nil
}

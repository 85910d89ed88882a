// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	listers "goldenimage.dev/pkg/generated/listers/cdi/v1beta1"
	"goldenimage.dev/pkg/sources"
)

// Reasons of an Error.
const (
	// ReasonSecretNotFound: there is no Secret of that name in the namespace.
	ReasonSecretNotFound = "SecretNotFound"
	// ReasonConfigMapNotFound: there is no ConfigMap of that name in the namespace.
	ReasonConfigMapNotFound = "ConfigMapNotFound"
	// ReasonBadSecret: the Secret does not hold the keys that credentials are read from.
	ReasonBadSecret = "BadSecret"
	// ReasonBadConfigMap: the ConfigMap holds no certificate.
	ReasonBadConfigMap = "BadConfigMap"
	// ReasonBadProxy: the proxy of the CDIConfig cannot be used.
	ReasonBadProxy = "BadProxy"
)

// Keys of a Secret, besides that of type kubernetes.io/dockerconfigjson.
const (
	// KeyUser holds the user's name.
	KeyUser = "accessKeyId"
	// KeyPassword holds the password or token.
	KeyPassword = "secretKey"
)

// An Error says what the user has to mend. It holds no part of a Secret.
type Error struct {
	// Reason is one of the Reason constants.
	Reason string
	// Message is a sentence that names the object and what to do.
	Message string
	// Err is the cause, nil if there is none.
	Err error
}

func (e *Error) Error() string { return e.Message }

func (e *Error) Unwrap() error { return e.Err }

// A Reader reads Secrets and ConfigMaps as they are now.
type Reader struct {
	// Client needs get on secrets, configmaps and serviceaccounts.
	Client kubernetes.Interface
	// InsecureRegistries is a list of host[:port] that are read without verification, besides
	// that of the CDIConfig.
	InsecureRegistries []string
	// Configs holds the CDIConfig, with more insecure registries and the proxy. Nil means none.
	Configs listers.CDIConfigLister
	// ServerNamespace is where the ConfigMap is that trustedCAProxy of the CDIConfig names.
	ServerNamespace string
	// Accounts saves reading ServiceAccounts again and again. Nil reads them each time.
	Accounts *Accounts
}

// Registry returns what src, in namespace, is read with. An *Error tells what the user can
// mend; any other error is one of the cluster, and worth another try.
func (r Reader) Registry(ctx context.Context, namespace string, src *v1beta1.DataVolumeSourceRegistry) (sources.Access, error) {
	access := sources.Access{}
	if src.Platform != nil {
		access.Architecture = src.Platform.Architecture
	}
	config, err := r.config()
	if err != nil {
		return sources.Access{}, err
	}
	access.Insecure = r.insecure(ptr.Deref(src.URL, ""), config)
	if name := ptr.Deref(src.SecretRef, ""); name != "" {
		if err := r.credentials(ctx, namespace, name, &access); err != nil {
			return sources.Access{}, err
		}
	}
	if name := ptr.Deref(src.CertConfigMap, ""); name != "" {
		if err := r.certificates(ctx, namespace, name, &access); err != nil {
			return sources.Access{}, err
		}
	}
	if err := r.proxy(ctx, config, &access); err != nil {
		return sources.Access{}, err
	}
	return access, nil
}

func (r Reader) credentials(ctx context.Context, namespace, name string, into *sources.Access) error {
	secret, err := r.Client.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return &Error{Reason: ReasonSecretNotFound, Err: err, Message: fmt.Sprintf(
			"Secret %s/%s does not exist: create it with the keys %s and %s, or as kubectl create secret docker-registry does, or remove secretRef",
			namespace, name, KeyUser, KeyPassword)}
	}
	if err != nil {
		return fmt.Errorf("get secret %s/%s: %w", namespace, name, err)
	}
	if secret.Type == corev1.SecretTypeDockerConfigJson {
		config := secret.Data[corev1.DockerConfigJsonKey]
		if !json.Valid(config) {
			return badSecret(namespace, name, "its "+corev1.DockerConfigJsonKey+" is not JSON")
		}
		into.DockerConfig = config
		return nil
	}
	user, password := trimmed(secret.Data[KeyUser]), trimmed(secret.Data[KeyPassword])
	switch {
	case user == "":
		return badSecret(namespace, name, "its key "+KeyUser+" is missing or empty")
	case password == "":
		return badSecret(namespace, name, "its key "+KeyPassword+" is missing or empty")
	}
	into.Username, into.Password = user, password
	return nil
}

// trimmed drops the line end that files and editors leave behind a value.
func trimmed(value []byte) string {
	return strings.TrimRight(string(value), "\r\n")
}

func badSecret(namespace, name, what string) error {
	return &Error{Reason: ReasonBadSecret, Message: fmt.Sprintf(
		"Secret %s/%s cannot be used, %s: give it the keys %s and %s, or make it with kubectl create secret docker-registry",
		namespace, name, what, KeyUser, KeyPassword)}
}

func (r Reader) certificates(ctx context.Context, namespace, name string, into *sources.Access) error {
	config, err := r.Client.CoreV1().ConfigMaps(namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return &Error{Reason: ReasonConfigMapNotFound, Err: err, Message: fmt.Sprintf(
			"ConfigMap %s/%s does not exist: create it with the registry's certificate authority in a key that ends in .crt or .pem, or remove certConfigMap",
			namespace, name)}
	}
	if err != nil {
		return fmt.Errorf("get configmap %s/%s: %w", namespace, name, err)
	}
	found := certificatesOf(config)
	if len(found) == 0 {
		return &Error{Reason: ReasonBadConfigMap, Message: fmt.Sprintf(
			"ConfigMap %s/%s holds no certificate: put the registry's certificate authority, as PEM, in a key that ends in .crt or .pem", namespace, name)}
	}
	into.CertificatesPEM = append(into.CertificatesPEM, found...)
	return nil
}

// certificatesOf returns what holds a certificate, in the order of the keys, so that equal
// ConfigMaps give equal Access.
func certificatesOf(config *corev1.ConfigMap) [][]byte {
	var found [][]byte
	for _, key := range slices.Sorted(maps.Keys(config.Data)) {
		if !strings.HasSuffix(key, ".crt") && !strings.HasSuffix(key, ".pem") {
			continue
		}
		if value := []byte(config.Data[key]); holdsCertificate(value) {
			found = append(found, value)
		}
	}
	return found
}

func holdsCertificate(value []byte) bool {
	for block, rest := pem.Decode(bytes.TrimSpace(value)); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		if _, err := x509.ParseCertificate(block.Bytes); err == nil {
			return true
		}
	}
	return false
}

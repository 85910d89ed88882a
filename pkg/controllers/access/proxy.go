// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/reference"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/sources"
)

// maxProxyCertificates bounds the proxy's authorities, in bytes: they go with every worker, in
// an annotation, and all annotations of an object together may have twice that.
const maxProxyCertificates = 128 << 10

// config returns the spec of the CDIConfig, an empty one if there is none. What counts is the
// spec: this server copies the proxy to the status without its password.
func (r Reader) config() (v1beta1.CDIConfigSpec, error) {
	if r.Configs == nil {
		return v1beta1.CDIConfigSpec{}, nil
	}
	config, err := r.Configs.Get(v1beta1.CDIConfigName)
	if apierrors.IsNotFound(err) {
		return v1beta1.CDIConfigSpec{}, nil
	}
	if err != nil {
		return v1beta1.CDIConfigSpec{}, fmt.Errorf("get CDIConfig %s: %w", v1beta1.CDIConfigName, err)
	}
	return config.Spec, nil
}

// insecure tells whether the registry of a URL is in a list of those that need not be verified.
// Entries of the CDIConfig are compared with what stands in the URL, as CDI does.
func (r Reader) insecure(url string, config v1beta1.CDIConfigSpec) bool {
	ref, err := reference.Parse(url)
	if err != nil {
		// It is in no list; who uses it reports why.
		return false
	}
	if ref.IsInsecure(r.InsecureRegistries) || ref.IsInsecure(config.InsecureRegistries) {
		return true
	}
	_, rest, _ := strings.Cut(url, "://")
	host, _, _ := strings.Cut(rest, "/")
	return ref.Registry() != "" && slices.Contains(config.InsecureRegistries, host)
}

// proxy adds the proxy of a CDIConfig, and the authorities that it is trusted by.
func (r Reader) proxy(ctx context.Context, config v1beta1.CDIConfigSpec, into *sources.Access) error {
	spec := ptr.Deref(config.ImportProxy, v1beta1.ImportProxy{})
	for _, proxy := range []struct {
		field string
		url   *string
	}{{"HTTPProxy", spec.HTTPProxy}, {"HTTPSProxy", spec.HTTPSProxy}} {
		if strings.Contains(ptr.Deref(proxy.url, ""), "@") {
			// A worker's Pod is no place for it, and neither is the CDIConfig.
			return &Error{Reason: ReasonBadProxy, Message: fmt.Sprintf(
				"spec.importProxy.%s of CDIConfig %s holds a user name or password, which every user of the cluster can read: let the proxy admit the cluster by its addresses, and remove them from the URL",
				proxy.field, v1beta1.CDIConfigName)}
		}
	}
	into.Proxy = sources.Proxy{HTTP: ptr.Deref(spec.HTTPProxy, ""), HTTPS: ptr.Deref(spec.HTTPSProxy, ""), No: ptr.Deref(spec.NoProxy, "")}
	name := ptr.Deref(spec.TrustedCAProxy, "")
	if name == "" {
		return nil
	}
	found, err := r.proxyCertificates(ctx, name)
	into.CertificatesPEM = append(into.CertificatesPEM, found...)
	return err
}

// proxyCertificates reads the ConfigMap that trustedCAProxy names.
func (r Reader) proxyCertificates(ctx context.Context, name string) ([][]byte, error) {
	const field = "spec.importProxy.trustedCAProxy of CDIConfig " + v1beta1.CDIConfigName
	config, err := r.Client.CoreV1().ConfigMaps(r.ServerNamespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, &Error{Reason: ReasonConfigMapNotFound, Err: err, Message: fmt.Sprintf(
			"ConfigMap %s/%s, which %s names, does not exist: create it with the proxy's certificate authority in the key ca.pem, or remove trustedCAProxy",
			r.ServerNamespace, name, field)}
	}
	if err != nil {
		return nil, fmt.Errorf("get configmap %s/%s: %w", r.ServerNamespace, name, err)
	}
	found := certificatesOf(config)
	if len(found) == 0 {
		return nil, &Error{Reason: ReasonBadConfigMap, Message: fmt.Sprintf(
			"ConfigMap %s/%s, which %s names, holds no certificate: put the proxy's certificate authority, as PEM, in the key ca.pem", r.ServerNamespace, name, field)}
	}
	size := 0
	for _, value := range found {
		size += len(value)
	}
	if size > maxProxyCertificates {
		return nil, &Error{Reason: ReasonBadConfigMap, Message: fmt.Sprintf(
			"ConfigMap %s/%s, which %s names, holds %d bytes of certificates and may hold %d: leave only the proxy's certificate authority in it",
			r.ServerNamespace, name, field, size, maxProxyCertificates)}
	}
	return found, nil
}

// A Proxy is what a worker has to be told of the CDIConfig. It holds nothing secret.
type Proxy struct {
	sources.Proxy
	// CertificatesPEM are authorities to trust besides, nil if there are none.
	CertificatesPEM [][]byte
}

// Proxy returns the proxy of the CDIConfig, the zero value if there is none. Errors are as those
// of Registry.
func (r Reader) Proxy(ctx context.Context) (Proxy, error) {
	config, err := r.config()
	if err != nil {
		return Proxy{}, err
	}
	access := sources.Access{}
	err = r.proxy(ctx, config, &access)
	return Proxy{Proxy: access.Proxy, CertificatesPEM: access.CertificatesPEM}, err
}

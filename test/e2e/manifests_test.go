//go:build e2e

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"strings"
)

// A cronManifest describes a DataImportCron that imports from a registry.
type cronManifest struct {
	namespace, name, url string
	pullMethod           string // "pod" if empty
	certConfigMap        string // "some-certs" if empty, none if "-"
	secretRef            string
	storage              string // "2Gi" if empty
	storageClass         string // the cluster's default if empty
	volumeMode           string
}

// String returns the manifest. The schedule is one that does not come round in a test.
func (m cronManifest) String() string {
	or := func(value, otherwise string) string {
		if value == "" {
			return otherwise
		}
		return value
	}
	var registry, storage strings.Builder
	if certs := or(m.certConfigMap, "some-certs"); certs != "-" {
		fmt.Fprintf(&registry, "          certConfigMap: %s\n", certs)
	}
	if m.secretRef != "" {
		fmt.Fprintf(&registry, "          secretRef: %s\n", m.secretRef)
	}
	if m.volumeMode != "" {
		fmt.Fprintf(&storage, "        volumeMode: %s\n", m.volumeMode)
	}
	return fmt.Sprintf(`
apiVersion: cdi.kubevirt.io/v1beta1
kind: DataImportCron
metadata: {name: %s, namespace: %s}
spec:
  template:
    spec:
      source:
        registry:
          url: "docker://%s"
          pullMethod: %s
%s      storage:
        resources: {requests: {storage: %s}}
        storageClassName: %s
%s  schedule: "0 0 1 1 *"
  managedDataSource: %s
`, m.name, m.namespace, m.url, or(m.pullMethod, "pod"), registry.String(), or(m.storage, "2Gi"),
		or(m.storageClass, storageClass), storage.String(), m.name)
}

// cloneManifest describes a DataVolume that is cloned from a DataSource. Without a size the
// source's is taken.
func cloneManifest(namespace, name, sourceNamespace, source, class, mode string) string {
	return fmt.Sprintf(`
apiVersion: cdi.kubevirt.io/v1beta1
kind: DataVolume
metadata: {name: %s, namespace: %s}
spec:
  sourceRef: {kind: DataSource, namespace: %s, name: %s}
  storage:
    storageClassName: %s
    volumeMode: %s
    resources: {requests: {storage: 2Gi}}
`, name, namespace, sourceNamespace, source, class, mode)
}

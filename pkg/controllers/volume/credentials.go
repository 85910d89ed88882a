// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	importerv1 "goldenimage.dev/pkg/apis/importer/v1"
	"goldenimage.dev/pkg/controllers/access"
)

// addPullSecrets mounts the Secrets of a ServiceAccount side by side, by their order. Some may
// not exist, or hold something else.
func addPullSecrets(pod *corev1.Pod, names []string) {
	if len(names) == 0 {
		return
	}
	projected := &corev1.ProjectedVolumeSource{DefaultMode: ptr.To[int32](0o440)}
	for i, name := range names {
		secret := &corev1.SecretProjection{LocalObjectReference: corev1.LocalObjectReference{Name: name}, Optional: new(true)}
		for _, key := range []string{corev1.DockerConfigJsonKey, corev1.DockerConfigKey} {
			secret.Items = append(secret.Items, corev1.KeyToPath{Key: key, Path: strconv.Itoa(i) + key})
		}
		projected.Sources = append(projected.Sources, corev1.VolumeProjection{Secret: secret})
	}
	mount(pod, corev1.Volume{Name: volumeCredentials, VolumeSource: corev1.VolumeSource{Projected: projected}},
		corev1.VolumeMount{MountPath: importerv1.CredentialsDir, ReadOnly: true})
}

// addAccount gives the kubelet the Secrets of a ServiceAccount. The cluster does so by itself, but
// not for a Pod that names any.
func addAccount(pod *corev1.Pod, names []string) {
	if len(pod.Spec.ImagePullSecrets) == 0 {
		return
	}
	for _, name := range names {
		pod.Spec.ImagePullSecrets = append(pod.Spec.ImagePullSecrets, corev1.LocalObjectReference{Name: name})
	}
}

// addProxy tells the worker of a proxy, in a file beside the Request. Nothing in it is secret.
func addProxy(pod *corev1.Pod, proxy access.Proxy) error {
	document := importerv1.Proxy{
		HTTP: proxy.HTTP, HTTPS: proxy.HTTPS, No: proxy.No, Certificates: string(bytes.Join(proxy.CertificatesPEM, []byte("\n"))),
	}
	if document == (importerv1.Proxy{}) {
		return nil
	}
	content, err := json.Marshal(document)
	if err != nil {
		return fmt.Errorf("encode proxy: %w", err)
	}
	pod.Annotations[v1beta1.AnnProxy] = string(content)
	file := path.Base(importerv1.ProxyPath)
	for i := range pod.Spec.Volumes {
		if pod.Spec.Volumes[i].Name == volumeRequest {
			items := &pod.Spec.Volumes[i].DownwardAPI.Items
			*items = append(*items, corev1.DownwardAPIVolumeFile{
				Path: file, FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.annotations['" + v1beta1.AnnProxy + "']"},
			})
		}
	}
	container := &pod.Spec.Containers[0]
	container.VolumeMounts = append(container.VolumeMounts, corev1.VolumeMount{
		Name: volumeRequest, MountPath: importerv1.ProxyPath, SubPath: file, ReadOnly: true,
	})
	return nil
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package nodepull

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"goldenimage.dev/pkg/apis/cdi/reference"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	importerv1 "goldenimage.dev/pkg/apis/importer/v1"
)

const (
	podPrefix      = "poll-"
	labelComponent = "app.kubernetes.io/component"
	componentName  = "resolver"
	// containerName is the container whose image is asked for.
	containerName = "image"
	initName      = "program"

	programVolume = "program"
	programDir    = "/golden-image"
	programPath   = programDir + "/importer"
)

// What a Pod runs as, and with. The program is of 8 MB and needs next to nothing.
const (
	podUser      = 107
	podCPU       = "10m"
	podLeast     = "16Mi"
	podMemory    = "64Mi"
	podProgram   = "64Mi"
	podGrace     = 1
	maxLabel     = 63
	extraTime    = 30 * time.Second
	longestTime  = time.Hour
	standardTime = 10 * time.Minute
)

// podName is the same for all polls of a DataImportCron, so that what an earlier process left
// behind is found.
func podName(t Target) string { return podPrefix + t.UID }

// render returns the Pod that is asked for an image. left is how long somebody waits for it.
func (c Config) render(t Target, ref reference.Reference, architecture string, pullSecrets []string, left time.Duration) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: podName(t), Namespace: t.Namespace,
			Labels: map[string]string{v1beta1.LabelApp: v1beta1.LabelAppValue, labelComponent: componentName},
			// Should this process end before it can delete the Pod, and the DataImportCron be
			// deleted before the next poll.
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: v1beta1.SchemeGroupVersion.String(), Kind: "DataImportCron", Name: t.Name, UID: types.UID(t.UID),
			}},
		},
		Spec: corev1.PodSpec{
			RestartPolicy:                 corev1.RestartPolicyNever,
			ActiveDeadlineSeconds:         new(int64((left + extraTime) / time.Second)),
			TerminationGracePeriodSeconds: new(int64(podGrace)),
			AutomountServiceAccountToken:  new(false),
			EnableServiceLinks:            new(false),
			ServiceAccountName:            t.ServiceAccount,
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot: new(true), RunAsUser: new(int64(podUser)), RunAsGroup: new(int64(podUser)),
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			InitContainers: []corev1.Container{container(initName, c.Image, corev1.PullPolicy(c.PullPolicy), false)},
			Containers:     []corev1.Container{container(containerName, ref.String(), corev1.PullAlways, true)},
			Volumes: []corev1.Volume{{Name: programVolume, VolumeSource: corev1.VolumeSource{
				EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: new(resource.MustParse(podProgram))},
			}}},
		},
	}
	pod.Spec.InitContainers[0].Args = []string{importerv1.CommandCopy, programPath}
	// Not the image's own command: nothing of it is run.
	pod.Spec.Containers[0].Command = []string{programPath, importerv1.CommandExit}
	if len(t.Name) <= maxLabel {
		pod.Labels[v1beta1.LabelDataImportCron] = t.Name
	}
	if architecture != "" {
		pod.Spec.NodeSelector = map[string]string{corev1.LabelArchStable: architecture}
	}
	for _, name := range pullSecrets {
		pod.Spec.ImagePullSecrets = append(pod.Spec.ImagePullSecrets, corev1.LocalObjectReference{Name: name})
	}
	return pod
}

func container(name, image string, policy corev1.PullPolicy, readOnly bool) corev1.Container {
	return corev1.Container{
		Name: name, Image: image, ImagePullPolicy: policy,
		TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
		Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(podCPU), corev1.ResourceMemory: resource.MustParse(podLeast)},
			Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(podMemory)},
		},
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true), RunAsNonRoot: new(true),
			Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		},
		VolumeMounts: []corev1.VolumeMount{{Name: programVolume, MountPath: programDir, ReadOnly: readOnly}},
	}
}

// made tells whether a Pod is one of ours for a DataImportCron.
func made(pod *corev1.Pod, t Target) bool {
	if pod.Labels[v1beta1.LabelApp] != v1beta1.LabelAppValue || pod.Labels[labelComponent] != componentName {
		return false
	}
	for _, owner := range pod.OwnerReferences {
		if string(owner.UID) == t.UID && strings.HasPrefix(owner.APIVersion, v1beta1.GroupName+separator) {
			return true
		}
	}
	return false
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"fmt"
	"path"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	importerv1 "goldenimage.dev/pkg/apis/importer/v1"
	"goldenimage.dev/pkg/controllers/access"
)

// What a worker runs as, and with. The user is KubeVirt's qemu, which opens the disk later.
const (
	workerUser   = 107
	workerCPU    = "100m"
	workerLeast  = "64Mi"
	workerMemory = "600Mi"
	workerTemp   = "64Mi"
	// workerGrace in seconds is enough to leave a Result; what was written is thrown away.
	workerGrace = 5
)

// Volumes of a worker's pod.
const (
	volumeTarget       = "target"
	volumeSource       = "source"
	volumeImage        = "image"
	volumeRequest      = "request"
	volumeCredentials  = "credentials"
	volumeCertificates = "certificates"
	volumeTemp         = "tmp"
	// volumeHeaders is followed by a number.
	volumeHeaders = "headers-"
)

// WorkerOptions are what the pods of all workers have in common.
type WorkerOptions struct {
	// Image that holds the worker's program. Required.
	Image string
	// PullPolicy of Image; "" means the cluster's default.
	PullPolicy corev1.PullPolicy
	// PullSecrets are names of Secrets in the pods' namespaces.
	PullSecrets []string
	// HostAliases are added to the pods' hosts files, for clusters whose name service does not
	// know a registry.
	HostAliases []corev1.HostAlias
}

// renderWorker returns the pod that fills a claim.
func renderWorker(in *input, options WorkerOptions) (*corev1.Pod, error) {
	document, err := request(in)
	if err != nil {
		return nil, err
	}
	dv, fill := in.volume, in.fill()
	if fill.Namespace != in.home {
		return nil, fmt.Errorf("claim %s is not in namespace %s, where its worker would be", keyOf(fill), in.home)
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: workerName(dv), Namespace: in.home,
			Labels: map[string]string{
				v1beta1.LabelApp:           v1beta1.LabelAppValue,
				v1beta1.LabelDataVolumeUID: string(dv.UID),
				labelComponent:             componentName,
			},
			Annotations: map[string]string{
				v1beta1.AnnRequest: document,
				annVolume:          keyOf(dv).String(),
				annClaimUID:        string(fill.UID),
				annRestarts:        strconv.Itoa(int(restartsBefore(dv))),
			},
		},
		Spec: workerSpec(dv, options, in.home),
	}
	if in.home == dv.Namespace {
		pod.OwnerReferences = []metav1.OwnerReference{ownerReference(dv)}
		pod.Spec.ServiceAccountName = dv.Spec.ServiceAccountName
	}
	addDownward(pod)
	addClaim(pod, volumeTarget, fill, importerv1.TargetDir, importerv1.TargetDevice, false)
	if in.kind == cloneClaim {
		addClaim(pod, volumeSource, in.source, importerv1.SourceDir, importerv1.SourceDevice, true)
	} else if err := addImage(pod, in.image); err != nil {
		return nil, err
	}
	if in.target != nil {
		addNode(pod, in.target.Annotations[annSelectedNode])
	}
	return pod, nil
}

func workerSpec(dv *v1beta1.DataVolume, options WorkerOptions, home string) corev1.PodSpec {
	priority := dv.Spec.PriorityClassName
	if home != dv.Namespace {
		priority = "" // a class is not for use in namespaces where its user has no say
	}
	spec := corev1.PodSpec{
		RestartPolicy:                 corev1.RestartPolicyOnFailure,
		TerminationGracePeriodSeconds: ptr.To[int64](workerGrace),
		AutomountServiceAccountToken:  new(false),
		EnableServiceLinks:            new(false),
		PriorityClassName:             priority,
		HostAliases:                   options.HostAliases,
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot: new(true), RunAsUser: ptr.To[int64](workerUser), RunAsGroup: ptr.To[int64](workerUser),
			FSGroup: ptr.To[int64](workerUser), FSGroupChangePolicy: ptr.To(corev1.FSGroupChangeOnRootMismatch),
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		Containers: []corev1.Container{{
			Name: containerName, Image: options.Image, ImagePullPolicy: options.PullPolicy,
			TerminationMessagePath: importerv1.TerminationMessagePath,
			Resources: corev1.ResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(workerCPU), corev1.ResourceMemory: resource.MustParse(workerLeast)},
				Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(workerMemory)},
			},
			SecurityContext: &corev1.SecurityContext{
				AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true), RunAsNonRoot: new(true),
				Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			},
		}},
	}
	for _, name := range options.PullSecrets {
		spec.ImagePullSecrets = append(spec.ImagePullSecrets, corev1.LocalObjectReference{Name: name})
	}
	return spec
}

func mount(pod *corev1.Pod, volume corev1.Volume, at corev1.VolumeMount) {
	at.Name = volume.Name
	pod.Spec.Volumes = append(pod.Spec.Volumes, volume)
	pod.Spec.Containers[0].VolumeMounts = append(pod.Spec.Containers[0].VolumeMounts, at)
}

// addDownward mounts the request, and a place for small temporary files. The request is mounted
// as one file: a folder would be in the way of those below it.
func addDownward(pod *corev1.Pod) {
	file := path.Base(importerv1.RequestPath)
	mount(pod, corev1.Volume{Name: volumeRequest, VolumeSource: corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{
		Items: []corev1.DownwardAPIVolumeFile{{
			Path: file, FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.annotations['" + v1beta1.AnnRequest + "']"},
		}},
	}}}, corev1.VolumeMount{MountPath: importerv1.RequestPath, SubPath: file, ReadOnly: true})
	mount(pod, corev1.Volume{Name: volumeTemp, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{
		SizeLimit: new(resource.MustParse(workerTemp)),
	}}}, corev1.VolumeMount{MountPath: "/tmp"})
}

func addClaim(pod *corev1.Pod, name string, claim *corev1.PersistentVolumeClaim, dir, device string, readOnly bool) {
	volume := corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{
		ClaimName: claim.Name, ReadOnly: readOnly,
	}}}
	if !isBlock(claim) {
		mount(pod, volume, corev1.VolumeMount{MountPath: dir, ReadOnly: readOnly})
		return
	}
	pod.Spec.Volumes = append(pod.Spec.Volumes, volume)
	container := &pod.Spec.Containers[0]
	container.VolumeDevices = append(container.VolumeDevices, corev1.VolumeDevice{Name: name, DevicePath: device})
}

// addImage gives the worker what it reads an image with, or the image itself. Keys and objects
// that vanish meanwhile do not keep the pod from starting: the worker says what it lacks.
func addImage(pod *corev1.Pod, source *image) error {
	if source.node {
		policy := corev1.PullIfNotPresent
		if source.ref.Digest() == "" {
			policy = corev1.PullAlways
		}
		mount(pod, corev1.Volume{Name: volumeImage, VolumeSource: corev1.VolumeSource{Image: &corev1.ImageVolumeSource{
			Reference: source.ref.String(), PullPolicy: policy,
		}}}, corev1.VolumeMount{MountPath: importerv1.ImageDir, ReadOnly: true})
		if source.architecture != "" {
			pod.Spec.NodeSelector = map[string]string{corev1.LabelArchStable: source.architecture}
		}
		if source.pullSecret != "" {
			pod.Spec.ImagePullSecrets = append(pod.Spec.ImagePullSecrets, corev1.LocalObjectReference{Name: source.pullSecret})
		}
		addAccount(pod, source.pullSecrets)
		return nil
	}
	addCredentials(pod, source)
	return addProxy(pod, source.proxy)
}

// addCredentials mounts what the worker reads a source with.
func addCredentials(pod *corev1.Pod, source *image) {
	if source.secret != "" {
		secret := &corev1.SecretVolumeSource{SecretName: source.secret, Optional: new(true), DefaultMode: ptr.To[int32](0o440)}
		for _, key := range []string{access.KeyUser, access.KeyPassword, corev1.DockerConfigJsonKey} {
			secret.Items = append(secret.Items, corev1.KeyToPath{Key: key, Path: key})
		}
		mount(pod, corev1.Volume{Name: volumeCredentials, VolumeSource: corev1.VolumeSource{Secret: secret}},
			corev1.VolumeMount{MountPath: importerv1.CredentialsDir, ReadOnly: true})
	}
	if source.secret == "" {
		addPullSecrets(pod, source.pullSecrets)
	}
	if source.configMap != "" {
		config := &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: source.configMap}, Optional: new(true)}
		mount(pod, corev1.Volume{Name: volumeCertificates, VolumeSource: corev1.VolumeSource{ConfigMap: config}},
			corev1.VolumeMount{MountPath: importerv1.CertificatesDir, ReadOnly: true})
	}
	if source.file != nil {
		addHeaders(pod, source.file.headerSecrets)
	}
}

// addHeaders mounts Secrets of which each key holds a header. What their keys are called is not
// known, so each has a folder of its own.
func addHeaders(pod *corev1.Pod, secrets []string) {
	for i, name := range secrets {
		at := strconv.Itoa(i)
		mount(pod, corev1.Volume{Name: volumeHeaders + at, VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
			SecretName: name, Optional: new(true), DefaultMode: ptr.To[int32](0o440),
		}}}, corev1.VolumeMount{MountPath: path.Join(importerv1.HeadersDir, at), ReadOnly: true})
	}
}

// addNode keeps the worker on the node that the claim's first consumer was scheduled to, so that
// the volume is made where that can use it. A node's name and its host name label may differ.
func addNode(pod *corev1.Pod, node string) {
	if node == "" {
		return
	}
	pod.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
			MatchFields: []corev1.NodeSelectorRequirement{{Key: metav1.ObjectNameField, Operator: corev1.NodeSelectorOpIn, Values: []string{node}}},
		}}},
	}}
}

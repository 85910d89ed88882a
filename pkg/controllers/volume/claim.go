// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// ownership tells whose the claim is that has the DataVolume's name.
type ownership int

const (
	noClaim ownership = iota
	ownedByVolume
	// adoptable: somebody else filled it, and it may be taken as it is.
	adoptable
	foreign
)

func ownershipOf(claim *corev1.PersistentVolumeClaim, dv *v1beta1.DataVolume) ownership {
	owner := (*metav1.OwnerReference)(nil)
	if claim != nil {
		owner = metav1.GetControllerOf(claim)
	}
	switch {
	case claim == nil:
		return noClaim
	case owner != nil && owner.UID == dv.UID:
		return ownedByVolume
	case owner != nil:
		return foreign
	case claim.Annotations[annPopulatedFor] == dv.Name, claim.Annotations[annAllowAdoption] == yes:
		return adoptable
	}
	return foreign
}

func ownerReference(dv *v1beta1.DataVolume) metav1.OwnerReference {
	return *metav1.NewControllerRef(dv, v1beta1.SchemeGroupVersion.WithKind("DataVolume"))
}

// claimSpec returns the claim that a user asked for, complete.
func claimSpec(in *input, overhead float64) corev1.PersistentVolumeClaimSpec {
	dv := in.volume
	spec := corev1.PersistentVolumeClaimSpec{}
	switch {
	case dv.Spec.PVC != nil:
		spec = *dv.Spec.PVC.DeepCopy()
	case dv.Spec.Storage != nil:
		storage := dv.Spec.Storage.DeepCopy()
		spec.AccessModes, spec.Selector, spec.Resources = storage.AccessModes, storage.Selector, storage.Resources
		spec.VolumeName, spec.VolumeMode, spec.StorageClassName = storage.VolumeName, storage.VolumeMode, storage.StorageClassName
	}
	if in.class != nil {
		spec.StorageClassName = new(in.class.Name)
	}
	modes, mode := claimProperties(in.class)
	if len(spec.AccessModes) == 0 {
		spec.AccessModes = modes
	}
	if spec.VolumeMode == nil {
		spec.VolumeMode = new(mode)
	}
	// What the volume holds comes from this controller alone.
	spec.DataSource, spec.DataSourceRef = nil, nil
	if spec.Resources.Requests == nil {
		spec.Resources.Requests = corev1.ResourceList{}
	}
	spec.Resources.Requests[corev1.ResourceStorage] = *resource.NewQuantity(claimSize(in, *spec.VolumeMode, overhead), resource.BinarySI)
	return spec
}

// renderTarget returns the claim of a DataVolume, made before its volume is filled.
func renderTarget(in *input, overhead float64) *corev1.PersistentVolumeClaim {
	claim := targetMeta(in)
	claim.Spec = claimSpec(in, overhead)
	if in.method.name == v1beta1.MethodHandOver {
		claim.Spec.VolumeName = ""
		claim.Spec.DataSourceRef = &corev1.TypedObjectReference{
			APIGroup: ptr.To(v1beta1.GroupName), Kind: "DataVolume", Name: in.volume.Name,
		}
	}
	return claim
}

// renderTargetFor returns the claim of a DataVolume whose volume is complete already.
func renderTargetFor(in *input, filled *corev1.PersistentVolume) *corev1.PersistentVolumeClaim {
	claim := targetMeta(in)
	claim.Annotations[v1beta1.AnnPopulationMethod] = v1beta1.MethodHandOver
	claim.Spec = *in.prime.Spec.DeepCopy()
	claim.Spec.VolumeName = filled.Name
	claim.Spec.DataSource, claim.Spec.DataSourceRef, claim.Spec.Selector = nil, nil, nil
	return claim
}

func targetMeta(in *input) *corev1.PersistentVolumeClaim {
	dv := in.volume
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{
		Name: dv.Name, Namespace: dv.Namespace,
		Labels: map[string]string{}, Annotations: map[string]string{},
		OwnerReferences: []metav1.OwnerReference{ownerReference(dv)},
	}}
	if in.source != nil {
		maps.Copy(claim.Labels, imageLabels(in.source.Labels))
	}
	maps.Copy(claim.Labels, dv.Labels)
	delete(claim.Labels, v1beta1.LabelDataVolumeUID)
	for key, value := range dv.Annotations {
		if goesToClaim(key) {
			claim.Annotations[key] = value
		}
	}
	if in.image != nil && in.image.digest() != "" {
		claim.Annotations[v1beta1.AnnSourceDigest] = in.image.digest()
	}
	claim.Annotations[v1beta1.AnnPopulationMethod] = in.method.name
	return claim
}

// goesToClaim tells whether a DataVolume's annotation is copied to its claim. Those by which a
// claim's state is told are not: on a DataVolume anybody may write them.
func goesToClaim(key string) bool {
	switch key {
	case "kubectl.kubernetes.io/last-applied-configuration",
		v1beta1.AnnPopulated, v1beta1.AnnPopulationMethod, v1beta1.AnnVirtualSize,
		v1beta1.AnnCloneSource, v1beta1.AnnCloneSourceUID, v1beta1.AnnCloneRequester, v1beta1.AnnRequest,
		annPopulatedFor, annAllowAdoption, annVolume, annVolumeUID, annReclaimPolicy, annClaimUID:
		return false
	}
	group, _, _ := strings.Cut(key, "/")
	return group != "pv.kubernetes.io" && group != "volume.kubernetes.io" && group != "volume.beta.kubernetes.io"
}

// instanceType is the prefix of the labels that a source may give to a volume. Others could make
// it belong to somebody else.
const instanceType = "instancetype.kubevirt.io/"

func imageLabels(labels map[string]string) map[string]string {
	return maps.Collect(func(yield func(string, string) bool) {
		for key, value := range labels {
			if strings.HasPrefix(key, instanceType) && validLabel(key, value) && !yield(key, value) {
				return
			}
		}
	})
}

// renderPrime returns the claim that is filled for a hand-over. Its labels are not the
// DataVolume's, or it would be taken for an import.
func renderPrime(in *input, overhead float64) *corev1.PersistentVolumeClaim {
	dv := in.volume
	prime := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{
		Name: primeName(dv), Namespace: in.home,
		Labels: map[string]string{
			v1beta1.LabelApp:           v1beta1.LabelAppValue,
			v1beta1.LabelDataVolumeUID: string(dv.UID),
		},
		Annotations: map[string]string{
			annVolume:                   keyOf(dv).String(),
			v1beta1.AnnPopulationMethod: v1beta1.MethodHandOver,
		},
	}}
	if in.home == dv.Namespace {
		prime.OwnerReferences = []metav1.OwnerReference{ownerReference(dv)}
	}
	if in.target != nil {
		prime.Spec = *in.target.Spec.DeepCopy()
		prime.Spec.DataSource, prime.Spec.DataSourceRef, prime.Spec.VolumeName = nil, nil, ""
	} else {
		prime.Spec = claimSpec(in, overhead)
	}
	return prime
}

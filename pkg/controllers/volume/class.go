// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// maxListed is how many storage classes a message names.
const maxListed = 10

// class returns the storage class of a DataVolume, nil if its claim shall have none.
func (c *Controller) class(dv *v1beta1.DataVolume) (*storagev1.StorageClass, error) {
	name := requestedClass(dv)
	if name != nil && *name == "" {
		return nil, nil //nolint:nilnil // no class is what was asked for
	}
	all, err := c.classes.List(labels.Everything())
	if err != nil {
		return nil, fmt.Errorf("list storage classes: %w", err)
	}
	if name == nil {
		return defaultClass(all, dv.Spec.Storage != nil)
	}
	for _, class := range all {
		if class.Name == *name {
			return class, nil
		}
	}
	p := problemf(reasonStorageClassNotFound, "StorageClass %s does not exist: create it, or %s", *name, choices(all))
	p.unbound = true
	return nil, p
}

// classOf returns the storage class of a claim that exists, nil if it has none or it is gone.
func (c *Controller) classOf(claim *corev1.PersistentVolumeClaim) (*storagev1.StorageClass, error) {
	if claim.Spec.StorageClassName == nil || *claim.Spec.StorageClassName == "" {
		return nil, nil //nolint:nilnil // no class is a state of a claim
	}
	class, err := c.classes.Get(*claim.Spec.StorageClassName)
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // what is left of it is in the claim
	}
	if err != nil {
		return nil, fmt.Errorf("get storage class %s: %w", *claim.Spec.StorageClassName, err)
	}
	return class, nil
}

func requestedClass(dv *v1beta1.DataVolume) *string {
	switch {
	case dv.Spec.PVC != nil:
		return dv.Spec.PVC.StorageClassName
	case dv.Spec.Storage != nil:
		return dv.Spec.Storage.StorageClassName
	}
	return nil
}

// defaultClass returns the default for virtual machines, if that counts, or the cluster's. Of
// several the newest is meant, as in Kubernetes.
func defaultClass(all []*storagev1.StorageClass, virt bool) (*storagev1.StorageClass, error) {
	marks := []string{annDefaultClass}
	if virt {
		marks = []string{annDefaultVirtClass, annDefaultClass}
	}
	for _, mark := range marks {
		var marked []*storagev1.StorageClass
		for _, class := range all {
			if class.Annotations[mark] == yes {
				marked = append(marked, class)
			}
		}
		if len(marked) > 0 {
			return slices.MinFunc(marked, func(a, b *storagev1.StorageClass) int {
				return cmp.Or(b.CreationTimestamp.Compare(a.CreationTimestamp.Time), strings.Compare(a.Name, b.Name))
			}), nil
		}
	}
	p := problemf(reasonNoDefaultClass, "The cluster has no default StorageClass: annotate one with %s=true, or set storageClassName and %s", annDefaultClass, choices(all))
	p.unbound = true
	return nil, p
}

// choices ends a sentence with the storage classes that exist.
func choices(all []*storagev1.StorageClass) string {
	names := make([]string, 0, len(all))
	for _, class := range all {
		names = append(names, class.Name)
	}
	if len(names) == 0 {
		return "ask an administrator for one: the cluster has none"
	}
	slices.Sort(names)
	more := ""
	if len(names) > maxListed {
		names, more = names[:maxListed], ", …"
	}
	return "use one of: " + strings.Join(names, ", ") + more
}

// claimProperties returns what a claim of a class gets that leaves them out.
func claimProperties(_ *storagev1.StorageClass) ([]corev1.PersistentVolumeAccessMode, corev1.PersistentVolumeMode) {
	return []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, corev1.PersistentVolumeFilesystem
}

// waitsForConsumer tells whether a class binds claims when a pod uses them.
func waitsForConsumer(class *storagev1.StorageClass) bool {
	return class != nil && class.VolumeBindingMode != nil && *class.VolumeBindingMode == storagev1.VolumeBindingWaitForFirstConsumer
}

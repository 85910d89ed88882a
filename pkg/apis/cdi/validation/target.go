// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"goldenimage.dev/pkg/apis/cdi"
)

const (
	// minSize and maxSize bound a volume, in bytes. The upper one leaves room to add the
	// overhead of a file system.
	minSize = 1 << 20
	maxSize = 1 << 62

	titlePVC     = "PVC"
	giveSize     = "give one such as 10Gi"
	badClassName = "name of the StorageClass is not valid"

	// fromStorageProfile as a claim's volume mode asks for it to be chosen at admission.
	fromStorageProfile = "FromStorageProfile"
)

// A claim is what pvc and storage have in common.
type claim struct {
	// title is how messages call it.
	title string
	path  *field.Path

	modes         []corev1.PersistentVolumeAccessMode
	resources     corev1.VolumeResourceRequirements
	class         *string
	volumeName    string
	volumeMode    *corev1.PersistentVolumeMode
	selector      *metav1.LabelSelector
	dataSource    *corev1.TypedLocalObjectReference
	dataSourceRef *corev1.TypedObjectReference
}

// validateTarget checks the volume that is asked for.
func validateTarget(spec *cdi.DataVolumeSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if spec.PVC == nil && spec.Storage == nil {
		errs = append(errs, field.Required(path.Child("storage"), "Missing Data volume PVC: give storage, or pvc"))
	}
	if spec.PVC != nil && spec.Storage != nil {
		errs = append(errs, field.Forbidden(path.Child("pvc"),
			"Duplicate storage definition, both target storage and target pvc defined: leave out pvc or storage"))
	}
	for _, c := range claimsOf(spec, path) {
		isPVC := c.title == titlePVC
		if isPVC {
			errs = append(errs, validateSingleMode(&c)...)
		}
		errs = append(errs, validateClaim(&c, spec, !isPVC && isClone(spec))...)
	}
	return errs
}

// claimsOf returns the claims that are asked for: one, unless something is wrong.
func claimsOf(spec *cdi.DataVolumeSpec, path *field.Path) []claim {
	var claims []claim
	if p := spec.PVC; p != nil {
		claims = append(claims, claim{
			title: titlePVC, path: path.Child("pvc"), modes: p.AccessModes, resources: p.Resources, class: p.StorageClassName, volumeName: p.VolumeName,
			volumeMode: p.VolumeMode, selector: p.Selector, dataSource: p.DataSource, dataSourceRef: p.DataSourceRef,
		})
	}
	if s := spec.Storage; s != nil {
		claims = append(claims, claim{
			title: "Storage", path: path.Child("storage"), modes: s.AccessModes, resources: s.Resources, class: s.StorageClassName, volumeName: s.VolumeName,
			volumeMode: s.VolumeMode, selector: s.Selector, dataSource: s.DataSource, dataSourceRef: s.DataSourceRef,
		})
	}
	return claims
}

// isClone tells whether a volume has a source whose size is known without reading it.
func isClone(spec *cdi.DataVolumeSpec) bool {
	return spec.SourceRef != nil || spec.Source != nil && (spec.Source.PVC != nil || spec.Source.Snapshot != nil)
}

// validateClaim checks a claim; sizeless tells that its size may be left out.
func validateClaim(c *claim, spec *cdi.DataVolumeSpec, sizeless bool) field.ErrorList {
	errs := validateSize(c, sizeless)
	errs = append(errs, validateModes(c)...)
	errs = append(errs, validateClass(c)...)
	errs = append(errs, optionalName(c.volumeName, c.path.Child("volumeName"), "name of the PersistentVolume is not valid")...)
	if c.selector != nil {
		errs = append(errs, metav1validation.ValidateLabelSelector(c.selector, metav1validation.LabelSelectorValidationOptions{}, c.path.Child("selector"))...)
	}
	return append(errs, validateNotExternal(c, spec)...)
}

func validateSize(c *claim, sizeless bool) field.ErrorList {
	path := c.path.Child("resources")
	size, given := c.resources.Requests[corev1.ResourceStorage]
	if !given && !sizeless {
		return append(field.ErrorList{field.Required(path.Child("requests", "storage"), c.title+" size is missing: "+giveSize)},
			validateLimit(c, size, path.Child("limits", "storage"))...)
	}
	var errs field.ErrorList
	invalid := func(message string) {
		errs = append(errs, field.Invalid(path.Child("requests", "storage"), size.String(), c.title+" size "+message))
	}
	switch {
	case !given:
	case size.Sign() <= 0:
		invalid("can't be equal or less than zero: " + giveSize)
	case !isAbsurd(size) && size.CmpInt64(minSize) < 0:
		invalid("should be at least 1MiB: " + giveSize)
	case isAbsurd(size), size.CmpInt64(maxSize) > 0:
		invalid("is larger than any volume: at most 4Ei is accepted")
	}
	return append(errs, validateLimit(c, size, path.Child("limits", "storage"))...)
}

// validateLimit checks how large a volume may get; size is 0 if none is asked for.
func validateLimit(c *claim, size resource.Quantity, path *field.Path) field.ErrorList {
	limit, given := c.resources.Limits[corev1.ResourceStorage]
	switch {
	case !given:
		return nil
	case limit.Sign() <= 0:
		return field.ErrorList{field.Invalid(path, limit.String(), "the limit can't be equal or less than zero: leave it out")}
	case !isAbsurd(limit) && !isAbsurd(size) && limit.Cmp(size) < 0:
		return field.ErrorList{field.Invalid(path, limit.String(), "the limit is below the requested size: leave it out")}
	case isAbsurd(limit), limit.CmpInt64(maxSize) > 0:
		return field.ErrorList{field.Invalid(path, limit.String(), "the limit is larger than any volume: leave it out")}
	}
	return nil
}

// validateSingleMode checks what pvc asks for beyond storage: exactly one access mode.
func validateSingleMode(c *claim) field.ErrorList {
	path := c.path.Child("accessModes")
	switch {
	case len(c.modes) == 0:
		return field.ErrorList{field.Required(path, "at least 1 access mode is required; storage in place of pvc takes the storage class's")}
	case len(c.modes) > 1:
		return field.ErrorList{field.Invalid(path, join(c.modes), "PVC multiple accessModes: give one")}
	}
	return nil
}

func validateModes(c *claim) field.ErrorList {
	errs := validateAccessModes(c.modes, c.path.Child("accessModes"))
	return append(errs, validateVolumeMode(c.volumeMode, c.path.Child("volumeMode"))...)
}

func validateAccessModes(modes []corev1.PersistentVolumeAccessMode, path *field.Path) field.ErrorList {
	accepted := []corev1.PersistentVolumeAccessMode{
		corev1.ReadOnlyMany, corev1.ReadWriteMany, corev1.ReadWriteOnce, corev1.ReadWriteOncePod,
	}
	var errs field.ErrorList
	for i, mode := range modes {
		if !slices.Contains(accepted, mode) {
			errs = append(errs, field.NotSupported(path.Index(i), corev1.PersistentVolumeAccessMode(shorten(string(mode))), accepted))
		}
	}
	if len(modes) > 1 && slices.Contains(modes, corev1.ReadWriteOncePod) {
		errs = append(errs, field.Forbidden(path, "ReadWriteOncePod cannot be combined with other access modes"))
	}
	return errs
}

func validateVolumeMode(mode *corev1.PersistentVolumeMode, path *field.Path) field.ErrorList {
	switch {
	case mode == nil, *mode == corev1.PersistentVolumeFilesystem, *mode == corev1.PersistentVolumeBlock:
		return nil
	case *mode == fromStorageProfile:
		return field.ErrorList{notSupported(path, fromStorageProfile,
			"it is for claims that are completed at admission: leave it out: storage without it takes the storage class's, pvc without it is a Filesystem")}
	}
	return field.ErrorList{field.NotSupported(path, corev1.PersistentVolumeMode(shorten(string(*mode))),
		[]corev1.PersistentVolumeMode{corev1.PersistentVolumeFilesystem, corev1.PersistentVolumeBlock})}
}

func validateClass(c *claim) field.ErrorList {
	// An empty name is legal: it asks for a volume without a class.
	if c.class == nil || *c.class == "" {
		return nil
	}
	path := c.path.Child("storageClassName")
	if len(*c.class) > validation.DNS1123SubdomainMaxLength {
		return field.ErrorList{field.Invalid(path, shorten(*c.class), tooLong(validation.DNS1123SubdomainMaxLength))}
	}
	return requiredName(*c.class, path, badClassName)
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"goldenimage.dev/pkg/apis/cdi"
)

const immutableUpload = "Cannot update VolumeUploadSource Spec: field is immutable: create another VolumeUploadSource"

// ValidateVolumeUploadSource returns what forbids to create a VolumeUploadSource.
func ValidateVolumeUploadSource(source *cdi.VolumeUploadSource) field.ErrorList {
	errs := apivalidation.ValidateObjectMeta(&source.ObjectMeta, true, objectName(populatorNameLength), field.NewPath("metadata"))
	if fault := contentFault(source.Spec.ContentType, false, false); fault != "" {
		errs = append(errs, notSupported(field.NewPath("spec", "contentType"), string(source.Spec.ContentType), fault))
	}
	return errs
}

// ValidateVolumeUploadSourceUpdate returns what forbids to replace a VolumeUploadSource's
// spec, of which nothing can be changed.
func ValidateVolumeUploadSourceUpdate(updated, old *cdi.VolumeUploadSource) field.ErrorList {
	return unchanged(field.NewPath("spec"), immutableUpload,
		part{"contentType", updated.Spec.ContentType, old.Spec.ContentType},
		part{"preallocation", updated.Spec.Preallocation, old.Spec.Preallocation},
	)
}

// WarningsForVolumeUploadSource returns what is legal but odd in a VolumeUploadSource that is
// valid.
func WarningsForVolumeUploadSource(*cdi.VolumeUploadSource) []string {
	return []string{"this server stores VolumeUploadSources and serves no uploads: let a DataVolume import the disk from a registry"}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"goldenimage.dev/pkg/apis/cdi"
)

// What apimachinery says of names.
const (
	badName          = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
	badLabel         = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
	badQualifiedName = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
	badValue         = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)

// A fault is what a test expects of an error.
type fault struct {
	Type   field.ErrorType
	Field  string
	Detail string
}

func required(path, detail string) fault  { return fault{field.ErrorTypeRequired, path, detail} }
func invalid(path, detail string) fault   { return fault{field.ErrorTypeInvalid, path, detail} }
func forbidden(path, detail string) fault { return fault{field.ErrorTypeForbidden, path, detail} }
func unsupported(path, detail string) fault {
	return fault{field.ErrorTypeNotSupported, path, detail}
}

func compare(t *testing.T, want []fault, errs field.ErrorList) {
	t.Helper()
	var got []fault
	for _, err := range errs {
		got = append(got, fault{err.Type, err.Field, err.Detail})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
}

// fedoraCron is the documented example, after defaulting.
func fedoraCron() *cdi.DataImportCron {
	return &cdi.DataImportCron{
		ObjectMeta: metav1.ObjectMeta{Namespace: "golden-images", Name: "fedora-image-import-cron"},
		Spec: cdi.DataImportCronSpec{
			Template: cdi.DataVolume{Spec: cdi.DataVolumeSpec{
				Source: &cdi.DataVolumeSource{Registry: &cdi.DataVolumeSourceRegistry{
					URL:           new("docker://quay.io/kubevirt/fedora-cloud-registry-disk-demo:latest"),
					PullMethod:    new(cdi.RegistryPullNode),
					CertConfigMap: new("some-certs"),
				}},
				Storage: storage("5Gi"),
			}},
			Schedule:          "30 1 * * 1",
			GarbageCollect:    new(cdi.DataImportCronGarbageCollectOutdated),
			ImportsToKeep:     new(int32(3)),
			RetentionPolicy:   new(cdi.DataImportCronRetainAll),
			ManagedDataSource: "fedora",
		},
	}
}

// fedoraRef is the documented example of a clone.
func fedoraRef() *cdi.DataVolume {
	return &cdi.DataVolume{
		ObjectMeta: metav1.ObjectMeta{Namespace: "golden-images", Name: "fedora-ref"},
		Spec: cdi.DataVolumeSpec{
			SourceRef: &cdi.DataVolumeSourceRef{Kind: "DataSource", Name: "fedora"},
			Storage:   storage("5Gi"),
		},
	}
}

// fedoraImport is a DataVolume as a DataImportCron makes it.
func fedoraImport() *cdi.DataVolume {
	return &cdi.DataVolume{
		ObjectMeta: metav1.ObjectMeta{Namespace: "golden-images", Name: "fedora-0123456789ab"},
		Spec: cdi.DataVolumeSpec{
			Source: &cdi.DataVolumeSource{Registry: &cdi.DataVolumeSourceRegistry{
				URL: new("docker://quay.io/kubevirt/fedora@sha256:" + strings.Repeat("0123456789abcdef", 4)),
			}},
			Storage: storage("5Gi"),
		},
	}
}

func storage(size string) *cdi.StorageSpec {
	return &cdi.StorageSpec{
		StorageClassName: new("hostpath-provisioner"),
		Resources:        request(size),
	}
}

func request(size string) corev1.VolumeResourceRequirements {
	return corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)}}
}

// asPVC turns storage into pvc.
func asPVC(spec *cdi.DataVolumeSpec) *corev1.PersistentVolumeClaimSpec {
	spec.PVC = &corev1.PersistentVolumeClaimSpec{
		AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
		Resources:   spec.Storage.Resources,
	}
	spec.Storage = nil
	return spec.PVC
}

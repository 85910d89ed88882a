// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"goldenimage.dev/pkg/apis/cdi"
)

// claimCron polls a claim.
func claimCron(namespace, name string) *cdi.DataImportCron {
	cron := fedoraCron()
	cron.Spec.Template.Spec.Source = &cdi.DataVolumeSource{PVC: &cdi.DataVolumeSourcePVC{Namespace: namespace, Name: name}}
	return cron
}

func TestDataImportCronOfAClaim(t *testing.T) {
	const path = templateField + ".pvc."
	sizeless := claimCron("", "fedora")
	sizeless.Spec.Template.Spec.Storage.Resources = corev1.VolumeResourceRequirements{}
	sized := claimCron("", "fedora")
	asPVC(&sized.Spec.Template.Spec).Resources = corev1.VolumeResourceRequirements{}
	for name, test := range map[string]struct {
		cron *cdi.DataImportCron
		want []fault
	}{
		"a claim is valid":                    {claimCron("golden-images", "fedora"), nil},
		"a claim elsewhere is valid":          {claimCron("elsewhere", "fedora"), nil},
		"no namespace means the own":          {claimCron("", "fedora"), nil},
		"no size means the claim's":           {sizeless, nil},
		"a pvc has to have a size":            {sized, []fault{required("spec.template.spec.pvc.resources.requests.storage", "PVC size is missing: give one such as 10Gi")}},
		"the name is missing":                 {claimCron("elsewhere", ""), []fault{required(path+"name", "source PVC is not valid: give a name")}},
		"name and namespace are missing":      {claimCron("", ""), []fault{required(path+"name", "source PVC is not valid: give a name")}},
		"name and namespace are not accepted": {claimCron("A", "B"), []fault{invalid(path+"name", "source PVC is not valid: "+badName), invalid(path+"namespace", "source PVC is not valid: "+badLabel)}},
	} {
		t.Run(name, func(t *testing.T) { compare(t, test.want, ValidateDataImportCron(test.cron)) })
	}
}

func TestDataImportCronTemplate(t *testing.T) {
	const size = "spec.template.spec.storage.resources"
	registry := func(c *cdi.DataImportCron) *cdi.DataVolumeSourceRegistry { return c.Spec.Template.Spec.Source.Registry }
	for name, test := range map[string]struct {
		change func(*cdi.DataImportCron)
		want   []fault
	}{
		"an archive is no registry": {func(c *cdi.DataImportCron) { registry(c).URL = new("oci-archive:/images/fedora.tar") },
			[]fault{invalid(registryField+".url", "Illegal registry source URL scheme oci-archive:/images/fedora.tar: "+acceptedURL)}},
		"an imageStream is valid": {func(c *cdi.DataImportCron) { registry(c).URL, registry(c).ImageStream = nil, new("fedora:latest") }, nil},
		"the class's name is none": {func(c *cdi.DataImportCron) { c.Spec.Template.Spec.Storage.StorageClassName = new("Fast_SSD") },
			[]fault{invalid("spec.template.spec.storage.storageClassName", "name of the StorageClass is not valid: "+badName)}},
		"the size is negative": {func(c *cdi.DataImportCron) { c.Spec.Template.Spec.Storage.Resources = request("-5Gi") },
			[]fault{invalid(size+".requests.storage", "Storage size can't be equal or less than zero: give one such as 10Gi")}},
		"the limit is below the size": {func(c *cdi.DataImportCron) {
			c.Spec.Template.Spec.Storage.Resources.Limits = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("4Gi")}
		}, []fault{invalid(size+".limits.storage", "the limit is below the requested size: leave it out")}},
		"the volume mode is to be chosen by others": {func(c *cdi.DataImportCron) {
			c.Spec.Template.Spec.Storage.VolumeMode = new(corev1.PersistentVolumeMode("FromStorageProfile"))
		}, []fault{unsupported("spec.template.spec.storage.volumeMode", "it is for claims that are completed at admission: leave it out: storage without it takes the storage class's, pvc without it is a Filesystem")}},
		"a label's key is malformed": {func(c *cdi.DataImportCron) { c.Spec.Template.Labels = map[string]string{"a b": ""} }, []fault{invalid("spec.template.metadata.labels", badQualifiedName)}},
		"annotations are a whole book": {func(c *cdi.DataImportCron) {
			c.Spec.Template.Annotations = map[string]string{"a": strings.Repeat("a", 256*1024)}
		}, []fault{{"FieldValueTooLong", "spec.template.metadata.annotations", "may not be more than 262144 bytes"}}},
		"suspended without a schedule": {func(c *cdi.DataImportCron) { c.Spec.Suspend, c.Spec.Schedule = new(true), "" }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			cron := fedoraCron()
			test.change(cron)
			compare(t, test.want, ValidateDataImportCron(cron))
		})
	}
}

func TestSuspendMayChange(t *testing.T) {
	for _, suspend := range []*bool{nil, new(false), new(true)} {
		for _, before := range []*bool{nil, new(false), new(true)} {
			old, updated := fedoraCron(), fedoraCron()
			old.Spec.Suspend, updated.Spec.Suspend = before, suspend
			compare(t, nil, ValidateDataImportCronUpdate(updated, old))
		}
	}
}

func TestLimitsOfVolumes(t *testing.T) {
	const path = "spec.storage.resources.limits.storage"
	limit := func(size string) func(*cdi.DataVolume) {
		return func(v *cdi.DataVolume) {
			v.Spec.Storage.Resources.Limits = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)}
		}
	}
	runVolumeCases(t, fedoraRef, map[string]volumeCase{
		"the size itself is valid":  {limit("5Gi"), nil},
		"more than it is valid":     {limit("10Gi"), nil},
		"a byte less":               {limit("5368709119"), []fault{invalid(path, "the limit is below the requested size: leave it out")}},
		"nothing":                   {limit("0"), []fault{invalid(path, "the limit can't be equal or less than zero: leave it out")}},
		"less than nothing":         {limit("-1"), []fault{invalid(path, "the limit can't be equal or less than zero: leave it out")}},
		"more than there is":        {limit("1e40"), []fault{invalid(path, "the limit is larger than any volume: leave it out")}},
		"of a clone without a size": {func(v *cdi.DataVolume) { v.Spec.Storage.Resources.Requests = nil; limit("1Gi")(v) }, nil},
		"the largest size is valid": {func(v *cdi.DataVolume) { v.Spec.Storage.Resources = request("4Ei") }, nil},
		"of what has no size": {func(v *cdi.DataVolume) {
			asPVC(&v.Spec).Resources = corev1.VolumeResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("-1")}}
		}, []fault{
			required("spec.pvc.resources.requests.storage", "PVC size is missing: give one such as 10Gi"),
			invalid("spec.pvc.resources.limits.storage", "the limit can't be equal or less than zero: leave it out"),
		}},
	})
}

func TestStagesOfADataVolumeMayGoOn(t *testing.T) {
	staged := func(stages ...string) *cdi.DataVolume {
		volume := fedoraImport()
		volume.Spec.Source = &cdi.DataVolumeSource{VDDK: &cdi.DataVolumeSourceVDDK{}}
		for _, stage := range stages {
			volume.Spec.Checkpoints = append(volume.Spec.Checkpoints, cdi.DataVolumeCheckpoint{Current: stage})
		}
		return volume
	}
	last := staged("a", "b")
	last.Spec.FinalCheckpoint = true
	compare(t, nil, ValidateDataVolumeUpdate(last, staged("a")))
	immutable := func(path string) fault {
		return invalid(path, "Cannot update DataVolume Spec: field is immutable: create another DataVolume")
	}
	last.Spec.Preallocation = new(true)
	compare(t, []fault{immutable("spec.preallocation")}, ValidateDataVolumeUpdate(last, staged("a")))
	compare(t, []fault{immutable("spec.checkpoints")}, ValidateDataVolumeUpdate(staged(), staged("a")))
}

func TestUpdateDoesNotChangeWhatIsStored(t *testing.T) {
	old := fedoraImport()
	old.Spec.Source = &cdi.DataVolumeSource{VDDK: &cdi.DataVolumeSourceVDDK{}}
	updated := old.DeepCopy()
	updated.Spec.Checkpoints = []cdi.DataVolumeCheckpoint{{Current: "a"}}
	compare(t, nil, ValidateDataVolumeUpdate(updated, old))
	if len(old.Spec.Checkpoints) != 0 {
		t.Errorf("the stored object got %v", old.Spec.Checkpoints)
	}
}

// The names of objects are bounded by the registry's own rules, too, where they are made up.
func TestGeneratedNamesAreHeldToTheirLength(t *testing.T) {
	cron := fedoraCron()
	cron.ObjectMeta = metav1.ObjectMeta{Namespace: "a", GenerateName: "fedora-", Name: "fedora-" + strings.Repeat("x", 57)}
	compare(t, []fault{invalid("metadata.name", "Name cannot be longer than 63 characters")}, ValidateDataImportCron(cron))
}

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

const (
	templateField    = "spec.template.spec.source"
	registryField    = templateField + ".registry"
	cronSourcesWords = "give registry with url or imageStream, http, or pvc"
)

func TestValidateDataImportCron(t *testing.T) {
	registry := func(c *cdi.DataImportCron) *cdi.DataVolumeSourceRegistry { return c.Spec.Template.Spec.Source.Registry }
	source := func(c *cdi.DataImportCron) *cdi.DataVolumeSource {
		c.Spec.Template.Spec.Source = &cdi.DataVolumeSource{}
		return c.Spec.Template.Spec.Source
	}
	missing := func(kind string, more ...fault) []fault {
		return append([]fault{forbidden(templateField+"."+kind, "Missing source: a DataImportCron cannot poll "+kind+": "+cronSourcesWords)}, more...)
	}
	noURL := func(kind string) fault {
		return required(templateField+"."+kind+".url", "spec.template.spec.source source URL is empty: give one")
	}
	for name, test := range map[string]struct {
		// change is applied to the documented example.
		change func(*cdi.DataImportCron)
		want   []fault
	}{
		"the documented example is valid": {func(*cdi.DataImportCron) {}, nil},
		"the shortest one is valid": {func(c *cdi.DataImportCron) {
			c.Spec = cdi.DataImportCronSpec{ManagedDataSource: "fedora", Template: cdi.DataVolume{Spec: cdi.DataVolumeSpec{
				Source:  &cdi.DataVolumeSource{Registry: &cdi.DataVolumeSourceRegistry{URL: new("docker://fedora")}},
				Storage: &cdi.StorageSpec{Resources: request("1Mi")},
			}}}
		}, nil},
		"an empty schedule is valid":       {func(c *cdi.DataImportCron) { c.Spec.Schedule = "" }, nil},
		"a descriptor in a zone is valid":  {func(c *cdi.DataImportCron) { c.Spec.Schedule = "CRON_TZ=Europe/Berlin @daily" }, nil},
		"keeping no older import is valid": {func(c *cdi.DataImportCron) { c.Spec.ImportsToKeep = new(int32(0)) }, nil},
		"the other policies are valid": {func(c *cdi.DataImportCron) {
			c.Spec.GarbageCollect = new(cdi.DataImportCronGarbageCollectNever)
			c.Spec.RetentionPolicy = new(cdi.DataImportCronRetainNone)
			c.Spec.ServiceAccountName = new("importer")
		}, nil},
		"the longest names are valid": {func(c *cdi.DataImportCron) {
			c.Name = strings.Repeat("a", 63)
			c.Spec.ManagedDataSource = strings.Repeat("b", 63)
		}, nil},
		"a template with labels and a status is valid": {func(c *cdi.DataImportCron) {
			c.Spec.Template.Labels = map[string]string{"template.kubevirt.io/architecture": "amd64"}
			c.Spec.Template.Annotations = map[string]string{"cdi.kubevirt.io/storage.bind.immediate.requested": "true"}
			c.Spec.Template.Status.Phase = cdi.Succeeded
		}, nil},
		"empty optional names are valid": {func(c *cdi.DataImportCron) {
			registry(c).CertConfigMap, registry(c).SecretRef = new(""), new("")
			registry(c).PullMethod = new(cdi.RegistryPullMethod(""))
			registry(c).Platform = &cdi.PlatformOptions{}
			c.Spec.Template.Spec.Storage.StorageClassName = new("")
		}, nil},

		"a name is 64 long":         {func(c *cdi.DataImportCron) { c.Name = strings.Repeat("a", 64) }, []fault{invalid("metadata.name", "Name cannot be longer than 63 characters")}},
		"a name has capitals":       {func(c *cdi.DataImportCron) { c.Name = "Fedora" }, []fault{invalid("metadata.name", badName)}},
		"a name is missing":         {func(c *cdi.DataImportCron) { c.Name = "" }, []fault{required("metadata.name", "name or generateName is required")}},
		"a namespace is missing":    {func(c *cdi.DataImportCron) { c.Namespace = "" }, []fault{required("metadata.namespace", "")}},
		"a long generateName is ok": {func(c *cdi.DataImportCron) { c.GenerateName = strings.Repeat("a", 70) + "-" }, nil},

		"the schedule is no schedule": {func(c *cdi.DataImportCron) { c.Spec.Schedule = "TZ=UTC" },
			[]fault{invalid("spec.schedule", `Illegal cron schedule: schedule "TZ=UTC": after the time zone come a space and the schedule proper`)}},
		"the schedule never comes": {func(c *cdi.DataImportCron) { c.Spec.Schedule = "0 0 30 2 *" },
			[]fault{invalid("spec.schedule", `Illegal cron schedule: schedule "0 0 30 2 *" never comes: no month has that day`)}},
		"importsToKeep is negative": {func(c *cdi.DataImportCron) { c.Spec.ImportsToKeep = new(int32(-1)) },
			[]fault{invalid("spec.importsToKeep", "Illegal ImportsToKeep value: must be 0 or more")}},
		"garbageCollect is unknown": {func(c *cdi.DataImportCron) {
			c.Spec.GarbageCollect = new(cdi.DataImportCronGarbageCollect("nope"))
		}, []fault{unsupported("spec.garbageCollect", "Illegal GarbageCollect value: accepted are Outdated, Never")}},
		"retentionPolicy is unknown": {func(c *cdi.DataImportCron) {
			c.Spec.RetentionPolicy = new(cdi.DataImportCronRetentionPolicy(""))
		}, []fault{unsupported("spec.retentionPolicy", "Illegal RetentionPolicy value: accepted are All, None")}},
		"managedDataSource is missing": {func(c *cdi.DataImportCron) { c.Spec.ManagedDataSource = "" },
			[]fault{required("spec.managedDataSource", "Illegal ManagedDataSource value: give the name of the DataSource to keep current")}},
		"managedDataSource is 64 long": {func(c *cdi.DataImportCron) { c.Spec.ManagedDataSource = strings.Repeat("a", 64) },
			[]fault{invalid("spec.managedDataSource", "Name cannot be longer than 63 characters")}},
		"managedDataSource is no name": {func(c *cdi.DataImportCron) { c.Spec.ManagedDataSource = "a/b" },
			[]fault{invalid("spec.managedDataSource", "Illegal ManagedDataSource value: "+badName)}},
		"serviceAccountName is empty": {func(c *cdi.DataImportCron) { c.Spec.ServiceAccountName = new("") },
			[]fault{required("spec.serviceAccountName", "Illegal ServiceAccountName value: give a name")}},
		"serviceAccountName is no name": {func(c *cdi.DataImportCron) { c.Spec.ServiceAccountName = new("a b") },
			[]fault{invalid("spec.serviceAccountName", "Illegal ServiceAccountName value: "+badName)}},

		"the template has no source": {func(c *cdi.DataImportCron) { c.Spec.Template.Spec.Source = nil }, []fault{required(templateField, "Missing source: "+cronSourcesWords)}},
		"the template's source is empty": {func(c *cdi.DataImportCron) { source(c) },
			[]fault{required(templateField, "Missing source: "+cronSourcesWords)}},
		"the source is http": {func(c *cdi.DataImportCron) {
			source(c).HTTP = &cdi.DataVolumeSourceHTTP{URL: "https://images.example/disk"}
		}, nil},
		"the file has no URL": {func(c *cdi.DataImportCron) { source(c).HTTP = &cdi.DataVolumeSourceHTTP{} }, []fault{noURL("http")}},
		"the file is in a bucket": {func(c *cdi.DataImportCron) { source(c).HTTP = &cdi.DataVolumeSourceHTTP{URL: "gs://bucket/disk"} }, []fault{
			invalid(templateField+".http.url", "Invalid source URL scheme: gs://bucket/disk: buckets are not supported: accepted are http and https"),
		}},
		"the source is s3":     {func(c *cdi.DataImportCron) { source(c).S3 = &cdi.DataVolumeSourceS3{} }, missing("s3", noURL("s3"))},
		"the source is gcs":    {func(c *cdi.DataImportCron) { source(c).GCS = &cdi.DataVolumeSourceGCS{} }, missing("gcs", noURL("gcs"))},
		"the source is upload": {func(c *cdi.DataImportCron) { source(c).Upload = &cdi.DataVolumeSourceUpload{} }, missing("upload")},
		"the source is blank":  {func(c *cdi.DataImportCron) { source(c).Blank = &cdi.DataVolumeBlankImage{} }, missing("blank")},
		"the source is imageio": {func(c *cdi.DataImportCron) {
			source(c).Imageio = &cdi.DataVolumeSourceImageIO{URL: "https://engine.example", SecretRef: "a", DiskID: "b", CertConfigMap: "c"}
		}, missing("imageio")},
		"the source is vddk": {func(c *cdi.DataImportCron) {
			source(c).VDDK = &cdi.DataVolumeSourceVDDK{URL: "https://vcenter.example", SecretRef: "a", UUID: "b", BackingFile: "c", Thumbprint: "d"}
		}, missing("vddk")},
		"the source is snapshot": {func(c *cdi.DataImportCron) {
			source(c).Snapshot = &cdi.DataVolumeSourceSnapshot{Namespace: "a", Name: "b"}
		}, missing("snapshot")},
		"the source is a snapshot of no name": {func(c *cdi.DataImportCron) { source(c).Snapshot = &cdi.DataVolumeSourceSnapshot{} }, missing("snapshot",
			required(templateField+".snapshot.namespace", "source snapshot is not valid: give a namespace"),
			required(templateField+".snapshot.name", "source snapshot is not valid: give a name"))},
		"there are two sources": {func(c *cdi.DataImportCron) {
			c.Spec.Template.Spec.Source.PVC = &cdi.DataVolumeSourcePVC{}
		}, []fault{
			invalid(templateField, "Multiple Data volume sources: give one of them"),
			required(templateField+".pvc.name", "source PVC is not valid: give a name"),
		}},
		"the registry has neither url nor imageStream": {func(c *cdi.DataImportCron) { registry(c).URL = nil },
			[]fault{invalid(registryField, "Source registry should have either URL or ImageStream: give url")}},
		"the url is none": {func(c *cdi.DataImportCron) { registry(c).URL = new("http://quay.io/fedora") },
			[]fault{invalid(registryField+".url", "Illegal registry source URL scheme http://quay.io/fedora: "+acceptedURL)}},
		"the template sets what is not its own": {func(c *cdi.DataImportCron) {
			spec := &c.Spec.Template.Spec
			spec.SourceRef, spec.ContentType = &cdi.DataVolumeSourceRef{}, cdi.DataVolumeKubeVirt
			spec.Checkpoints, spec.FinalCheckpoint = []cdi.DataVolumeCheckpoint{{}}, true
		}, []fault{
			forbidden("spec.template.spec.sourceRef", unsettableFields),
			forbidden("spec.template.spec.contentType", unsettableFields),
			forbidden("spec.template.spec.checkpoints", unsettableFields),
			forbidden("spec.template.spec.finalCheckpoint", unsettableFields),
		}},
		"the template has no storage": {func(c *cdi.DataImportCron) { c.Spec.Template.Spec.Storage = nil },
			[]fault{required("spec.template.spec.storage", "Missing Data volume PVC: give storage, or pvc")}},
		"the template's size is missing": {func(c *cdi.DataImportCron) { c.Spec.Template.Spec.Storage = &cdi.StorageSpec{} },
			[]fault{required("spec.template.spec.storage.resources.requests.storage", "Storage size is missing: give one such as 10Gi")}},
		"the template's label and annotation are malformed": {func(c *cdi.DataImportCron) {
			c.Spec.Template.Labels = map[string]string{"a": "b c"}
			c.Spec.Template.Annotations = map[string]string{"a b": ""}
		}, []fault{
			invalid("spec.template.metadata.labels", badValue),
			invalid("spec.template.metadata.annotations", "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"),
		}},

		"everything is wrong, and all of it is told": {func(c *cdi.DataImportCron) {
			c.Name = strings.Repeat("a", 64)
			c.Spec = cdi.DataImportCronSpec{
				Template: cdi.DataVolume{Spec: cdi.DataVolumeSpec{
					Source: &cdi.DataVolumeSource{Registry: &cdi.DataVolumeSourceRegistry{
						URL: new("quay.io/fedora"), PullMethod: new(cdi.RegistryPullMethod("carrier pigeon")), SecretRef: new("a/b"),
					}},
					PVC: &corev1.PersistentVolumeClaimSpec{Resources: corev1.VolumeResourceRequirements{
						Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Ki")},
					}},
				}},
				Schedule:        "weekly",
				GarbageCollect:  new(cdi.DataImportCronGarbageCollect("Always")),
				ImportsToKeep:   new(int32(-3)),
				RetentionPolicy: new(cdi.DataImportCronRetentionPolicy("Some")),
			}
		}, []fault{
			invalid("metadata.name", "Name cannot be longer than 63 characters"),
			invalid(registryField+".url", "Illegal registry source URL scheme quay.io/fedora: "+acceptedURL),
			unsupported(registryField+".pullMethod", `ImportMethod carrier pigeon is neither pod, node or ""`),
			invalid(registryField+".secretRef", "name of the Secret is not valid: "+badName),
			required("spec.template.spec.pvc.accessModes", "at least 1 access mode is required; storage in place of pvc takes the storage class's"),
			invalid("spec.template.spec.pvc.resources.requests.storage", "PVC size should be at least 1MiB: give one such as 10Gi"),
			required("spec.managedDataSource", "Illegal ManagedDataSource value: give the name of the DataSource to keep current"),
			invalid("spec.schedule", `Illegal cron schedule: schedule "weekly" is not valid: expected exactly 5 fields, found 1: [weekly]: accepted are five cron fields such as "30 1 * * 1", or @hourly, @daily, @weekly, @monthly, @yearly, "@every 6h"; "CRON_TZ=Area/City " may stand in front`),
			invalid("spec.importsToKeep", "Illegal ImportsToKeep value: must be 0 or more"),
			unsupported("spec.garbageCollect", "Illegal GarbageCollect value: accepted are Outdated, Never"),
			unsupported("spec.retentionPolicy", "Illegal RetentionPolicy value: accepted are All, None"),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			cron := fedoraCron()
			test.change(cron)
			compare(t, test.want, ValidateDataImportCron(cron))
		})
	}
}

func TestValidateDataImportCronUpdate(t *testing.T) {
	immutable := func(path string) fault { return invalid(path, immutableCron) }
	for name, test := range map[string]struct {
		// spoil is applied to the documented example before it is stored; nil leaves it valid.
		spoil func(*cdi.DataImportCron)
		// change is the update.
		change func(*cdi.DataImportCron)
		want   []fault
	}{
		"nothing changes": {nil, func(*cdi.DataImportCron) {}, nil},
		"what may change, changes": {nil, func(c *cdi.DataImportCron) {
			c.Spec.Schedule, c.Spec.ImportsToKeep = "", new(int32(5))
			c.Spec.GarbageCollect = new(cdi.DataImportCronGarbageCollectNever)
			c.Spec.RetentionPolicy = new(cdi.DataImportCronRetainNone)
			c.Spec.ServiceAccountName = new("importer")
		}, nil},
		"a size is written otherwise": {nil, func(c *cdi.DataImportCron) {
			c.Spec.Template.Spec.Storage.Resources = request("5120Mi")
		}, nil},
		"the template and the DataSource change": {nil, func(c *cdi.DataImportCron) {
			c.Spec.Template.Spec.Source.Registry.URL = new("docker://other")
			c.Spec.Template.Spec.Storage.Resources = request("6Gi")
			c.Spec.ManagedDataSource = "other"
		}, []fault{immutable("spec.template.spec.source"), immutable("spec.template.spec.storage"), immutable("spec.managedDataSource")}},
		"the template's kind, metadata and status change": {nil, func(c *cdi.DataImportCron) {
			c.Spec.Template.Kind = "DataVolume"
			c.Spec.Template.Labels = map[string]string{"a": "b"}
			c.Spec.Template.Status.Phase = cdi.Succeeded
		}, []fault{immutable("spec.template.kind"), immutable("spec.template.metadata"), immutable("spec.template.status")}},
		"what changes has to be valid": {nil, func(c *cdi.DataImportCron) {
			c.Spec.Schedule, c.Spec.ImportsToKeep = "nope", new(int32(-1))
			c.Spec.GarbageCollect = new(cdi.DataImportCronGarbageCollect("nope"))
			c.Spec.RetentionPolicy = new(cdi.DataImportCronRetentionPolicy("nope"))
			c.Spec.ServiceAccountName = new("no name")
		}, []fault{
			invalid("spec.schedule", `Illegal cron schedule: schedule "nope" is not valid: expected exactly 5 fields, found 1: [nope]: accepted are five cron fields such as "30 1 * * 1", or @hourly, @daily, @weekly, @monthly, @yearly, "@every 6h"; "CRON_TZ=Area/City " may stand in front`),
			invalid("spec.importsToKeep", "Illegal ImportsToKeep value: must be 0 or more"),
			unsupported("spec.garbageCollect", "Illegal GarbageCollect value: accepted are Outdated, Never"),
			unsupported("spec.retentionPolicy", "Illegal RetentionPolicy value: accepted are All, None"),
			invalid("spec.serviceAccountName", "Illegal ServiceAccountName value: "+badName),
		}},
		"what was stored invalid does not keep others from changing": {func(c *cdi.DataImportCron) {
			c.Name = strings.Repeat("a", 80)
			c.Spec = cdi.DataImportCronSpec{
				Schedule: "nope", ImportsToKeep: new(int32(-1)), ServiceAccountName: new(""),
				GarbageCollect: new(cdi.DataImportCronGarbageCollect("nope")), RetentionPolicy: new(cdi.DataImportCronRetentionPolicy("nope")),
			}
		}, func(c *cdi.DataImportCron) { c.Labels = map[string]string{"a": "b"} }, nil},
		"what was stored invalid can be mended": {
			func(c *cdi.DataImportCron) { c.Spec.Schedule = "nope" },
			func(c *cdi.DataImportCron) { c.Spec.Schedule = "@daily" }, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			old := fedoraCron()
			if test.spoil != nil {
				test.spoil(old)
			}
			updated := old.DeepCopy()
			test.change(updated)
			compare(t, test.want, ValidateDataImportCronUpdate(updated, old))
		})
	}
}

func TestImmutableMessageDoesNotRepeatTheDocument(t *testing.T) {
	old := fedoraCron()
	updated := old.DeepCopy()
	updated.Spec.Template.Spec.Storage = storage("6Gi")
	errs := ValidateDataImportCronUpdate(updated, old)
	const want = "spec.template.spec.storage: Invalid value: Cannot update DataImportCron Spec: field is immutable: create another DataImportCron, " +
		"or delete this one with retentionPolicy All and create it again: it adopts the imports that are there"
	if got := errs.ToAggregate().Error(); got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}

func TestValidateDataImportCronTrigger(t *testing.T) {
	for name, test := range map[string]struct {
		spec cdi.DataImportCronTriggerSpec
		want []fault
	}{
		"nothing is asked for":  {cdi.DataImportCronTriggerSpec{}, nil},
		"everything is":         {cdi.DataImportCronTriggerSpec{RequestID: "build-42_A.b", Force: true, Reason: "CVE-2026-1: rebuilt – prüfen"}, nil},
		"a UUID is an ID":       {cdi.DataImportCronTriggerSpec{RequestID: "0f4b3bb2-6a1e-4a0c-9a43-6f3d8a0b8a51"}, nil},
		"an ID has blanks":      {cdi.DataImportCronTriggerSpec{RequestID: "a b"}, []fault{invalid("spec.requestID", "request ID is not valid: "+badValue)}},
		"an ID is 64 long":      {cdi.DataImportCronTriggerSpec{RequestID: strings.Repeat("a", 64)}, []fault{invalid("spec.requestID", "request ID is not valid: must be no more than 63 bytes")}},
		"a reason is a book":    {cdi.DataImportCronTriggerSpec{Reason: strings.Repeat("ä", 129)}, []fault{invalid("spec.reason", "must be at most 256 bytes long")}},
		"a reason has lines":    {cdi.DataImportCronTriggerSpec{Reason: "a\nb"}, []fault{invalid("spec.reason", "must be one line of text")}},
		"a reason is no text":   {cdi.DataImportCronTriggerSpec{Reason: "\xff"}, []fault{invalid("spec.reason", "must be one line of text")}},
		"two things are wrong":  {cdi.DataImportCronTriggerSpec{RequestID: "-", Reason: "\x1b[2J"}, []fault{invalid("spec.requestID", "request ID is not valid: "+badValue), invalid("spec.reason", "must be one line of text")}},
		"a reason is just long": {cdi.DataImportCronTriggerSpec{Reason: strings.Repeat("a", 256)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			trigger := &cdi.DataImportCronTrigger{ObjectMeta: metav1.ObjectMeta{Name: "fedora"}, Spec: test.spec}
			compare(t, test.want, ValidateDataImportCronTrigger(trigger))
		})
	}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"goldenimage.dev/pkg/apis/cdi"
)

func TestWarningsForDataImportCron(t *testing.T) {
	registry := func(c *cdi.DataImportCron) *cdi.DataVolumeSourceRegistry { return c.Spec.Template.Spec.Source.Registry }
	digest := "@sha256:" + strings.Repeat("a", 64)
	const url = "spec.template.spec.source.registry.url: "
	for name, test := range map[string]struct {
		change func(*cdi.DataImportCron)
		want   []string
	}{
		"the documented example": {func(*cdi.DataImportCron) {}, nil},
		"an empty schedule":      {func(c *cdi.DataImportCron) { c.Spec.Schedule = "" }, nil},
		"annotations that controllers wrote": {func(c *cdi.DataImportCron) {
			c.Annotations = map[string]string{annNextCronTime: "2026-11-23T12:00:00Z", annDesiredDigest: "sha256:0123456789abcdef"}
		}, nil},
		"an architecture": {func(c *cdi.DataImportCron) { registry(c).Platform = &cdi.PlatformOptions{Architecture: "s390x"} }, nil},
		"a registry with a port and no tag": {func(c *cdi.DataImportCron) {
			registry(c).URL = new("docker://registry:5000/fedora")
		}, nil},
		"polls every second": {func(c *cdi.DataImportCron) { c.Spec.Schedule = "@every 1s" },
			[]string{"spec.schedule: the source is polled every 1s, more often than registries allow"}},
		"nothing is kept": {func(c *cdi.DataImportCron) { c.Spec.ImportsToKeep = new(int32(0)) },
			[]string{"spec.importsToKeep: with 0 the published import alone is kept, and none to go back to"}},
		"everything is kept": {func(c *cdi.DataImportCron) {
			c.Spec.GarbageCollect = new(cdi.DataImportCronGarbageCollectNever)
		}, []string{"spec.garbageCollect: with Never all imports are kept, whatever importsToKeep says, and fill the storage in the end"}},
		"a service account": {func(c *cdi.DataImportCron) { c.Spec.ServiceAccountName = new("importer") },
			[]string{"spec.serviceAccountName: it is used for a pvc source only, and this one is a registry"}},
		"a template with a name": {func(c *cdi.DataImportCron) { c.Spec.Template.Name = "fedora" },
			[]string{"spec.template.metadata: name, generateName and namespace are ignored: imports are named <managedDataSource>-<12 hex digits> and made in the namespace of the DataImportCron"}},
		"a digest": {func(c *cdi.DataImportCron) { registry(c).URL = new("docker://registry:5000/fedora" + digest) },
			[]string{url + "it names a digest, so no poll will ever find anything newer: name a tag to follow it"}},
		"a tag and a digest": {func(c *cdi.DataImportCron) { registry(c).URL = new("docker://quay.io/fedora:40" + digest) }, []string{
			url + "it names a digest, so no poll will ever find anything newer: name a tag to follow it",
			url + "it names a tag and a digest: the digest counts, the tag is ignored",
		}},
		"an unusual architecture": {func(c *cdi.DataImportCron) { registry(c).Platform = &cdi.PlatformOptions{Architecture: "x86_64"} },
			[]string{`spec.template.spec.source.registry.platform.architecture: "x86_64" is not one that images usually name: amd64, arm64, s390x, ppc64le, riscv64`}},
		"annotations that say nothing": {func(c *cdi.DataImportCron) {
			c.Annotations = map[string]string{annNextCronTime: "now", annDesiredDigest: "md5:0123456789abcdef"}
		}, []string{
			"metadata.annotations[cdi.kubevirt.io/storage.import.nextCronTime]: it is not a time such as 2006-01-02T15:04:05Z",
			"metadata.annotations[cdi.kubevirt.io/storage.import.sourceDesiredDigest]: it is not a digest such as sha256:<64 hex digits>",
		}},
		"it is suspended":                          {func(c *cdi.DataImportCron) { c.Spec.Suspend = new(true) }, nil},
		"it is not suspended, and has no schedule": {func(c *cdi.DataImportCron) { c.Spec.Suspend, c.Spec.Schedule = new(false), "" }, nil},
		"it is suspended, and has no schedule": {func(c *cdi.DataImportCron) { c.Spec.Suspend, c.Spec.Schedule = new(true), "" },
			[]string{"spec.suspend: there is no schedule to suspend: without one the source is polled only when a trigger asks for it"}},
		"polls every minute":  {func(c *cdi.DataImportCron) { c.Spec.Schedule = "* * * * *" }, nil},
		"names that just fit": {func(c *cdi.DataImportCron) { c.Spec.ManagedDataSource = strings.Repeat("a", 50) }, nil},
		"names that do not fit": {func(c *cdi.DataImportCron) { c.Spec.ManagedDataSource = strings.Repeat("a", 51) },
			[]string{"spec.managedDataSource: imports are named <managedDataSource>-<12 hex digits>: with 64 characters that is more than the 63 that fit a label, which others may select claims by"}},
		"a claim and a service account": {func(c *cdi.DataImportCron) {
			c.Spec.Template.Spec.Source = claimCron("elsewhere", "fedora").Spec.Template.Spec.Source
			c.Spec.ServiceAccountName = new("importer")
		}, nil},
		"a template with finalizers and owners": {func(c *cdi.DataImportCron) { c.Spec.Template.Finalizers = []string{"example.org/keep"} },
			[]string{"spec.template.metadata: finalizers and ownerReferences are ignored: of the metadata, labels and annotations are copied"}},
		"a template with what the server writes": {func(c *cdi.DataImportCron) {
			c.Spec.Template.Labels = map[string]string{"cdi.kubevirt.io/dataImportCron": "a", "cdi.kubevirt.io/dataImportCron.cleanup": "true", "b": "c"}
			c.Spec.Template.Annotations = map[string]string{"cdi.kubevirt.io/storage.clone.requester": "{}", "cdi.kubevirt.io/storage.import.lastUseTime": ""}
		}, []string{
			"spec.template.metadata.labels[cdi.kubevirt.io/dataImportCron]: the server says itself what an import has there, and ignores this",
			"spec.template.metadata.labels[cdi.kubevirt.io/dataImportCron.cleanup]: the server says itself what an import has there, and ignores this",
			"spec.template.metadata.annotations[cdi.kubevirt.io/storage.import.lastUseTime]: the server says itself what an import has there, and ignores this",
			"spec.template.metadata.annotations[cdi.kubevirt.io/storage.clone.requester]: the server says itself what an import has there, and ignores this",
		}},
		"a size that is no whole number of bytes": {func(c *cdi.DataImportCron) { c.Spec.Template.Spec.Storage.Resources = request("1.1Gi") },
			[]string{"spec.template.spec.storage.resources.requests.storage: it is no whole number of bytes, and rounded up to 1181116007"}},
		"a digest that is too short": {func(c *cdi.DataImportCron) {
			c.Annotations = map[string]string{annDesiredDigest: "sha256:0123"}
		}, []string{"metadata.annotations[cdi.kubevirt.io/storage.import.sourceDesiredDigest]: it is not a digest such as sha256:<64 hex digits>"}},
	} {
		t.Run(name, func(t *testing.T) {
			cron := fedoraCron()
			test.change(cron)
			compare(t, nil, ValidateDataImportCron(cron))
			if diff := cmp.Diff(test.want, WarningsForDataImportCron(cron)); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWarningsForDataVolume(t *testing.T) {
	tagged := fedoraImport()
	tagged.Spec.Source.Registry.URL = new("docker://quay.io/fedora:40@sha256:" + strings.Repeat("a", 64))
	fraction, half := fedoraRef(), fedoraRef()
	asPVC(&fraction.Spec).Resources = request("1048576500m")
	half.Spec.Storage.Resources = request("1.5Gi")
	for name, test := range map[string]struct {
		volume *cdi.DataVolume
		want   []string
	}{
		"a fraction of a byte":       {fraction, []string{"spec.pvc.resources.requests.storage: it is no whole number of bytes, and rounded up to 1048577"}},
		"a fraction of a gigabyte":   {half, nil},
		"a clone":                    {fedoraRef(), nil},
		"an import pinned by digest": {fedoraImport(), nil},
		"a tag and a digest":         {tagged, []string{"spec.source.registry.url: it names a tag and a digest: the digest counts, the tag is ignored"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, WarningsForDataVolume(test.volume)); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWarningsForDataSource(t *testing.T) {
	elsewhere := []string{"spec.source: it lies in namespace elsewhere: whoever clones it elsewhere needs to be allowed to create datavolumes/source in there"}
	for name, test := range map[string]struct {
		source cdi.DataSourceSource
		want   []string
	}{
		"nothing":              {cdi.DataSourceSource{}, nil},
		"a claim":              {sourcePVCOf("golden-images", "a"), nil},
		"a claim elsewhere":    {sourcePVCOf("elsewhere", "a"), elsewhere},
		"a snapshot elsewhere": {cdi.DataSourceSource{Snapshot: &cdi.DataVolumeSourceSnapshot{Namespace: "elsewhere", Name: "a"}}, elsewhere},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, WarningsForDataSource(dataSource(test.source))); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}

// Warnings are asked for on invalid objects too: nothing there may panic.
func TestWarningsOfWhatIsInvalid(t *testing.T) {
	if got := WarningsForDataImportCron(&cdi.DataImportCron{}); got != nil {
		t.Errorf("warnings %v", got)
	}
	empty := &cdi.DataVolume{Spec: cdi.DataVolumeSpec{Source: &cdi.DataVolumeSource{Registry: &cdi.DataVolumeSourceRegistry{}}}}
	if got := WarningsForDataVolume(empty); got != nil {
		t.Errorf("warnings %v", got)
	}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"goldenimage.dev/pkg/apis/cdi"
)

func webImport() *cdi.VolumeImportSource {
	return &cdi.VolumeImportSource{
		ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "disk"},
		Spec:       cdi.VolumeImportSourceSpec{Source: &cdi.ImportSourceType{HTTP: &cdi.DataVolumeSourceHTTP{URL: "https://images.example/disk.qcow2"}}},
	}
}

func TestValidateVolumeImportSource(t *testing.T) {
	const sources = "give one of http, s3, registry, gcs, blank, imageio and vddk"
	source := func(s cdi.ImportSourceType) func(*cdi.VolumeImportSource) {
		return func(v *cdi.VolumeImportSource) { v.Spec.Source = &s }
	}
	vddk := &cdi.DataVolumeSourceVDDK{URL: "https://vcenter.example", SecretRef: "a", UUID: "b", BackingFile: "c", Thumbprint: "d"}
	for name, test := range map[string]struct {
		change func(*cdi.VolumeImportSource)
		want   []fault
	}{
		"a file is valid":       {func(*cdi.VolumeImportSource) {}, nil},
		"an archive is valid":   {func(v *cdi.VolumeImportSource) { v.Spec.ContentType = cdi.DataVolumeArchive }, nil},
		"a blank disk is valid": {source(cdi.ImportSourceType{Blank: &cdi.DataVolumeBlankImage{}}), nil},
		"an image is valid":     {source(cdi.ImportSourceType{Registry: &cdi.DataVolumeSourceRegistry{URL: new("docker://quay.io/fedora")}}), nil},
		"a bucket is valid":     {source(cdi.ImportSourceType{S3: &cdi.DataVolumeSourceS3{URL: "https://s3.example/bucket/disk"}}), nil},
		"a Google bucket is":    {source(cdi.ImportSourceType{GCS: &cdi.DataVolumeSourceGCS{URL: "gs://bucket/disk"}}), nil},
		"the longest name is":   {func(v *cdi.VolumeImportSource) { v.Name = strings.Repeat("a", 63) }, nil},
		"the name is 64 long":   {func(v *cdi.VolumeImportSource) { v.Name = strings.Repeat("a", 64) }, []fault{invalid("metadata.name", "Name cannot be longer than 63 characters")}},
		"it is in no namespace": {func(v *cdi.VolumeImportSource) { v.Namespace = "" }, []fault{required("metadata.namespace", "")}},
		"there is no source":    {func(v *cdi.VolumeImportSource) { v.Spec.Source = nil }, []fault{required("spec.source", "Missing VolumeImport source: "+sources)}},
		"the source is empty":   {source(cdi.ImportSourceType{}), []fault{required("spec.source", "Missing VolumeImport source: "+sources)}},
		"there are two sources": {func(v *cdi.VolumeImportSource) { v.Spec.Source.GCS = &cdi.DataVolumeSourceGCS{} }, []fault{invalid("spec.source", "Multiple VolumeImport sources: give one of them"), required("spec.source.gcs.url", "spec.source source URL is empty: give one")}},
		"content is unknown":    {func(v *cdi.VolumeImportSource) { v.Spec.ContentType = "iso" }, []fault{unsupported("spec.contentType", "ContentType not one of: kubevirt, archive: leave it out or give kubevirt")}},
		"a blank archive": {func(v *cdi.VolumeImportSource) {
			v.Spec.Source, v.Spec.ContentType = &cdi.ImportSourceType{Blank: &cdi.DataVolumeBlankImage{}}, cdi.DataVolumeArchive
		}, []fault{unsupported("spec.contentType", "SourceType cannot be blank and the contentType be archive: leave it out or give kubevirt")}},
		"an archive in an image": {func(v *cdi.VolumeImportSource) {
			v.Spec.Source, v.Spec.ContentType = &cdi.ImportSourceType{Registry: &cdi.DataVolumeSourceRegistry{URL: new("docker://quay.io/fedora")}}, cdi.DataVolumeArchive
		}, []fault{unsupported("spec.contentType", "ContentType must be kubevirt when Source is Registry: leave it out or give kubevirt")}},
		"an image without a name": {source(cdi.ImportSourceType{Registry: &cdi.DataVolumeSourceRegistry{}}), []fault{invalid("spec.source.registry", "Source registry should have either URL or ImageStream: give url")}},
		"stages into a claim": {func(v *cdi.VolumeImportSource) {
			v.Spec.Source, v.Spec.Checkpoints, v.Spec.TargetClaim = &cdi.ImportSourceType{VDDK: vddk}, []cdi.DataVolumeCheckpoint{{Current: "a"}}, new("disk")
		}, nil},
		"stages into no claim": {func(v *cdi.VolumeImportSource) {
			v.Spec.Source, v.Spec.Checkpoints = &cdi.ImportSourceType{VDDK: vddk}, []cdi.DataVolumeCheckpoint{{Current: "a"}}
		}, []fault{required("spec.targetClaim", "Unable to do multi-stage import without specifying a target claim")}},
		"a claim that is no name": {func(v *cdi.VolumeImportSource) { v.Spec.TargetClaim = new("A") }, []fault{invalid("spec.targetClaim", "name of the claim is not valid: "+badName)}},
	} {
		t.Run(name, func(t *testing.T) {
			volume := webImport()
			test.change(volume)
			compare(t, test.want, ValidateVolumeImportSource(volume))
		})
	}
}

func TestValidateVolumeImportSourceUpdate(t *testing.T) {
	staged := func() *cdi.VolumeImportSource {
		v := webImport()
		v.Spec.Source = &cdi.ImportSourceType{Imageio: &cdi.DataVolumeSourceImageIO{}}
		v.Spec.Checkpoints = []cdi.DataVolumeCheckpoint{{Current: "a"}}
		return v
	}
	next := func(v *cdi.VolumeImportSource) {
		v.Spec.Checkpoints, v.Spec.FinalCheckpoint = append(v.Spec.Checkpoints, cdi.DataVolumeCheckpoint{Previous: "a", Current: "b"}), new(true)
	}
	for name, test := range map[string]struct {
		old    *cdi.VolumeImportSource
		change func(*cdi.VolumeImportSource)
		// want are the fields that are told to be immutable.
		want []string
	}{
		"nothing changes":              {webImport(), func(*cdi.VolumeImportSource) {}, nil},
		"labels change":                {webImport(), func(v *cdi.VolumeImportSource) { v.Labels = map[string]string{"a": "b"} }, nil},
		"the next stage of an import":  {staged(), next, nil},
		"a stage of what has no stage": {webImport(), next, []string{"spec.checkpoints", "spec.finalCheckpoint"}},
		"everything changes": {webImport(), func(v *cdi.VolumeImportSource) {
			v.Spec = cdi.VolumeImportSourceSpec{Preallocation: new(true), ContentType: "a", TargetClaim: new("b")}
		}, []string{"spec.source", "spec.preallocation", "spec.contentType", "spec.targetClaim"}},
	} {
		t.Run(name, func(t *testing.T) {
			updated := test.old.DeepCopy()
			test.change(updated)
			var want []fault
			for _, path := range test.want {
				want = append(want, invalid(path, "Cannot update VolumeImportSource Spec: field is immutable: create another VolumeImportSource"))
			}
			compare(t, want, ValidateVolumeImportSourceUpdate(updated, test.old))
		})
	}
}

func TestValidateVolumeCloneSource(t *testing.T) {
	claim := corev1.TypedLocalObjectReference{Kind: "PersistentVolumeClaim", Name: "disk"}
	for name, test := range map[string]struct {
		change func(*cdi.VolumeCloneSource)
		want   []fault
	}{
		"a claim is valid":        {func(*cdi.VolumeCloneSource) {}, nil},
		"an empty group is valid": {func(v *cdi.VolumeCloneSource) { v.Spec.Source.APIGroup = new("") }, nil},
		"a snapshot is valid": {func(v *cdi.VolumeCloneSource) {
			v.Spec.Source.APIGroup, v.Spec.Source.Kind = new("snapshot.storage.k8s.io"), "VolumeSnapshot"
		}, nil},
		"a class of pods is valid":   {func(v *cdi.VolumeCloneSource) { v.Spec.PriorityClassName = new("high") }, nil},
		"a snapshot of no group":     {func(v *cdi.VolumeCloneSource) { v.Spec.Source.Kind = "VolumeSnapshot" }, []fault{unsupported("spec.source.apiGroup", "the kind is of another group: give snapshot.storage.k8s.io")}},
		"a claim of another group":   {func(v *cdi.VolumeCloneSource) { v.Spec.Source.APIGroup = new("example.org") }, []fault{unsupported("spec.source.apiGroup", "the kind is of another group: leave it out")}},
		"another kind":               {func(v *cdi.VolumeCloneSource) { v.Spec.Source.Kind = "Secret" }, []fault{unsupported("spec.source.kind", "accepted are PersistentVolumeClaim, VolumeSnapshot")}},
		"nothing is cloned":          {func(v *cdi.VolumeCloneSource) { v.Spec.Source = corev1.TypedLocalObjectReference{} }, []fault{required("spec.source.kind", "give PersistentVolumeClaim or VolumeSnapshot"), required("spec.source.name", "clone source is not valid: give a name")}},
		"names that are none":        {func(v *cdi.VolumeCloneSource) { v.Spec.Source.Name, v.Spec.PriorityClassName = "A", new("B") }, []fault{invalid("spec.source.name", "clone source is not valid: "+badName), invalid("spec.priorityClassName", "priority class is not valid: "+badName)}},
		"the object's name is none":  {func(v *cdi.VolumeCloneSource) { v.Name = "A" }, []fault{invalid("metadata.name", badName)}},
		"the longest name is valid":  {func(v *cdi.VolumeCloneSource) { v.Name = strings.Repeat("a", 253) }, nil},
		"the name is longer than it": {func(v *cdi.VolumeCloneSource) { v.Name = strings.Repeat("a", 254) }, []fault{invalid("metadata.name", "Name cannot be longer than 253 characters")}},
	} {
		t.Run(name, func(t *testing.T) {
			volume := &cdi.VolumeCloneSource{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "b"}, Spec: cdi.VolumeCloneSourceSpec{Source: claim}}
			test.change(volume)
			compare(t, test.want, ValidateVolumeCloneSource(volume))
		})
	}
}

func TestValidateVolumeCloneSourceUpdate(t *testing.T) {
	const immutable = "Cannot update VolumeCloneSource Spec: field is immutable: create another VolumeCloneSource"
	old := &cdi.VolumeCloneSource{}
	updated := &cdi.VolumeCloneSource{Spec: cdi.VolumeCloneSourceSpec{
		Source: corev1.TypedLocalObjectReference{Name: "a"}, Preallocation: new(true), PriorityClassName: new("a"),
	}}
	compare(t, []fault{invalid("spec.source", immutable), invalid("spec.preallocation", immutable), invalid("spec.priorityClassName", immutable)},
		ValidateVolumeCloneSourceUpdate(updated, old))
	compare(t, nil, ValidateVolumeCloneSourceUpdate(updated, updated.DeepCopy()))
}

func TestValidateVolumeUploadSource(t *testing.T) {
	const immutable = "Cannot update VolumeUploadSource Spec: field is immutable: create another VolumeUploadSource"
	upload := func(name string, content cdi.DataVolumeContentType) *cdi.VolumeUploadSource {
		return &cdi.VolumeUploadSource{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: name}, Spec: cdi.VolumeUploadSourceSpec{ContentType: content}}
	}
	for _, content := range []cdi.DataVolumeContentType{"", cdi.DataVolumeKubeVirt, cdi.DataVolumeArchive} {
		compare(t, nil, ValidateVolumeUploadSource(upload("disk", content)))
	}
	compare(t, []fault{
		invalid("metadata.name", "Name cannot be longer than 63 characters"),
		unsupported("spec.contentType", "ContentType not one of: kubevirt, archive"),
	}, ValidateVolumeUploadSource(upload(strings.Repeat("a", 64), "iso")))

	updated := upload("disk", cdi.DataVolumeArchive)
	updated.Spec.Preallocation = new(false)
	compare(t, []fault{invalid("spec.contentType", immutable), invalid("spec.preallocation", immutable)}, ValidateVolumeUploadSourceUpdate(updated, upload("disk", "")))
	compare(t, nil, ValidateVolumeUploadSourceUpdate(updated, updated.DeepCopy()))
}

func TestWarningsForVolumeSources(t *testing.T) {
	const stored = "this server stores VolumeImportSources and does not fill claims from them yet: let a DataVolume import the disk from a registry"
	secret := webImport()
	secret.Spec.Source.HTTP.URL = "https://user:hunter2@images.example/disk"
	path := webImport()
	path.Spec.Source.HTTP.URL = "https://images.example/disk@2"
	image := webImport()
	image.Spec.Source = &cdi.ImportSourceType{Registry: &cdi.DataVolumeSourceRegistry{URL: new("docker://quay.io/fedora"), Platform: &cdi.PlatformOptions{Architecture: "x86"}}}
	for name, test := range map[string]struct{ got, want []string }{
		"an import":            {WarningsForVolumeImportSource(webImport()), []string{stored}},
		"an import of nothing": {WarningsForVolumeImportSource(&cdi.VolumeImportSource{}), []string{stored}},
		"a file of a version":  {WarningsForVolumeImportSource(path), []string{stored}},
		"an import with a password": {WarningsForVolumeImportSource(secret), []string{stored,
			"spec.source.http.url: it holds a user name or password, which all who may read the object see: name a Secret by secretRef instead"}},
		"an image of an odd architecture": {WarningsForVolumeImportSource(image), []string{stored,
			`spec.source.registry.platform.architecture: "x86" is not one that images usually name: amd64, arm64, s390x, ppc64le, riscv64`}},
		"a clone":   {WarningsForVolumeCloneSource(nil), []string{"this server stores VolumeCloneSources and does not fill claims from them yet: create a DataVolume with the source pvc"}},
		"an upload": {WarningsForVolumeUploadSource(nil), []string{"this server stores VolumeUploadSources and serves no uploads: let a DataVolume import the disk from a registry"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, test.got); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}

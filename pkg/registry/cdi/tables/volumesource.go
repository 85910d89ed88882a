// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package tables

import (
	"cmp"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/utils/clock"

	"goldenimage.dev/pkg/apis/cdi"
)

type (
	importRow = row[cdi.VolumeImportSource]
	cloneRow  = row[cdi.VolumeCloneSource]
	uploadRow = row[cdi.VolumeUploadSource]
)

// VolumeImportSource returns the tables of VolumeImportSources, with times relative to a clock.
func VolumeImportSource(clk clock.PassiveClock) rest.TableConvertor {
	items := func(object runtime.Object) ([]cdi.VolumeImportSource, bool) {
		list, ok := object.(*cdi.VolumeImportSourceList)
		if !ok {
			return nil, false
		}
		return list.Items, true
	}
	return newConvertor(cdi.Resource("volumeimportsources"), clk, items, []column[cdi.VolumeImportSource]{
		text("Source", always, "Where the content comes from.", importSource),
		age[cdi.VolumeImportSource](),
		text("Content", wide, "Kind of the content.", func(r importRow) string { return content(r.object.Spec.ContentType) }),
	})
}

// VolumeCloneSource returns the tables of VolumeCloneSources, with times relative to a clock.
func VolumeCloneSource(clk clock.PassiveClock) rest.TableConvertor {
	items := func(object runtime.Object) ([]cdi.VolumeCloneSource, bool) {
		list, ok := object.(*cdi.VolumeCloneSourceList)
		if !ok {
			return nil, false
		}
		return list.Items, true
	}
	return newConvertor(cdi.Resource("volumeclonesources"), clk, items, []column[cdi.VolumeCloneSource]{
		text("Source", always, "Claim or snapshot that is copied.", cloneSource),
		age[cdi.VolumeCloneSource](),
	})
}

// VolumeUploadSource returns the tables of VolumeUploadSources, with times relative to a clock.
func VolumeUploadSource(clk clock.PassiveClock) rest.TableConvertor {
	items := func(object runtime.Object) ([]cdi.VolumeUploadSource, bool) {
		list, ok := object.(*cdi.VolumeUploadSourceList)
		if !ok {
			return nil, false
		}
		return list.Items, true
	}
	return newConvertor(cdi.Resource("volumeuploadsources"), clk, items, []column[cdi.VolumeUploadSource]{
		text("Content", always, "Kind of the content.", func(r uploadRow) string { return content(r.object.Spec.ContentType) }),
		age[cdi.VolumeUploadSource](),
	})
}

func content(kind cdi.DataVolumeContentType) string {
	return string(cmp.Or(kind, cdi.DataVolumeKubeVirt))
}

func importSource(r importRow) string {
	source := r.object.Spec.Source
	switch {
	case source == nil:
		return ""
	case source.Registry != nil:
		return registrySource(source.Registry)
	case source.HTTP != nil:
		return source.HTTP.URL
	case source.S3 != nil:
		return source.S3.URL
	case source.GCS != nil:
		return source.GCS.URL
	case source.Blank != nil:
		return "blank"
	case source.Imageio != nil:
		return source.Imageio.URL
	case source.VDDK != nil:
		return source.VDDK.URL
	}
	return ""
}

// cloneSource names the source as kubectl does in its arguments.
func cloneSource(r cloneRow) string {
	source := r.object.Spec.Source
	kind := strings.ToLower(source.Kind)
	if source.Kind == "PersistentVolumeClaim" {
		kind = "pvc"
	}
	return path(kind, source.Name)
}

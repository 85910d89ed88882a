// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package tables

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/utils/clock"

	"goldenimage.dev/pkg/apis/cdi"
)

type volumeRow = row[cdi.DataVolume]

// DataVolume returns the tables of DataVolumes, with times relative to a clock.
func DataVolume(clk clock.PassiveClock) rest.TableConvertor {
	items := func(object runtime.Object) ([]cdi.DataVolume, bool) {
		list, ok := object.(*cdi.DataVolumeList)
		if !ok {
			return nil, false
		}
		return list.Items, true
	}
	return newConvertor(cdi.Resource("datavolumes"), clk, items, []column[cdi.DataVolume]{
		text("Phase", always, "Stage that the volume is in.",
			func(r volumeRow) string { return string(r.object.Status.Phase) }),
		text("Progress", always, "How much of the content was transferred, N/A if that is not known.",
			func(r volumeRow) string { return string(r.object.Status.Progress) }),
		number("Restarts", always, "How often the transfer was begun anew.",
			func(r volumeRow) int64 { return int64(r.object.Status.RestartCount) }),
		age[cdi.DataVolume](),
		text("Source", wide, "Where the content comes from.",
			func(r volumeRow) string { return volumeSource(r.object, r.object.Namespace) }),
		text("Claim", wide, "Claim of the volume.",
			func(r volumeRow) string { return r.object.Status.ClaimName }),
		text("Reason", wide, "What is going on or wrong, in a word.",
			func(r volumeRow) string { return progress(r.object).Reason }),
		text("Message", wide, "What is going on or wrong, in a sentence.",
			func(r volumeRow) string { return progress(r.object).Message }),
	})
}

// progress chooses the condition that tells a reader most. Why a volume is not ready is what
// matters; once it is, Ready has nothing to add, and Running says how the transfer ended.
func progress(volume *cdi.DataVolume) cdi.ConditionState {
	states := map[cdi.DataVolumeConditionType]cdi.ConditionState{}
	for _, c := range volume.Status.Conditions {
		states[c.Type] = c.ConditionState
	}
	for _, kind := range []cdi.DataVolumeConditionType{cdi.DataVolumeReady, cdi.DataVolumeRunning} {
		if states[kind].Reason != "" {
			return states[kind]
		}
	}
	return states[cdi.DataVolumeBound]
}

// volumeSource tells in one word where a volume's content comes from; namespace is the one
// that a sourceRef without a namespace means.
func volumeSource(volume *cdi.DataVolume, namespace string) string {
	if ref := volume.Spec.SourceRef; ref != nil {
		if ref.Namespace != nil && *ref.Namespace != "" {
			namespace = *ref.Namespace
		}
		return path("datasource", namespace, ref.Name)
	}
	source := volume.Spec.Source
	switch {
	case source == nil:
		return ""
	case source.Registry != nil:
		return registrySource(source.Registry)
	case source.PVC != nil:
		return path("pvc", source.PVC.Namespace, source.PVC.Name)
	case source.Snapshot != nil:
		return path("snapshot", source.Snapshot.Namespace, source.Snapshot.Name)
	}
	return ""
}

func registrySource(registry *cdi.DataVolumeSourceRegistry) string {
	switch {
	case registry.URL != nil:
		return *registry.URL
	case registry.ImageStream != nil:
		return path("imagestream", *registry.ImageStream)
	}
	return ""
}

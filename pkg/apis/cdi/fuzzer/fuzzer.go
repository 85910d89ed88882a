// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package fuzzer

import (
	"sigs.k8s.io/randfill"

	"k8s.io/apimachinery/pkg/api/apitesting/fuzzer"
	"k8s.io/apimachinery/pkg/runtime/serializer"

	"goldenimage.dev/pkg/apis/cdi"
)

var _ fuzzer.FuzzerFuncs = Funcs

// Funcs returns how to fill the types of the group, to be merged with those of the metadata.
func Funcs(serializer.CodecFactory) []any {
	return []any{
		func(spec *cdi.DataImportCronSpec, c randfill.Continue) {
			c.FillNoCustom(spec)
			// What defaulting fills in has to be there, else it differs after a round trip.
			if spec.GarbageCollect == nil {
				spec.GarbageCollect = new(cdi.DataImportCronGarbageCollectOutdated)
			}
			if spec.ImportsToKeep == nil {
				spec.ImportsToKeep = new(int32(3))
			}
			if spec.RetentionPolicy == nil {
				spec.RetentionPolicy = new(cdi.DataImportCronRetainAll)
			}
		},
	}
}

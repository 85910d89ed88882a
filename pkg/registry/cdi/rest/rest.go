// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"fmt"
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apiserver/pkg/registry/generic"
	"k8s.io/apiserver/pkg/registry/rest"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/utils/clock"

	"goldenimage.dev/pkg/apis/cdi"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/registry/cdi/cdiconfig"
	"goldenimage.dev/pkg/registry/cdi/dataimportcron"
	"goldenimage.dev/pkg/registry/cdi/datasource"
	"goldenimage.dev/pkg/registry/cdi/datavolume"
	"goldenimage.dev/pkg/registry/cdi/installation"
	"goldenimage.dev/pkg/registry/cdi/objecttransfer"
	"goldenimage.dev/pkg/registry/cdi/storageprofile"
	"goldenimage.dev/pkg/registry/cdi/volumesource"
)

type newStorage func(runtime.ObjectTyper, generic.RESTOptionsGetter, clock.PassiveClock) (map[string]rest.Storage, error)

// resources is the table of what is served. The three kinds that users work with come
// first; the others are there because one
// APIService owns the whole group-version: what clients of it list must be answered.
func resources() []newStorage {
	return []newStorage{
		dataimportcron.NewStorage,
		datasource.NewStorage,
		datavolume.NewStorage,
		storageprofile.NewStorage,
		cdiconfig.NewStorage,
		installation.NewStorage,
		volumesource.NewImportStorage,
		volumesource.NewCloneStorage,
		volumesource.NewUploadStorage,
		objecttransfer.NewStorage,
	}
}

// NewAPIGroupInfo returns the API group with all its resources.
func NewAPIGroupInfo(scheme *runtime.Scheme, codecs serializer.CodecFactory, options generic.RESTOptionsGetter, clk clock.PassiveClock) (*genericapiserver.APIGroupInfo, error) {
	storage := map[string]rest.Storage{}
	for _, create := range resources() {
		some, err := create(scheme, options, clk)
		if err != nil {
			return nil, fmt.Errorf("set up API group %s: %w", cdi.GroupName, err)
		}
		maps.Copy(storage, some)
	}
	info := genericapiserver.NewDefaultAPIGroupInfo(cdi.GroupName, scheme, metav1.ParameterCodec, codecs)
	info.VersionedResourcesStorageMap[v1beta1.SchemeGroupVersion.Version] = storage
	return &info, nil
}

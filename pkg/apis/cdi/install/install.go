// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"

	"goldenimage.dev/pkg/apis/cdi"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// Install registers the API group with a scheme. It panics if the types contradict each
// other, which no input can cause.
func Install(scheme *runtime.Scheme) {
	utilruntime.Must(cdi.AddToScheme(scheme))
	utilruntime.Must(v1beta1.AddToScheme(scheme))
	utilruntime.Must(scheme.SetVersionPriority(v1beta1.SchemeGroupVersion))
}

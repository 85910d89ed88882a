// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"maps"
	"reflect"
	"testing"

	cdi "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// A kind is a type of theirs with ours.
type kind struct{ theirs, ours reflect.Type }

// kinds returns all kinds of their API, lists among them, by name. A kind that we do not have
// has no type of ours.
func kinds(t testing.TB) map[string]kind {
	t.Helper()
	all := map[string]kind{}
	ours := typesOf(t, v1beta1.AddToScheme, v1beta1.SchemeGroupVersion)
	for name, theirs := range typesOf(t, cdi.AddToScheme, cdi.SchemeGroupVersion) {
		all[name] = kind{theirs, ours[name]}
	}
	return all
}

// typesOf returns the types that a package registers, without those of the API machinery,
// which are in each group.
func typesOf(t testing.TB, addToScheme func(*runtime.Scheme) error, version schema.GroupVersion) map[string]reflect.Type {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := addToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	types := scheme.KnownTypes(version)
	machinery := reflect.TypeFor[metav1.ObjectMeta]().PkgPath()
	maps.DeleteFunc(types, func(_ string, typ reflect.Type) bool { return typ.PkgPath() == machinery })
	return types
}

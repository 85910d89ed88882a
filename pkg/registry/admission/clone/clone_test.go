// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package clone

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	"goldenimage.dev/pkg/apis/cdi"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

type sources map[string]v1beta1.DataSourceSource

func (s sources) DataSource(_ context.Context, key types.NamespacedName) (*v1beta1.DataSource, error) {
	source, ok := s[key.String()]
	if !ok {
		return nil, apierrors.NewNotFound(v1beta1.Resource("datasources"), key.Name)
	}
	return &v1beta1.DataSource{Spec: v1beta1.DataSourceSpec{Source: source}}, nil
}

// permissions are "namespace/resource/subresource" that the user may create.
type permissions []string

func (p permissions) authorize(_ context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
	if a.GetUser().GetName() == "alice" && a.GetVerb() == "create" && a.IsResourceRequest() &&
		slices.Contains(p, fmt.Sprintf("%s/%s/%s", a.GetNamespace(), a.GetResource(), a.GetSubresource())) {
		return authorizer.DecisionAllow, "", nil
	}
	return authorizer.DecisionNoOpinion, "", nil
}

func volume(source *cdi.DataVolumeSource, ref *cdi.DataVolumeSourceRef) *cdi.DataVolume {
	return &cdi.DataVolume{
		ObjectMeta: metav1.ObjectMeta{Namespace: "own", Name: "v"},
		Spec:       cdi.DataVolumeSpec{Source: source, SourceRef: ref},
	}
}

func ref(namespace, name string) *cdi.DataVolumeSourceRef {
	return &cdi.DataVolumeSourceRef{Kind: "DataSource", Namespace: &namespace, Name: name}
}

func claim(namespace string) *cdi.DataVolumeSource {
	return &cdi.DataVolumeSource{PVC: &cdi.DataVolumeSourcePVC{Namespace: namespace, Name: "disk"}}
}

func source(namespace string) *cdi.DataSource {
	return &cdi.DataSource{
		ObjectMeta: metav1.ObjectMeta{Namespace: "own", Name: "s"},
		Spec:       cdi.DataSourceSpec{Source: cdi.DataSourceSource{PVC: &cdi.DataVolumeSourcePVC{Namespace: namespace, Name: "disk"}}},
	}
}

func TestValidate(t *testing.T) {
	pvc := func(namespace string) v1beta1.DataSourceSource {
		return v1beta1.DataSourceSource{PVC: &v1beta1.DataVolumeSourcePVC{Namespace: namespace, Name: "disk"}}
	}
	known := sources{
		"images/fedora": pvc("images"),
		"own/near":      pvc("own"),
		"own/far":       pvc("images"),
		"own/pointer":   {DataSource: &v1beta1.DataSourceRefSourceDataSource{Name: "far"}},
	}
	tests := map[string]struct {
		obj, old runtime.Object
		may      permissions
		// refused names the namespace of the refusal, "" for none.
		refused string
	}{
		"a clone within the namespace needs nothing":                 {obj: volume(claim("own"), nil)},
		"a clone of another namespace's claim needs a permission":    {obj: volume(claim("images"), nil), refused: "images"},
		"datavolumes/source is one":                                  {obj: volume(claim("images"), nil), may: permissions{"images/datavolumes/source"}},
		"pods is another":                                            {obj: volume(claim("images"), nil), may: permissions{"images/pods/"}},
		"datavolumes alone is none":                                  {obj: volume(claim("images"), nil), may: permissions{"images/datavolumes/"}, refused: "images"},
		"a permission in the own namespace does not help":            {obj: volume(claim("images"), nil), may: permissions{"own/pods/"}, refused: "images"},
		"a DataSource in another namespace needs a permission":       {obj: volume(nil, ref("images", "fedora")), refused: "images"},
		"a DataSource in another namespace, with it":                 {obj: volume(nil, ref("images", "fedora")), may: permissions{"images/datavolumes/source"}},
		"one that does not exist yet needs it too":                   {obj: volume(nil, ref("images", "later")), refused: "images"},
		"a DataSource of the own namespace that points to it":        {obj: volume(nil, ref("", "near"))},
		"a DataSource of the own namespace that points elsewhere":    {obj: volume(nil, ref("", "far")), refused: "images"},
		"a pointer to one that points elsewhere":                     {obj: volume(nil, ref("own", "pointer")), refused: "images"},
		"a DataSource is not pointed elsewhere without a permission": {obj: source("images"), refused: "images"},
		"with it, it is": {obj: source("images"), may: permissions{"images/pods/"}},
		"a DataSource that pointed there before may be labelled":       {obj: source("images"), old: source("images")},
		"a DataSource that pointed elsewhere before is asked for anew": {obj: source("images"), old: source("other"), refused: "images"},
		"a snapshot is treated alike": {
			obj:     volume(&cdi.DataVolumeSource{Snapshot: &cdi.DataVolumeSourceSnapshot{Namespace: "images", Name: "s"}}, nil),
			refused: "images",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			plugin := New()
			plugin.SetAuthorizer(authorizer.AuthorizerFunc(test.may.authorize))
			plugin.SetSourceGetter(known)
			if err := plugin.ValidateInitialization(); err != nil {
				t.Fatal(err)
			}
			operation := admission.Create
			if test.old != nil {
				operation = admission.Update
			}
			attributes := admission.NewAttributesRecord(test.obj, test.old, v1beta1.SchemeGroupVersion.WithKind("X"), "own", "v",
				v1beta1.SchemeGroupVersion.WithResource("x"), "", operation, nil, false, &user.DefaultInfo{Name: "alice"})
			err := plugin.Validate(t.Context(), attributes, nil)
			if test.refused == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			want := "User alice has insufficient permissions in clone source namespace " + test.refused
			if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want 403 with %q", err, want)
			}
		})
	}
}

func TestAPluginWithoutAuthorizerIsRefused(t *testing.T) {
	if err := New().ValidateInitialization(); err == nil {
		t.Error("no error")
	}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package clone

import (
	"context"
	"errors"
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
	"goldenimage.dev/pkg/apis/cdi/requester"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// sources are DataSources by namespace/name. A nil one cannot be read.
type sources map[string]*v1beta1.DataSource

func (s sources) DataSource(_ context.Context, key types.NamespacedName) (*v1beta1.DataSource, error) {
	source, ok := s[key.String()]
	if !ok {
		return nil, apierrors.NewNotFound(v1beta1.Resource("datasources"), key.Name)
	}
	if source == nil {
		return nil, errors.New("etcd is down")
	}
	return source, nil
}

// permissions are "namespace/resource/subresource/name" that a user may create; an empty name
// is any.
type permissions []string

func (p permissions) authorizer(who string) authorizer.Authorizer {
	return authorizer.AuthorizerFunc(func(_ context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
		if slices.Contains(p, "broken") {
			return authorizer.DecisionNoOpinion, "", errors.New("connection lost")
		}
		granted := func(name string) bool {
			return slices.Contains(p, fmt.Sprintf("%s/%s/%s/%s", a.GetNamespace(), a.GetResource(), a.GetSubresource(), name))
		}
		group := map[string]string{"datavolumes": cdi.GroupName}[a.GetResource()]
		if a.GetUser().GetName() == who && a.GetVerb() == "create" && a.IsResourceRequest() && a.GetAPIGroup() == group &&
			(granted("") || granted(a.GetName())) {
			return authorizer.DecisionAllow, "", nil
		}
		return authorizer.DecisionNoOpinion, "", nil
	})
}

const (
	mayClone     = "images/datavolumes/source/"
	mayMakePods  = "images/pods//"
	mayMakePVCs  = "images/persistentvolumeclaims//"
	mayCloneDisk = "images/datavolumes/source/disk"
)

func alice() user.Info {
	return &user.DefaultInfo{
		Name: "alice", UID: "1", Groups: []string{"team"},
		Extra: map[string][]string{"scopes.example": {"full"}, "token.example": {"opaque"}},
	}
}

func server() user.Info { return &user.DefaultInfo{Name: user.APIServerUser} }

func volume(source *cdi.DataVolumeSource, ref *cdi.DataVolumeSourceRef) *cdi.DataVolume {
	return &cdi.DataVolume{
		ObjectMeta: metav1.ObjectMeta{Namespace: "own", Name: "v"},
		Spec:       cdi.DataVolumeSpec{Source: source, SourceRef: ref},
	}
}

func noted(volume *cdi.DataVolume, note string) *cdi.DataVolume {
	volume.Annotations = map[string]string{v1beta1.AnnCloneRequester: note, "other": "kept"}
	return volume
}

func ref(namespace, name string) *cdi.DataVolumeSourceRef {
	return &cdi.DataVolumeSourceRef{Kind: "DataSource", Namespace: &namespace, Name: name}
}

func disk(namespace string) *cdi.DataVolumeSource {
	return &cdi.DataVolumeSource{PVC: &cdi.DataVolumeSourcePVC{Namespace: namespace, Name: "disk"}}
}

func shot(namespace string) *cdi.DataVolumeSource {
	return &cdi.DataVolumeSource{Snapshot: &cdi.DataVolumeSourceSnapshot{Namespace: namespace, Name: "shot"}}
}

func image() *cdi.DataVolumeSource {
	return &cdi.DataVolumeSource{Registry: &cdi.DataVolumeSourceRegistry{URL: new("docker://registry.example/fedora")}}
}

func plugin(t *testing.T, who string, may permissions, known sources) *Plugin {
	t.Helper()
	p := New()
	p.SetAuthorizer(may.authorizer(who))
	p.SetSourceGetter(known)
	if err := p.ValidateInitialization(); err != nil {
		t.Fatal(err)
	}
	return p
}

// request is one to create obj, or to update old.
func request(obj, old runtime.Object, subresource string, who user.Info) admission.Attributes {
	operation := admission.Create
	if old != nil {
		operation = admission.Update
	}
	return admission.NewAttributesRecord(obj, old, v1beta1.SchemeGroupVersion.WithKind("X"), "own", "v",
		v1beta1.SchemeGroupVersion.WithResource("x"), subresource, operation, nil, false, who)
}

// known are the DataSources of the tests.
func known() sources {
	pvc := func(namespace string) v1beta1.DataSourceSource {
		return v1beta1.DataSourceSource{PVC: &v1beta1.DataVolumeSourcePVC{Namespace: namespace, Name: "disk"}}
	}
	to := func(namespace, name string) v1beta1.DataSourceSource {
		return v1beta1.DataSourceSource{DataSource: &v1beta1.DataSourceRefSourceDataSource{Namespace: namespace, Name: name}}
	}
	spec := func(source v1beta1.DataSourceSource) *v1beta1.DataSource {
		return &v1beta1.DataSource{Spec: v1beta1.DataSourceSpec{Source: source}}
	}
	resolved := spec(to("own", "gone"))
	resolved.Status.Source = pvc("images")
	lying := spec(pvc("images"))
	lying.Status.Source = pvc("own")
	return sources{
		"images/fedora": spec(pvc("images")), "images/unqualified": spec(pvc("")), "images/empty": spec(v1beta1.DataSourceSource{}),
		"images/back": spec(pvc("own")), "images/pointer": spec(to("", "fedora")),
		"own/near": spec(pvc("own")), "own/far": spec(pvc("images")), "own/lying": lying,
		"own/pointer": spec(to("own", "far")), "own/resolved": resolved,
		"own/self": spec(to("own", "self")), "own/across": spec(to("images", "fedora")), "own/twice": spec(to("own", "pointer")),
		"images/twice": spec(to("images", "pointer")), "own/broken": nil,
		"own/shot": spec(v1beta1.DataSourceSource{Snapshot: &v1beta1.DataVolumeSourceSnapshot{Namespace: "images", Name: "shot"}}),
	}
}

func TestWhoMayCreateADataVolume(t *testing.T) {
	tests := map[string]struct {
		obj *cdi.DataVolume
		may permissions
		// refused names the namespace of the refusal, "" for none.
		refused string
	}{
		"a clone within the namespace needs nothing":              {obj: volume(disk("own"), nil)},
		"a clone of a claim without a namespace is one of those":  {obj: volume(disk(""), nil)},
		"an import needs nothing":                                 {obj: volume(image(), nil)},
		"a clone of another namespace's claim needs a permission": {obj: volume(disk("images"), nil), refused: "images"},
		"datavolumes/source is one":                               {obj: volume(disk("images"), nil), may: permissions{mayClone}},
		"it may be for that claim alone":                          {obj: volume(disk("images"), nil), may: permissions{mayCloneDisk}},
		"for another claim it is none":                            {obj: volume(disk("images"), nil), may: permissions{mayClone + "other"}, refused: "images"},
		"pods is another":                                         {obj: volume(disk("images"), nil), may: permissions{mayMakePods}},
		"datavolumes alone is none":                               {obj: volume(disk("images"), nil), may: permissions{"images/datavolumes//"}, refused: "images"},
		"a permission in the own namespace does not help":         {obj: volume(disk("images"), nil), may: permissions{"own/pods//"}, refused: "images"},

		"a snapshot needs a permission":            {obj: volume(shot("images"), nil), refused: "images"},
		"datavolumes/source is one for a snapshot": {obj: volume(shot("images"), nil), may: permissions{mayClone + "shot"}},
		"pods alone is none for a snapshot":        {obj: volume(shot("images"), nil), may: permissions{mayMakePods}, refused: "images"},
		"claims alone is none for a snapshot":      {obj: volume(shot("images"), nil), may: permissions{mayMakePVCs}, refused: "images"},
		"pods and claims together are one":         {obj: volume(shot("images"), nil), may: permissions{mayMakePods, mayMakePVCs}},
		"a snapshot of the own namespace is free":  {obj: volume(shot("own"), nil)},

		"a DataSource in another namespace needs what it leads to": {obj: volume(nil, ref("images", "fedora")), refused: "images"},
		"a DataSource in another namespace, with it":               {obj: volume(nil, ref("images", "fedora")), may: permissions{mayCloneDisk}},
		"a claim without a namespace lies next to its DataSource":  {obj: volume(nil, ref("images", "unqualified")), refused: "images"},
		"one that leads back to the own namespace is free":         {obj: volume(nil, ref("images", "back"))},
		"one that does not exist needs its own namespace":          {obj: volume(nil, ref("images", "later")), refused: "images"},
		"one that does not exist, for one claim alone":             {obj: volume(nil, ref("images", "later")), may: permissions{mayCloneDisk}, refused: "images"},
		"one that does not exist, with the permission":             {obj: volume(nil, ref("images", "later")), may: permissions{mayClone}},
		"one that is empty needs its own namespace":                {obj: volume(nil, ref("images", "empty")), refused: "images"},
		"an own one that does not exist is free":                   {obj: volume(nil, ref("", "later"))},
		"an own one that leads to the own namespace is free":       {obj: volume(nil, ref("", "near"))},
		"an own one that leads elsewhere":                          {obj: volume(nil, ref("", "far")), refused: "images"},
		"an own one whose status says otherwise":                   {obj: volume(nil, ref("", "lying")), refused: "images"},
		"an own one that leads to a snapshot":                      {obj: volume(nil, ref("", "shot")), may: permissions{mayMakePods}, refused: "images"},

		"a pointer to one that leads elsewhere":         {obj: volume(nil, ref("own", "pointer")), refused: "images"},
		"a pointer in another namespace":                {obj: volume(nil, ref("images", "pointer")), refused: "images"},
		"a pointer in another namespace, with it":       {obj: volume(nil, ref("images", "pointer")), may: permissions{mayCloneDisk}},
		"a pointer that has been resolved":              {obj: volume(nil, ref("", "resolved")), refused: "images"},
		"a pointer to itself leads nowhere":             {obj: volume(nil, ref("", "self"))},
		"a pointer to another namespace leads nowhere":  {obj: volume(nil, ref("", "across"))},
		"a pointer to a pointer leads nowhere":          {obj: volume(nil, ref("", "twice"))},
		"a pointer to a pointer in another namespace":   {obj: volume(nil, ref("images", "twice")), refused: "images"},
		"both sources of an invalid one are looked at":  {obj: volume(disk("own"), ref("images", "fedora")), refused: "images"},
		"both sources of an invalid one, the other way": {obj: volume(disk("images"), ref("", "near")), refused: "images"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := plugin(t, "alice", test.may, known()).Admit(t.Context(), request(test.obj, nil, "", alice()), nil)
			checkRefusal(t, err, "alice", test.refused)
			if _, ok := test.obj.Annotations[v1beta1.AnnCloneRequester]; ok && err != nil {
				t.Error("what is refused has a note")
			}
		})
	}
}

func checkRefusal(t *testing.T, err error, who, namespace string) {
	t.Helper()
	if namespace == "" {
		if err != nil {
			t.Error(err)
		}
		return
	}
	want := "User " + who + " has insufficient permissions in clone source namespace " + namespace
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want 403 with %q", err, want)
	}
}

func TestWhatFailsIsNotLetIn(t *testing.T) {
	many := &user.DefaultInfo{Name: "alice", Groups: make([]string, requester.MaxSize)}
	tests := map[string]struct {
		obj, old runtime.Object
		who      user.Info
		may      permissions
		is       func(error) bool
	}{
		"the authorizer does not answer":    {obj: volume(disk("images"), nil), who: alice(), may: permissions{"broken"}, is: apierrors.IsInternalError},
		"a DataSource cannot be read":       {obj: volume(nil, ref("own", "broken")), who: alice(), is: apierrors.IsInternalError},
		"the user is in too many groups":    {obj: volume(nil, ref("own", "near")), who: many, is: apierrors.IsForbidden},
		"nobody asks for another's claim":   {obj: volume(disk("images"), nil), is: apierrors.IsForbidden},
		"nobody asks for what may be moved": {obj: volume(nil, ref("own", "near")), is: apierrors.IsForbidden},
		"it was something else before":      {obj: volume(image(), nil), old: &cdi.DataSource{}, who: alice(), is: apierrors.IsInternalError},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := plugin(t, "alice", test.may, known()).Admit(t.Context(), request(test.obj, test.old, "", test.who), nil)
			if !test.is(err) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// What is not valid is not looked up, which would fail: validation says what is wrong with it.
func TestNamesThatAreNotValidAreLeftToValidation(t *testing.T) {
	for name, wrong := range map[string]*cdi.DataVolumeSourceRef{
		"no name":                  ref("own", ""),
		"a name with a slash":      ref("own", "a/b"),
		"a name that leads upward": ref("own", "..%2f"),
		"a namespace with a slash": ref("a/b", "fedora"),
	} {
		t.Run(name, func(t *testing.T) {
			found, err := plugin(t, "alice", nil, nil).sourcesOf(t.Context(), "own", &cdi.DataVolumeSpec{SourceRef: wrong})
			if err != nil || len(found) != 0 {
				t.Errorf("got %v, %v", found, err)
			}
		})
	}
}

func TestADataSourceMayPointAnywhere(t *testing.T) {
	obj := &cdi.DataSource{Spec: cdi.DataSourceSpec{Source: cdi.DataSourceSource{PVC: &cdi.DataVolumeSourcePVC{Namespace: "images", Name: "disk"}}}}
	p := plugin(t, "nobody", nil, nil)
	a := request(obj, nil, "", alice())
	if err := errors.Join(p.Admit(t.Context(), a, nil), p.Validate(t.Context(), a, nil)); err != nil {
		t.Error(err)
	}
}

func TestAPluginWithoutAuthorizerIsRefused(t *testing.T) {
	if err := New().ValidateInitialization(); err == nil {
		t.Error("no error")
	}
}

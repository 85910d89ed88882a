// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package clone

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	"goldenimage.dev/pkg/apis/cdi"
)

const (
	standardAccount = "system:serviceaccount:own:default"
	otherAccount    = "system:serviceaccount:own:importer"
)

// cron runs as a ServiceAccount; "" means that it names none.
func cron(source *cdi.DataVolumeSource, account string) *cdi.DataImportCron {
	c := &cdi.DataImportCron{ObjectMeta: metav1.ObjectMeta{Namespace: "own", Name: "c"}}
	c.Spec.Template.Spec.Source = source
	if account != "" {
		c.Spec.ServiceAccountName = &account
	}
	return c
}

func labelled(c *cdi.DataImportCron) *cdi.DataImportCron {
	c.Labels = map[string]string{"a": "b"}
	return c
}

func TestWhoMayHaveADataImportCron(t *testing.T) {
	tests := map[string]struct {
		obj, old *cdi.DataImportCron
		// who is allowed what may says.
		who string
		may permissions
		// asks is the user of the request, alice if nil.
		asks        user.Info
		subresource string
		// refused is the ServiceAccount that is, "" for none.
		refused string
	}{
		"an image needs nothing":                             {obj: cron(image(), "")},
		"no source needs nothing":                            {obj: cron(nil, "")},
		"a claim of the own namespace needs nothing":         {obj: cron(disk("own"), "")},
		"a claim without a namespace is one of those":        {obj: cron(disk(""), "")},
		"a claim elsewhere needs a permission":               {obj: cron(disk("images"), ""), refused: standardAccount},
		"it is the ServiceAccount's":                         {obj: cron(disk("images"), ""), who: standardAccount, may: permissions{mayCloneDisk}},
		"pods will do, too":                                  {obj: cron(disk("images"), ""), who: standardAccount, may: permissions{mayMakePods}},
		"that of the user does not help":                     {obj: cron(disk("images"), ""), who: "alice", may: permissions{mayClone}, refused: standardAccount},
		"it is the ServiceAccount's that is named":           {obj: cron(disk("images"), "importer"), who: otherAccount, may: permissions{mayClone}},
		"that of another does not help":                      {obj: cron(disk("images"), "importer"), who: standardAccount, may: permissions{mayClone}, refused: otherAccount},
		"a label is set though it was taken away":            {obj: labelled(cron(disk("images"), "")), old: cron(disk("images"), "")},
		"another ServiceAccount is asked for":                {obj: cron(disk("images"), "importer"), old: cron(disk("images"), ""), refused: otherAccount},
		"another ServiceAccount that may":                    {obj: cron(disk("images"), "importer"), old: cron(disk("images"), ""), who: otherAccount, may: permissions{mayClone}},
		"the server writes what it likes":                    {obj: cron(disk("images"), ""), asks: server()},
		"status is not looked at":                            {obj: cron(disk("images"), ""), subresource: "status"},
		"a cluster's administrator does not stand in for it": {obj: cron(disk("images"), ""), asks: &user.DefaultInfo{Name: "root", Groups: []string{user.SystemPrivilegedGroup}}, refused: standardAccount},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var old runtime.Object
			if test.old != nil {
				old = test.old
			}
			asks := test.asks
			if asks == nil {
				asks = alice()
			}
			err := plugin(t, test.who, test.may, nil).Validate(t.Context(), request(test.obj, old, test.subresource, asks), nil)
			namespace := ""
			if test.refused != "" {
				namespace = "images"
			}
			checkRefusal(t, err, test.refused, namespace)
		})
	}
}

func TestServiceAccountIsInItsGroups(t *testing.T) {
	p := New()
	p.SetSourceGetter(sources{})
	p.SetAuthorizer(authorizer.AuthorizerFunc(func(_ context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
		want := []string{"system:serviceaccounts", "system:serviceaccounts:own", "system:authenticated"}
		if diff := cmp.Diff(want, a.GetUser().GetGroups()); diff != "" {
			t.Errorf("groups (-want +got):\n%s", diff)
		}
		return authorizer.DecisionAllow, "", nil
	}))
	if err := p.Validate(t.Context(), request(cron(disk("images"), ""), nil, "", alice()), nil); err != nil {
		t.Error(err)
	}
}

func TestADataImportCronIsNotLetInUnasked(t *testing.T) {
	p := plugin(t, standardAccount, permissions{"broken"}, nil)
	if err := p.Validate(t.Context(), request(cron(disk("images"), ""), nil, "", alice()), nil); !apierrors.IsInternalError(err) {
		t.Errorf("got %v", err)
	}
}

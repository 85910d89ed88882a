// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"goldenimage.dev/pkg/apis/cdi/requester"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/test/gen"
)

const (
	claimDigest = "uid:1b4e28ba-2fa1-11d2-883f-0016d3cca427"
	importOfUID = "fedora-1b4e28ba-2fa"
)

// fromClaim makes the source of a cron a claim.
func fromClaim(namespace string) gen.Modifier {
	return gen.WithSource(v1beta1.DataVolumeSource{PVC: &v1beta1.DataVolumeSourcePVC{Namespace: namespace, Name: "disk"}})
}

func runAs(account string) gen.Modifier {
	return func(obj metav1.Object) { obj.(*v1beta1.DataImportCron).Spec.ServiceAccountName = &account }
}

func forged(template *v1beta1.DataVolume) {
	template.Annotations = map[string]string{v1beta1.AnnCloneRequester: `{"username":"system:admin"}`}
}

func TestImportOfAClaim(t *testing.T) {
	accounts := func(name string) *requester.CloneRequester {
		return &requester.CloneRequester{
			Username: "system:serviceaccount:" + gen.Namespace + ":" + name,
			Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:" + gen.Namespace, "system:authenticated"},
		}
	}
	for name, test := range map[string]struct {
		cron      modifiers
		namespace string
		want      *requester.CloneRequester
	}{
		"a claim of another namespace is cloned as default":         {modifiers{fromClaim("images")}, "images", accounts("default")},
		"it is cloned as the ServiceAccount that is named":          {modifiers{fromClaim("images"), runAs("importer")}, "images", accounts("importer")},
		"a note in the template is nobody's":                        {modifiers{fromClaim("images"), gen.WithTemplate(forged)}, "images", accounts("default")},
		"a claim of the own namespace is cloned by nobody":          {modifiers{fromClaim(gen.Namespace), gen.WithTemplate(forged)}, gen.Namespace, nil},
		"a claim without a namespace is one of those":               {modifiers{fromClaim(""), runAs("importer")}, gen.Namespace, nil},
		"a note in the template of an image's cron is dropped, too": {modifiers{gen.Desires(gen.Digest("a")), gen.WithTemplate(forged)}, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			cron := gen.DataImportCron(cronName, append(modifiers{gen.Desires(claimDigest)}, test.cron...)...)
			digest := cron.Annotations[v1beta1.AnnSourceDesiredDigest]
			got, err := newVolume(cron, importName(cron, digest, ""), digest, "", gen.Epoch())
			if err != nil {
				t.Fatal(err)
			}
			if test.namespace != "" {
				want := &v1beta1.DataVolumeSource{PVC: &v1beta1.DataVolumeSourcePVC{Namespace: test.namespace, Name: "disk"}}
				if diff := cmp.Diff(want, got.Spec.Source); diff != "" || got.Name != importOfUID || got.Annotations[v1beta1.AnnSourceDigest] != claimDigest {
					t.Errorf("%s of %s, source (-want +got):\n%s", got.Name, got.Annotations[v1beta1.AnnSourceDigest], diff)
				}
			}
			text, ok := got.Annotations[v1beta1.AnnCloneRequester]
			if !ok || test.want == nil {
				if ok || test.want != nil {
					t.Errorf("note %q", text)
				}
				return
			}
			who, err := requester.Decode(text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, &who); diff != "" {
				t.Errorf("note (-want +got):\n%s", diff)
			}
		})
	}
}

// refused makes a DataVolume one whose requester may not have what it clones.
func refused() gen.Modifier {
	return func(obj metav1.Object) {
		gen.InPhase(v1beta1.Pending)(obj)
		gen.Running(corev1.ConditionFalse, "NotAuthorized", "User x has insufficient permissions.", time.Now())(obj)
	}
}

func TestImportThatIsNotAuthorizedSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, gen.DataImportCron(cronName, gen.Desires(claimDigest), fromClaim("images")))
		before := w.Volume(importOfUID)
		if before == nil {
			t.Fatal("no import")
		}
		w.UpdateVolumeStatus(importOfUID, refused())
		cron := w.Cron(cronName)
		got := progressing(cron)
		if got.Status != corev1.ConditionFalse || got.Reason != "NotAuthorized" ||
			got.Message != "Not authorized to create DataVolume: User x has insufficient permissions." {
			t.Errorf("condition %+v", got)
		}
		want := []string{
			"Normal ImportStarted Importing " + claimDigest + " into DataVolume " + importOfUID,
			"Warning ImportFailed NotAuthorized: Not authorized to create DataVolume: User x has insufficient permissions.",
		}
		if diff := cmp.Diff(want, w.Events()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		// It waits for a permission, and is not made anew meanwhile.
		w.Pass(24 * time.Hour)
		if after := w.Volume(importOfUID); after == nil || after.UID != before.UID || after.Status.Phase != v1beta1.Pending {
			t.Errorf("import %+v", after)
		}
	})
}

func TestAnotherServiceAccountIsTried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, gen.DataImportCron(cronName, gen.Desires(claimDigest), fromClaim("images")))
		w.UpdateVolumeStatus(importOfUID, refused())
		w.UpdateCron(cronName, runAs("importer"))
		after := w.Volume(importOfUID)
		if after == nil || after.Status.Phase != v1beta1.PhaseUnset {
			t.Fatalf("import %+v", after)
		}
		who, err := requester.Decode(after.Annotations[v1beta1.AnnCloneRequester])
		if err != nil || who.Username != "system:serviceaccount:"+gen.Namespace+":importer" {
			t.Errorf("requester %+v %v", who, err)
		}
	})
}

func TestAnotherServiceAccountDoesNotDisturbAnImport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, gen.DataImportCron(cronName, gen.Desires(claimDigest), fromClaim("images")))
		w.UpdateVolumeStatus(importOfUID, gen.InPhase(v1beta1.CloneInProgress))
		w.UpdateCron(cronName, runAs("importer"))
		if after := w.Volume(importOfUID); after == nil || after.Status.Phase != v1beta1.CloneInProgress {
			t.Errorf("import %+v", after)
		}
		if got := progressing(w.Cron(cronName)); got.Status != corev1.ConditionTrue || got.Reason != ReasonImportProgressing {
			t.Errorf("condition %+v", got)
		}
	})
}

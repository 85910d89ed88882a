// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	applyv1beta1 "goldenimage.dev/pkg/generated/applyconfiguration/cdi/v1beta1"
)

func TestChangesAndDeletes(t *testing.T) {
	s := start(t, dataDir(t))
	for name, test := range map[string]func(*testing.T, *server){
		"a JSON patch is applied, or not if its test fails":          testJSONPatch,
		"a merge patch is applied":                                   testMergePatch,
		"a strategic merge patch merges conditions by type":          testStrategicPatch,
		"an unknown field is warned about, dropped or refused":       testFieldValidation,
		"a PUT of an old version is a conflict":                      testStaleUpdate,
		"a PUT creates nothing":                                      testUpdateMissing,
		"server-side apply does not own the status it was not given": testApplyStatus,
		"two appliers conflict, by field and by name":                testApplyConflict,
		"a delete keeps to its preconditions":                        testDeletePreconditions,
		"a delete in the foreground waits for dependents":            testForegroundDelete,
		"a finalizer holds an object back":                           testFinalizer,
		"a dry run changes nothing":                                  testDryRun,
		"a name can be generated":                                    testGenerateName,
		"settings of a cron can be changed, the rest cannot":         testMutability,
	} {
		t.Run(name, func(t *testing.T) { test(t, s) })
	}
}

func createSource(t *testing.T, s *server, name string) *v1beta1.DataSource {
	t.Helper()
	source, err := s.client.CdiV1beta1().DataSources(namespace).Create(t.Context(), &v1beta1.DataSource{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"a": "1"}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func patchSource(t *testing.T, s *server, name string, kind types.PatchType, patch string, subresources ...string) (*v1beta1.DataSource, error) {
	t.Helper()
	return s.client.CdiV1beta1().DataSources(namespace).Patch(t.Context(), name, kind, []byte(patch), metav1.PatchOptions{}, subresources...)
}

func testJSONPatch(t *testing.T, s *server) {
	createSource(t, s, "json-patch")
	patched, err := patchSource(t, s, "json-patch", types.JSONPatchType, `[{"op":"test","path":"/metadata/labels/a","value":"1"},{"op":"replace","path":"/metadata/labels/a","value":"2"}]`)
	if err != nil || patched.Labels["a"] != "2" {
		t.Fatalf("got %+v, %v", patched, err)
	}
	if _, err := patchSource(t, s, "json-patch", types.JSONPatchType, `[{"op":"test","path":"/metadata/labels/a","value":"1"}]`); !apierrors.IsInvalid(err) {
		t.Errorf("a test that fails gives %v, want 422", err)
	}
	if _, err := patchSource(t, s, "json-patch", types.JSONPatchType, `{}`); !apierrors.IsBadRequest(err) {
		t.Errorf("a patch that is none gives %v, want 400", err)
	}
}

func testMergePatch(t *testing.T, s *server) {
	createSource(t, s, "merge-patch")
	patched, err := patchSource(t, s, "merge-patch", types.MergePatchType, `{"metadata":{"labels":{"a":null,"b":"2"}},"spec":{"source":{"pvc":{"namespace":"golden-images","name":"p"}}}}`)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"b": "2"}, patched.Labels); diff != "" || patched.Spec.Source.PVC == nil {
		t.Errorf("got %+v", patched)
	}
}

func testStrategicPatch(t *testing.T, s *server) {
	createSource(t, s, "strategic")
	condition := func(kind, reason string) string {
		return `{"status":{"conditions":[{"type":"` + kind + `","status":"True","reason":"` + reason + `"}]}}`
	}
	for _, patch := range []string{condition("Ready", "One"), condition("Other", "Two"), condition("Ready", "Three")} {
		if _, err := patchSource(t, s, "strategic", types.StrategicMergePatchType, patch, "status"); err != nil {
			t.Fatal(err)
		}
	}
	source, err := s.client.CdiV1beta1().DataSources(namespace).Get(t.Context(), "strategic", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, c := range source.Status.Conditions {
		got[string(c.Type)] = c.Reason
	}
	if diff := cmp.Diff(map[string]string{"Ready": "Three", "Other": "Two"}, got); diff != "" {
		t.Errorf("conditions (-want +got):\n%s", diff)
	}
}

func testFieldValidation(t *testing.T, s *server) {
	const manifest = `{"apiVersion":"cdi.kubevirt.io/v1beta1","kind":"DataSource","metadata":{"name":"NAME"},"spec":{"source":{},"sauce":{}}}`
	send := func(name, validation string) (warnings int, err error) {
		result := s.client.CdiV1beta1().RESTClient().Post().AbsPath("/apis/cdi.kubevirt.io/v1beta1/namespaces/"+namespace+"/datasources").
			Param("fieldValidation", validation).SetHeader("Content-Type", "application/json").
			Body([]byte(strings.ReplaceAll(manifest, "NAME", name))).Do(t.Context())
		return len(result.Warnings()), result.Error()
	}
	if _, err := send("strict", "Strict"); !apierrors.IsBadRequest(err) || !strings.Contains(err.Error(), `unknown field "spec.sauce"`) {
		t.Errorf("Strict gives %v", err)
	}
	if warnings, err := send("warn", "Warn"); err != nil || warnings != 1 {
		t.Errorf("Warn gives %d warnings, %v", warnings, err)
	}
	if warnings, err := send("ignore", "Ignore"); err != nil || warnings != 0 {
		t.Errorf("Ignore gives %d warnings, %v", warnings, err)
	}
}

func testStaleUpdate(t *testing.T, s *server) {
	client := s.client.CdiV1beta1().DataSources(namespace)
	old := createSource(t, s, "stale")
	if _, err := patchSource(t, s, "stale", types.MergePatchType, `{"metadata":{"labels":{"a":"2"}}}`); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Update(t.Context(), old, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
		t.Errorf("got %v, want 409", err)
	}
	old.ResourceVersion = ""
	if _, err := client.Update(t.Context(), old, metav1.UpdateOptions{}); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "metadata.resourceVersion") {
		t.Errorf("without a version: got %v, want 422 about it", err)
	}
}

func testUpdateMissing(t *testing.T, s *server) {
	source := &v1beta1.DataSource{ObjectMeta: metav1.ObjectMeta{Name: "missing", ResourceVersion: "1"}}
	if _, err := s.client.CdiV1beta1().DataSources(namespace).Update(t.Context(), source, metav1.UpdateOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("got %v, want 404", err)
	}
}

func testApplyStatus(t *testing.T, s *server) {
	client := s.client.CdiV1beta1().DataSources(namespace)
	config := applyv1beta1.DataSource("apply-status", namespace).
		WithSpec(applyv1beta1.DataSourceSpec().WithSource(applyv1beta1.DataSourceSource().WithPVC(applyv1beta1.DataVolumeSourcePVC().WithNamespace(namespace).WithName("p")))).
		WithStatus(applyv1beta1.DataSourceStatus().WithConditions(applyv1beta1.DataSourceCondition().WithType("Ready").WithStatus("True")))
	applied, err := client.Apply(t.Context(), config, metav1.ApplyOptions{FieldManager: "tester"})
	if err != nil {
		t.Fatal(err)
	}
	if len(applied.Status.Conditions) != 0 {
		t.Errorf("the main endpoint wrote status %+v", applied.Status)
	}
	if _, err := client.ApplyStatus(t.Context(), config, metav1.ApplyOptions{FieldManager: "prober"}); err != nil {
		t.Fatal(err)
	}
	source, err := client.Get(t.Context(), "apply-status", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	owned := map[string]string{}
	for _, entry := range source.ManagedFields {
		owned[entry.Manager+" "+entry.Subresource] = entry.FieldsV1.GetRawString()
	}
	if fields := owned["tester "]; strings.Contains(fields, "f:status") || !strings.Contains(fields, "f:pvc") {
		t.Errorf("the applier of the spec owns %s", fields)
	}
	if fields := owned["prober status"]; strings.Contains(fields, "f:spec") || !strings.Contains(fields, `k:{\"type\":\"Ready\"}`) {
		t.Errorf("the applier of the status owns %s", fields)
	}
}

func testApplyConflict(t *testing.T, s *server) {
	client := s.client.CdiV1beta1().DataSources(namespace)
	apply := func(manager, name string, force bool) error {
		config := applyv1beta1.DataSource("conflict", namespace).
			WithSpec(applyv1beta1.DataSourceSpec().WithSource(applyv1beta1.DataSourceSource().WithPVC(applyv1beta1.DataVolumeSourcePVC().WithNamespace(namespace).WithName(name))))
		_, err := client.Apply(t.Context(), config, metav1.ApplyOptions{FieldManager: manager, Force: force})
		return err
	}
	if err := apply("one", "p", false); err != nil {
		t.Fatal(err)
	}
	if err := apply("two", "p", false); err != nil {
		t.Errorf("the same value is a conflict: %v", err)
	}
	if err := apply("two", "q", false); !apierrors.IsConflict(err) || !strings.Contains(err.Error(), `conflict with "one": .spec.source.pvc.name`) {
		t.Errorf("got %v, want a conflict that names owner and field", err)
	}
	if err := apply("two", "q", true); err != nil {
		t.Errorf("force: %v", err)
	}
}

func testDeletePreconditions(t *testing.T, s *server) {
	client := s.client.CdiV1beta1().DataSources(namespace)
	source := createSource(t, s, "preconditions")
	wrong := types.UID("00000000-0000-0000-0000-000000000000")
	for name, preconditions := range map[string]metav1.Preconditions{
		"another UID":     {UID: &wrong},
		"another version": {ResourceVersion: new("1")},
	} {
		if err := client.Delete(t.Context(), source.Name, metav1.DeleteOptions{Preconditions: &preconditions}); !apierrors.IsConflict(err) {
			t.Errorf("%s: got %v, want 409", name, err)
		}
	}
	if err := client.Delete(t.Context(), source.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &source.UID, ResourceVersion: &source.ResourceVersion}}); err != nil {
		t.Error(err)
	}
	if err := client.Delete(t.Context(), source.Name, metav1.DeleteOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("a second delete: got %v, want 404", err)
	}
}

func testForegroundDelete(t *testing.T, s *server) {
	client := s.client.CdiV1beta1().DataSources(namespace)
	for policy, finalizer := range map[metav1.DeletionPropagation]string{
		metav1.DeletePropagationForeground: metav1.FinalizerDeleteDependents,
		metav1.DeletePropagationOrphan:     metav1.FinalizerOrphanDependents,
	} {
		source := createSource(t, s, "delete-"+strings.ToLower(string(policy)))
		if err := client.Delete(t.Context(), source.Name, metav1.DeleteOptions{PropagationPolicy: &policy}); err != nil {
			t.Fatal(err)
		}
		// The garbage collector, which is not here, takes the finalizer away.
		left, err := client.Get(t.Context(), source.Name, metav1.GetOptions{})
		if err != nil {
			t.Fatalf("%s: %v", policy, err)
		}
		if diff := cmp.Diff([]string{finalizer}, left.Finalizers); diff != "" || left.DeletionTimestamp == nil {
			t.Errorf("%s leaves finalizers %v, deleted at %v", policy, left.Finalizers, left.DeletionTimestamp)
		}
	}
	background := metav1.DeletePropagationBackground
	source := createSource(t, s, "delete-background")
	if err := client.Delete(t.Context(), source.Name, metav1.DeleteOptions{PropagationPolicy: &background}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Get(t.Context(), source.Name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("background: got %v, want 404", err)
	}
}

func testFinalizer(t *testing.T, s *server) {
	client := s.client.CdiV1beta1().DataSources(namespace)
	createSource(t, s, "finalizer")
	if _, err := patchSource(t, s, "finalizer", types.MergePatchType, `{"metadata":{"finalizers":["example.com/hold"]}}`); err != nil {
		t.Fatal(err)
	}
	if err := client.Delete(t.Context(), "finalizer", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	held, err := client.Get(t.Context(), "finalizer", metav1.GetOptions{})
	if err != nil || held.DeletionTimestamp == nil {
		t.Fatalf("got %+v, %v", held, err)
	}
	if _, err := patchSource(t, s, "finalizer", types.MergePatchType, `{"metadata":{"finalizers":null}}`); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Get(t.Context(), "finalizer", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("got %v, want 404", err)
	}
}

func testDryRun(t *testing.T, s *server) {
	client := s.client.CdiV1beta1().DataSources(namespace)
	all := []string{metav1.DryRunAll}
	if _, err := client.Create(t.Context(), &v1beta1.DataSource{ObjectMeta: metav1.ObjectMeta{Name: "dry-run"}}, metav1.CreateOptions{DryRun: all}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Get(t.Context(), "dry-run", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("after a dry create: %v", err)
	}
	source := createSource(t, s, "dry-run")
	if _, err := client.Patch(t.Context(), source.Name, types.MergePatchType, []byte(`{"metadata":{"labels":{"a":"2"}}}`), metav1.PatchOptions{DryRun: all}); err != nil {
		t.Fatal(err)
	}
	if err := client.Delete(t.Context(), source.Name, metav1.DeleteOptions{DryRun: all}); err != nil {
		t.Fatal(err)
	}
	after, err := client.Get(t.Context(), source.Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(source, after); diff != "" {
		t.Error(diff)
	}
}

func testGenerateName(t *testing.T, s *server) {
	source, err := s.client.CdiV1beta1().DataSources(namespace).Create(t.Context(), &v1beta1.DataSource{ObjectMeta: metav1.ObjectMeta{GenerateName: "generated-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(source.Name, "generated-") || len(source.Name) <= len("generated-") {
		t.Errorf("the name is %q", source.Name)
	}
}

func testMutability(t *testing.T, s *server) {
	createDocumented(t, s, "mutability")
	crons := s.client.CdiV1beta1().DataImportCrons(namespace)
	for name, test := range map[string]struct {
		patch string
		// field is what cannot be changed, empty if all is well.
		field string
	}{
		"the schedule":            {`{"spec":{"schedule":"@hourly"}}`, ""},
		"no schedule":             {`{"spec":{"schedule":""}}`, ""},
		"imports to keep":         {`{"spec":{"importsToKeep":5}}`, ""},
		"garbage collection":      {`{"spec":{"garbageCollect":"Never"}}`, ""},
		"the retention policy":    {`{"spec":{"retentionPolicy":"None"}}`, ""},
		"the service account":     {`{"spec":{"serviceAccountName":"importer"}}`, ""},
		"suspension":              {`{"spec":{"suspend":true}}`, ""},
		"the managed DataSource":  {`{"spec":{"managedDataSource":"other"}}`, "spec.managedDataSource"},
		"the source's URL":        {`{"spec":{"template":{"spec":{"source":{"registry":{"url":"docker://example.com/other"}}}}}}`, "spec.template.spec.source"},
		"the size of the imports": {`{"spec":{"template":{"spec":{"storage":{"resources":{"requests":{"storage":"6Gi"}}}}}}}`, "spec.template.spec.storage"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := crons.Patch(t.Context(), "mutability", types.MergePatchType, []byte(test.patch), metav1.PatchOptions{})
			if test.field == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), test.field) || !strings.Contains(err.Error(), "Cannot update DataImportCron Spec") {
				t.Errorf("got %v, want 422 about %s", err, test.field)
			}
		})
	}
}

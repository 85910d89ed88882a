// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	applyv1beta1 "goldenimage.dev/pkg/generated/applyconfiguration/cdi/v1beta1"
)

const namespace = "golden-images"

// documented is the manifest that users know.
const documented = `{
  "apiVersion": "cdi.kubevirt.io/v1beta1", "kind": "DataImportCron",
  "metadata": {"name": "NAME", "namespace": "golden-images"},
  "spec": {
    "template": {"spec": {
      "source": {"registry": {
        "url": "docker://quay.io/kubevirt/fedora-cloud-registry-disk-demo:latest",
        "pullMethod": "node", "certConfigMap": "some-certs"}},
      "storage": {"resources": {"requests": {"storage": "5Gi"}}, "storageClassName": "hostpath-provisioner"}}},
    "schedule": "30 1 * * 1", "garbageCollect": "Outdated", "managedDataSource": "fedora"}}`

func post(ctx context.Context, s *server, path, body string) error {
	return s.client.CdiV1beta1().RESTClient().Post().AbsPath("/apis/cdi.kubevirt.io/v1beta1/namespaces/"+namespace+"/"+path).
		SetHeader("Content-Type", "application/json").Body([]byte(body)).Do(ctx).Error()
}

func createDocumented(t *testing.T, s *server, name string) *v1beta1.DataImportCron {
	t.Helper()
	if err := post(t.Context(), s, "dataimportcrons", strings.ReplaceAll(documented, "NAME", name)); err != nil {
		t.Fatal(err)
	}
	cron, err := s.client.CdiV1beta1().DataImportCrons(namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return cron
}

func TestAPI(t *testing.T) {
	s := start(t, dataDir(t))
	tests := map[string]func(*testing.T, *server){
		"the documented manifest gets its defaults":               testDefaults,
		"status is written by /status alone":                      testStatusEndpoint,
		"the generation counts changes of the spec":               testGeneration,
		"all mistakes are reported at once with their JSON paths": testAllErrors,
		"the template cannot be changed":                          testImmutable,
		"server-side apply owns what it applied":                  testApply,
		"a field selector finds crons by their data source":       testFieldSelector,
		"a watch sees what happens":                               testWatch,
		"kubectl gets a table":                                    testTable,
		"triggers are recorded, repeated and coalesced":           testTrigger,
		"a trigger of nothing is not found":                       testTriggerMissing,
		"a trigger may come with an empty body":                   testTriggerEmptyBody,
		"a dry-run trigger records nothing":                       testTriggerDryRun,
		"the namespace controller can empty a namespace":          testDeleteCollection,
		"a stale hash of the OpenAPI document is not redirected":  testStaleOpenAPI,
		"short names and categories are in discovery":             testDiscovery,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, s) })
	}
}

func testDefaults(t *testing.T, s *server) {
	cron := createDocumented(t, s, "defaults")
	want := v1beta1.DataImportCronSpec{
		Template: cron.Spec.Template, Schedule: "30 1 * * 1", ManagedDataSource: "fedora",
		GarbageCollect:  ptr.To(v1beta1.DataImportCronGarbageCollectOutdated),
		ImportsToKeep:   ptr.To[int32](3),
		RetentionPolicy: ptr.To(v1beta1.DataImportCronRetainAll),
	}
	if diff := cmp.Diff(want, cron.Spec); diff != "" {
		t.Error(diff)
	}
	if got := *cron.Spec.Template.Spec.Source.Registry.CertConfigMap; got != "some-certs" {
		t.Errorf("certConfigMap is %q", got)
	}
}

func testStatusEndpoint(t *testing.T, s *server) {
	crons := s.client.CdiV1beta1().DataImportCrons(namespace)
	cron := createDocumented(t, s, "status")
	cron.Status.LastImportedPVC = &v1beta1.DataVolumeSourcePVC{Namespace: namespace, Name: "p"}
	cron.Labels = map[string]string{"a": "b"}
	updated, err := crons.Update(t.Context(), cron, metav1.UpdateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if updated.Status.LastImportedPVC != nil || updated.Labels["a"] != "b" {
		t.Errorf("main endpoint left status %v and labels %v", updated.Status, updated.Labels)
	}
	updated.Status.LastImportedPVC = &v1beta1.DataVolumeSourcePVC{Namespace: namespace, Name: "p"}
	updated.Labels["a"] = "c"
	updated.Spec.Schedule = "@daily"
	updated, err = crons.UpdateStatus(t.Context(), updated, metav1.UpdateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if updated.Status.LastImportedPVC == nil || updated.Labels["a"] != "b" || updated.Spec.Schedule != "30 1 * * 1" {
		t.Errorf("status endpoint left status %v, labels %v, schedule %q", updated.Status, updated.Labels, updated.Spec.Schedule)
	}
}

func testGeneration(t *testing.T, s *server) {
	crons := s.client.CdiV1beta1().DataImportCrons(namespace)
	cron := createDocumented(t, s, "generation")
	got := []int64{cron.Generation}
	for _, patch := range []string{`{"metadata":{"labels":{"x":"y"}}}`, `{"spec":{"schedule":"@daily"}}`} {
		patched, err := crons.Patch(t.Context(), cron.Name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, patched.Generation)
	}
	if diff := cmp.Diff([]int64{1, 1, 2}, got); diff != "" {
		t.Error(diff)
	}
}

func testAllErrors(t *testing.T, s *server) {
	err := post(t.Context(), s, "dataimportcrons", `{
	  "apiVersion": "cdi.kubevirt.io/v1beta1", "kind": "DataImportCron", "metadata": {"name": "wrong"},
	  "spec": {"template": {"spec": {"source": {"registry": {"url": "ftp://x"}}, "storage": {}}},
	    "schedule": "nonsense", "importsToKeep": -1, "garbageCollect": "Sometimes", "managedDataSource": ""}}`)
	var status apierrors.APIStatus
	if !errors.As(err, &status) || !apierrors.IsInvalid(err) {
		t.Fatalf("got %v, want 422", err)
	}
	seen := map[string]bool{}
	for _, cause := range status.Status().Details.Causes {
		seen[cause.Field] = true
	}
	for _, field := range []string{
		"spec.template.spec.source.registry.url", "spec.schedule", "spec.importsToKeep", "spec.garbageCollect", "spec.managedDataSource",
	} {
		if !seen[field] {
			t.Errorf("no cause for %s among %v", field, status.Status().Details.Causes)
		}
	}
}

func testImmutable(t *testing.T, s *server) {
	crons := s.client.CdiV1beta1().DataImportCrons(namespace)
	cron := createDocumented(t, s, "immutable")
	patch := `{"spec":{"managedDataSource":"other"}}`
	_, err := crons.Patch(t.Context(), cron.Name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "Cannot update DataImportCron Spec") {
		t.Errorf("got %v, want 422 with CDI's words", err)
	}
}

func testApply(t *testing.T, s *server) {
	crons := s.client.CdiV1beta1().DataImportCrons(namespace)
	createDocumented(t, s, "apply")
	apply := func(manager, schedule string, force bool) error {
		config := applyv1beta1.DataImportCron("apply", namespace).WithSpec(applyv1beta1.DataImportCronSpec().WithSchedule(schedule))
		_, err := crons.Apply(t.Context(), config, metav1.ApplyOptions{FieldManager: manager, Force: force})
		return err
	}
	if err := apply("one", "@daily", true); err != nil {
		t.Fatal(err)
	}
	if err := apply("two", "@hourly", false); !apierrors.IsConflict(err) || !strings.Contains(err.Error(), ".spec.schedule") {
		t.Errorf("got %v, want a conflict about .spec.schedule", err)
	}
	cron, err := crons.Get(t.Context(), "apply", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if cron.Spec.Schedule != "@daily" {
		t.Errorf("schedule is %q", cron.Spec.Schedule)
	}
}

func testFieldSelector(t *testing.T, s *server) {
	createDocumented(t, s, "selected")
	crons := s.client.CdiV1beta1().DataImportCrons(namespace)
	for selector, want := range map[string]bool{"spec.managedDataSource=fedora": true, "spec.managedDataSource=other": false} {
		list, err := crons.List(t.Context(), metav1.ListOptions{FieldSelector: selector + ",metadata.name=selected"})
		if err != nil {
			t.Fatal(err)
		}
		if (len(list.Items) == 1) != want {
			t.Errorf("%s finds %d", selector, len(list.Items))
		}
	}
	if _, err := crons.List(t.Context(), metav1.ListOptions{FieldSelector: "spec.nonsense=x"}); !apierrors.IsBadRequest(err) {
		t.Errorf("got %v for an unknown field, want 400", err)
	}
}

func testWatch(t *testing.T, s *server) {
	sources := s.client.CdiV1beta1().DataSources("watched")
	watch, err := sources.Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Stop()
	if _, err := sources.Create(t.Context(), &v1beta1.DataSource{ObjectMeta: metav1.ObjectMeta{Name: "w"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := sources.Delete(t.Context(), "w", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for len(got) < 2 {
		select {
		case event := <-watch.ResultChan():
			got = append(got, string(event.Type))
		case <-time.After(time.Minute):
			t.Fatalf("only %v came", got)
		}
	}
	if diff := cmp.Diff([]string{"ADDED", "DELETED"}, got); diff != "" {
		t.Error(diff)
	}
}

func testTable(t *testing.T, s *server) {
	createDocumented(t, s, "table")
	table := &metav1.Table{}
	err := s.client.CdiV1beta1().RESTClient().Get().AbsPath("/apis/cdi.kubevirt.io/v1beta1/namespaces/"+namespace+"/dataimportcrons/table").
		SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").Do(t.Context()).Into(table)
	if err != nil {
		t.Fatal(err)
	}
	if len(table.Rows) != 1 || table.Rows[0].Cells[0] != "table" || table.ColumnDefinitions[0].Name != "Name" {
		t.Errorf("got %+v", table)
	}
}

func testTrigger(t *testing.T, s *server) {
	crons := s.client.CdiV1beta1().DataImportCrons(namespace)
	createDocumented(t, s, "trigger")
	trigger := func(id string) v1beta1.DataImportCronTriggerStatus {
		t.Helper()
		request := &v1beta1.DataImportCronTrigger{Spec: v1beta1.DataImportCronTriggerSpec{RequestID: id}}
		answer, err := crons.Trigger(t.Context(), "trigger", request, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return answer.Status
	}
	first, again, second := trigger("one"), trigger("one"), trigger("two")
	if first.RequestID != "one" || first.Coalesced || first.RequestedAt == nil {
		t.Errorf("first answer is %+v", first)
	}
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("the same request is answered differently: %s", diff)
	}
	if second.RequestID != "one" || !second.Coalesced {
		t.Errorf("second answer is %+v, want the waiting request", second)
	}
	cron, err := crons.Get(t.Context(), "trigger", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if cron.Generation != 1 || cron.Status.TriggerRequest == nil || cron.Status.TriggerRequest.Coalesced != 1 {
		t.Errorf("recorded %+v at generation %d", cron.Status.TriggerRequest, cron.Generation)
	}
	// When the poll has answered it, the same request is not asked again, and another is.
	cron.Status.LastTrigger = &v1beta1.TriggerOutcome{
		RequestID: "one", Coalesced: 1, Outcome: v1beta1.PollUnchanged,
		RequestedAt: cron.Status.TriggerRequest.RequestedAt, HandledAt: metav1.Now(),
	}
	if _, err := crons.UpdateStatus(t.Context(), cron, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if repeated := trigger("one"); repeated.RequestID != "one" || repeated.Coalesced {
		t.Errorf("repeated answer is %+v", repeated)
	}
	if third := trigger("three"); third.RequestID != "three" || third.Coalesced {
		t.Errorf("third answer is %+v", third)
	}
}

func testTriggerMissing(t *testing.T, s *server) {
	_, err := s.client.CdiV1beta1().DataImportCrons(namespace).Trigger(t.Context(), "nobody", &v1beta1.DataImportCronTrigger{}, metav1.CreateOptions{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("got %v, want 404", err)
	}
}

// testTriggerEmptyBody sends what "kubectl create --raw URL -f /dev/null" does.
func testTriggerEmptyBody(t *testing.T, s *server) {
	createDocumented(t, s, "empty")
	client, err := rest.HTTPClientFor(s.config)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Post(s.config.Host+"/apis/cdi.kubevirt.io/v1beta1/namespaces/"+namespace+"/dataimportcrons/empty/trigger", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusCreated {
		t.Errorf("answer is %s", response.Status)
	}
	cron, err := s.client.CdiV1beta1().DataImportCrons(namespace).Get(t.Context(), "empty", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if cron.Status.TriggerRequest == nil || cron.Status.TriggerRequest.RequestID == "" {
		t.Errorf("recorded %+v", cron.Status.TriggerRequest)
	}
}

func testTriggerDryRun(t *testing.T, s *server) {
	crons := s.client.CdiV1beta1().DataImportCrons(namespace)
	createDocumented(t, s, "dry")
	answer, err := crons.Trigger(t.Context(), "dry", &v1beta1.DataImportCronTrigger{}, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	if err != nil || answer.Status.RequestID == "" {
		t.Fatalf("got %+v, %v", answer, err)
	}
	cron, err := crons.Get(t.Context(), "dry", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if cron.Status.TriggerRequest != nil {
		t.Errorf("recorded %+v", cron.Status.TriggerRequest)
	}
}

// testDeleteCollection asks as the namespace controller does: for protocol buffers rather than
// JSON, and for metadata alone.
func testDeleteCollection(t *testing.T, s *server) {
	client, err := metadata.NewForConfig(metadata.ConfigFor(s.config))
	if err != nil {
		t.Fatal(err)
	}
	sources := client.Resource(v1beta1.SchemeGroupVersion.WithResource("datasources")).Namespace("emptied")
	source := &v1beta1.DataSource{ObjectMeta: metav1.ObjectMeta{Name: "s"}}
	if _, err := s.client.CdiV1beta1().DataSources("emptied").Create(t.Context(), source, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{1, 0} {
		list, err := sources.List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if len(list.Items) != want {
			t.Errorf("%d are listed, want %d", len(list.Items), want)
		}
		if err := sources.DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

// testStaleOpenAPI asks as kube-apiserver does when it has not seen an upgrade yet.
func testStaleOpenAPI(t *testing.T, s *server) {
	client, err := rest.HTTPClientFor(s.config)
	if err != nil {
		t.Fatal(err)
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := client.Get(s.config.Host + "/openapi/v3/apis/cdi.kubevirt.io/v1beta1?hash=0123")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		t.Errorf("answer is %s", response.Status)
	}
}

func testDiscovery(t *testing.T, s *server) {
	resources, err := s.client.Discovery().ServerResourcesForGroupVersion(v1beta1.SchemeGroupVersion.String())
	if err != nil {
		t.Fatal(err)
	}
	type words struct {
		Short, Categories []string
		Namespaced        bool
	}
	all := []string{"all"}
	got := map[string]words{}
	for _, resource := range resources.APIResources {
		got[resource.Name] = words{resource.ShortNames, resource.Categories, resource.Namespaced}
	}
	want := map[string]words{
		"dataimportcrons": {[]string{"dic", "dics"}, all, true}, "dataimportcrons/status": {Namespaced: true}, "dataimportcrons/trigger": {Namespaced: true},
		"datasources": {[]string{"das"}, all, true}, "datasources/status": {Namespaced: true},
		"datavolumes": {[]string{"dv", "dvs"}, all, true}, "datavolumes/status": {Namespaced: true},
		"storageprofiles": {}, "storageprofiles/status": {},
		"cdiconfigs": {}, "cdiconfigs/status": {},
		"cdis": {Short: []string{"cdi", "cdis"}}, "cdis/status": {},
		"volumeimportsources": {Namespaced: true}, "volumeclonesources": {Namespaced: true}, "volumeuploadsources": {Namespaced: true},
		"objecttransfers": {Short: []string{"ot", "ots"}}, "objecttransfers/status": {},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNothingIsLostWhenTheServerStartsAgain(t *testing.T) {
	dir := dataDir(t)
	s := start(t, dir)
	before := createDocumented(t, s, "kept")
	s.kill()
	s = start(t, dir)
	after, err := s.client.CdiV1beta1().DataImportCrons(namespace).Get(t.Context(), "kept", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Error(diff)
	}
}

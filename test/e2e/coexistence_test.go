//go:build e2e

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	apidiscoveryv2 "k8s.io/api/apidiscovery/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	group      = "cdi.kubevirt.io"
	apiVersion = group + "/v1beta1"
	apiService = "v1beta1." + group
	// fetches is how often a document is read to see that it stays the same.
	fetches = 100
	// definitionPrefix is that of our kinds in OpenAPI.
	definitionPrefix = "dev.goldenimage.cdi.v1beta1."
)

// clusterConfig is the administrator's, without a limit of requests of its own.
func clusterConfig(t *testing.T) *rest.Config {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", strings.TrimSpace(run(t, "", "hack/cluster/kubeconfig.sh")))
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	return config
}

// fetch reads a document of the real kube-apiserver.
func fetch(t *testing.T, client kubernetes.Interface, path, accept string) []byte {
	t.Helper()
	data, err := client.Discovery().RESTClient().Get().AbsPath(path).SetHeader("Accept", accept).DoRaw(t.Context())
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return data
}

// A definition is what there is to know of a CustomResourceDefinition.
type definition struct {
	Metadata metav1.ObjectMeta
	Spec     struct {
		Group, Scope string
		Names        struct {
			Plural, Singular, Kind, ListKind string
			ShortNames, Categories           []string
		}
		Versions []struct {
			Name   string
			Served bool
		}
	}
}

// TestMarkersAgreeWithWhatIsServed compares what the aggregated discovery document says of
// the group, which each resource is in once, with the definitions that KubeVirt and other
// tools look for. These serve nothing themselves.
func TestMarkersAgreeWithWhatIsServed(t *testing.T) {
	client := kubernetes.NewForConfigOrDie(clusterConfig(t))
	var discovery apidiscoveryv2.APIGroupDiscoveryList
	document := fetch(t, client, "/apis", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")
	if err := json.Unmarshal(document, &discovery); err != nil {
		t.Fatal(err)
	}
	var served []string
	for _, g := range discovery.Items {
		if g.Name != group {
			continue
		}
		if served != nil || len(g.Versions) != 1 || g.Versions[0].Version != "v1beta1" || g.Versions[0].Freshness != apidiscoveryv2.DiscoveryFreshnessCurrent {
			t.Fatalf("want the group once, with one current version: %+v", g)
		}
		for _, r := range g.Versions[0].Resources {
			served = append(served, fmt.Sprintf("%s singular=%s kind=%s scope=%s short=%v categories=%v",
				r.Resource, r.SingularResource, r.ResponseKind.Kind, r.Scope, r.ShortNames, r.Categories))
		}
	}
	slices.Sort(served)

	var definitions struct{ Items []definition }
	if err := json.Unmarshal([]byte(kubectl(t, "get", "crds", "-o", "json")), &definitions); err != nil {
		t.Fatal(err)
	}
	var marked []string
	for _, d := range definitions.Items {
		if d.Spec.Group != group {
			continue
		}
		names := d.Spec.Names
		marked = append(marked, fmt.Sprintf("%s singular=%s kind=%s scope=%s short=%v categories=%v",
			names.Plural, names.Singular, names.Kind, d.Spec.Scope, names.ShortNames, names.Categories))
		if d.Metadata.Name != names.Plural+"."+group || names.ListKind != names.Kind+"List" {
			t.Errorf("%s: the names are %+v", d.Metadata.Name, names)
		}
		for _, version := range d.Spec.Versions {
			if version.Served {
				t.Errorf("%s: version %s is served", d.Metadata.Name, version.Name)
			}
		}
	}
	slices.Sort(marked)
	for i := range served {
		served[i] = strings.Replace(served[i], "scope=Namespace ", "scope=Namespaced ", 1)
	}
	if diff := cmp.Diff(marked, served); diff != "" {
		t.Errorf("-definitions +discovery: %s", diff)
	}
	if len(served) != 10 {
		t.Errorf("%d kinds are served, want 10", len(served))
	}
}

// TestAPIServiceIsVerified checks that the group-version is ours and that kube-apiserver
// checks our certificate.
func TestAPIServiceIsVerified(t *testing.T) {
	var service struct {
		Metadata metav1.ObjectMeta
		Spec     struct {
			Service               struct{ Namespace, Name string }
			CABundle              []byte
			InsecureSkipTLSVerify bool
		}
		Status struct{ Conditions []metav1.Condition }
	}
	if err := json.Unmarshal([]byte(kubectl(t, "get", "apiservice", apiService, "-o", "json")), &service); err != nil {
		t.Fatal(err)
	}
	if got := service.Spec.Service.Namespace + "/" + service.Spec.Service.Name; got != "golden-image/golden-image-apiserver" {
		t.Errorf("the service is %s", got)
	}
	if label, managed := service.Metadata.Labels["kube-aggregator.kubernetes.io/automanaged"]; managed {
		t.Errorf("kube-apiserver manages the APIService, as one of a definition: %s", label)
	}
	if service.Spec.InsecureSkipTLSVerify || !strings.Contains(string(service.Spec.CABundle), "BEGIN CERTIFICATE") {
		t.Errorf("the server's certificate is not checked: %+v", service.Spec)
	}
	for _, condition := range service.Status.Conditions {
		if condition.Type == "Available" && condition.Status == metav1.ConditionTrue {
			return
		}
	}
	t.Errorf("not available: %+v", service.Status.Conditions)
}

// An openAPIView is what one fetch of the OpenAPI documents has of the group.
type openAPIView struct {
	// V2 and V3 are sums of what is ours.
	V2, V3 string
	// whole is the sum of the complete version 2.
	whole string
	// index is what the index of version 3 has of the group.
	index string
}

// view fetches all documents once. Version 2 is read only if it is another than before.
func view(t *testing.T, client kubernetes.Interface, before openAPIView) openAPIView {
	t.Helper()
	v2 := fetch(t, client, "/openapi/v2", "application/json")
	now := openAPIView{whole: sum(v2), V2: before.V2}
	if now.whole != before.whole {
		now.V2 = ours(t, v2, "definitions")
	}
	v3 := fetch(t, client, "/openapi/v3/apis/"+apiVersion, "application/json")
	now.V3 = sum(v3)
	if now.V3 != before.V3 {
		var document struct{ Components json.RawMessage }
		if err := json.Unmarshal(v3, &document); err != nil {
			t.Fatalf("version 3: %v", err)
		}
		ours(t, document.Components, "schemas")
	}
	var index struct {
		Paths map[string]struct{ ServerRelativeURL string }
	}
	if err := json.Unmarshal(fetch(t, client, "/openapi/v3", "application/json"), &index); err != nil {
		t.Fatalf("the index of version 3: %v", err)
	}
	now.index = index.Paths["apis/"+apiVersion].ServerRelativeURL
	return now
}

func sum(data []byte) string {
	digest := sha256.Sum256(data)
	return hex.EncodeToString(digest[:])
}

// ours returns a sum of the definitions that are ours, and of the group's paths if there are
// any. The three main kinds have to be among them.
func ours(t *testing.T, data []byte, definitions string) string {
	t.Helper()
	var document map[string]json.RawMessage
	if err := json.Unmarshal(data, &document); err != nil {
		t.Fatalf("not valid: %v", err)
	}
	var all strings.Builder
	found := map[string]bool{}
	for _, part := range []struct{ name, prefix string }{{definitions, definitionPrefix}, {"paths", "/apis/" + group}} {
		var entries map[string]json.RawMessage
		if raw, ok := document[part.name]; !ok {
			continue
		} else if err := json.Unmarshal(raw, &entries); err != nil {
			t.Fatalf("%s: not valid: %v", part.name, err)
		}
		var names []string
		for name := range entries {
			if strings.HasPrefix(name, part.prefix) {
				found[name] = true
				names = append(names, name)
			}
		}
		slices.Sort(names)
		for _, name := range names {
			all.WriteString(name)
			all.Write(entries[name])
		}
	}
	for _, kind := range []string{"DataImportCron", "DataSource", "DataVolume", "DataImportCronTrigger", "StorageProfile", "CDIConfig"} {
		if !found[definitionPrefix+kind] {
			t.Fatalf("%s lacks %s", definitions, kind)
		}
	}
	return sum([]byte(all.String()))
}

// TestOpenAPIIsSteady fetches the OpenAPI documents of the real kube-apiserver many times,
// first at rest and then while definitions of another group come and go.
func TestOpenAPIIsSteady(t *testing.T) {
	client := kubernetes.NewForConfigOrDie(clusterConfig(t))
	first := view(t, client, openAPIView{})
	if first.index == "" {
		t.Fatal("the index of version 3 lacks the group")
	}
	compare := func(now openAPIView) {
		t.Helper()
		if diff := cmp.Diff(first, now, cmp.AllowUnexported(openAPIView{})); diff != "" {
			t.Fatal(diff)
		}
	}
	for range fetches {
		compare(view(t, client, first))
	}
	explained := kubectl(t, "explain", "dic", "--recursive")
	changes := map[string]bool{}
	for i := range fetches {
		if i%10 == 0 {
			churn(t, i/10)
			if now := kubectl(t, "explain", "dic", "--recursive"); now != explained {
				t.Fatalf("explain: %s", cmp.Diff(explained, now))
			}
		}
		now := view(t, client, openAPIView{})
		changes[now.whole] = true
		now.whole = first.whole // the other group is in it
		compare(now)
	}
	if len(changes) < 2 {
		t.Error("the documents never changed: the definitions that came and went were not in them")
	}
}

// churn makes a definition of another group and ends the one before.
func churn(t *testing.T, round int) {
	t.Helper()
	name := func(round int) string { return fmt.Sprintf("steadies%d.e2e.golden-image.test", round) }
	kubectl(t, "delete", "crd", name(round-1), "--ignore-not-found", "--wait=false")
	apply(t, fmt.Sprintf(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: %s}
spec:
  group: e2e.golden-image.test
  scope: Namespaced
  names: {plural: steadies%[2]d, singular: steady%[2]d, kind: Steady%[2]d, listKind: Steady%[2]dList}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object}}}}
`, name(round), round))
	t.Cleanup(func() { kubectlAfter(t, "delete", "crd", name(round), "--ignore-not-found") })
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package dataimportcron

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	openapinamer "k8s.io/apiserver/pkg/endpoints/openapi"
	"k8s.io/apiserver/pkg/registry/rest"
	genericapiserver "k8s.io/apiserver/pkg/server"
	restclient "k8s.io/client-go/rest"
	basecompatibility "k8s.io/component-base/compatibility"
	"k8s.io/component-base/version"

	"goldenimage.dev/pkg/apis/cdi"
	"goldenimage.dev/pkg/apis/cdi/install"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/generated/openapi"
)

// parent stands in for the storage of dataimportcrons, of which the machinery wants to know the
// scope.
type parent struct{}

func (parent) New() runtime.Object     { return &cdi.DataImportCron{} }
func (parent) Destroy()                {}
func (parent) NamespaceScoped() bool   { return true }
func (parent) GetSingularName() string { return "dataimportcron" }

// serve returns an API server that has nothing but triggers of what is in a store.
func serve(t *testing.T, s *store) http.Handler {
	t.Helper()
	scheme := runtime.NewScheme()
	install.Install(scheme)
	unversioned := schema.GroupVersion{Version: "v1"}
	metav1.AddToGroupVersion(scheme, unversioned)
	scheme.AddUnversionedTypes(unversioned, &metav1.Status{}, &metav1.APIVersions{}, &metav1.APIGroupList{}, &metav1.APIGroup{}, &metav1.APIResourceList{})
	codecs := serializer.NewCodecFactory(scheme)
	config := genericapiserver.NewConfig(codecs)
	config.EffectiveVersion = basecompatibility.NewEffectiveVersionFromString(version.DefaultKubeBinaryVersion, "", "")
	config.ExternalAddress, config.LoopbackClientConfig = "localhost:443", &restclient.Config{}
	namer := openapinamer.NewDefinitionNamer(scheme)
	config.OpenAPIConfig = genericapiserver.DefaultOpenAPIConfig(openapi.GetOpenAPIDefinitions, namer)
	config.OpenAPIV3Config = genericapiserver.DefaultOpenAPIV3Config(openapi.GetOpenAPIDefinitions, namer)
	server, err := config.Complete(nil).New("test", genericapiserver.NewEmptyDelegate())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Destroy)
	group := genericapiserver.NewDefaultAPIGroupInfo(cdi.GroupName, scheme, metav1.ParameterCodec, codecs)
	group.VersionedResourcesStorageMap["v1beta1"] = map[string]rest.Storage{
		"dataimportcrons": parent{}, "dataimportcrons/trigger": trigger(s),
	}
	if err := server.InstallAPIGroup(&group); err != nil {
		t.Fatal(err)
	}
	server.PrepareRun()
	return server.Handler
}

func post(t *testing.T, handler http.Handler, query, contentType, body string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequest(http.MethodPost, "/apis/cdi.kubevirt.io/v1beta1/namespaces/golden-images/dataimportcrons/fedora/trigger"+query, strings.NewReader(body))
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, req)
	return answer
}

const (
	asJSON = "application/json"
	asYAML = "application/yaml"
)

func TestBodiesOnTheWire(t *testing.T) {
	const typed = "apiVersion: cdi.kubevirt.io/v1beta1\nkind: DataImportCronTrigger\nmetadata: {name: fedora, uid: uid-1}\n"
	for name, test := range map[string]struct {
		query, contentType, body string
		code                     int
		// says is in the answer.
		says string
	}{
		"an empty object":                    {contentType: asJSON, body: `{}`, code: 201},
		"one without Content-Type":           {body: `{}`, code: 201},
		"JSON without a kind":                {contentType: asJSON, body: `{"spec":{"requestID":"r1"}}`, code: 201, says: `"spec":{"requestID":"r1"},`},
		"JSON":                               {contentType: asJSON, body: `{"apiVersion":"cdi.kubevirt.io/v1beta1","kind":"DataImportCronTrigger","spec":{"reason":"a"}}`, code: 201, says: `"reason":"a"`},
		"YAML without a kind":                {contentType: asYAML, body: "spec: {requestID: r1}", code: 201, says: `"spec":{"requestID":"r1"},`},
		"YAML":                               {contentType: asYAML, body: typed, code: 201},
		"the cron's UID":                     {contentType: asJSON, body: `{"metadata":{"uid":"uid-1"}}`, code: 201, says: `"uid":"uid-1"`},
		"another UID":                        {contentType: asJSON, body: `{"metadata":{"uid":"uid-0"}}`, code: 409, says: "metadata.uid"},
		"an old version":                     {contentType: asJSON, body: `{"metadata":{"resourceVersion":"6"}}`, code: 409, says: "metadata.resourceVersion"},
		"another name":                       {contentType: asJSON, body: `{"metadata":{"name":"rhel"}}`, code: 400, says: "metadata.name"},
		"another namespace":                  {contentType: asJSON, body: `{"metadata":{"namespace":"default"}}`, code: 400, says: "namespace"},
		"another kind":                       {contentType: asJSON, body: `{"apiVersion":"cdi.kubevirt.io/v1beta1","kind":"DataImportCron"}`, code: 400, says: "cannot be handled as a DataImportCronTrigger"},
		"what is no ID":                      {contentType: asJSON, body: `{"spec":{"requestID":"-"}}`, code: 422, says: `"field":"spec.requestID"`},
		"a status, which is ignored":         {contentType: asJSON, body: `{"status":{"requestID":"mine"}}`, code: 201},
		"an unknown field":                   {contentType: asJSON, body: `{"spec":{"now":true}}`, code: 201},
		"an unknown field, strictly":         {query: "?fieldValidation=Strict", contentType: asJSON, body: `{"spec":{"now":true}}`, code: 400, says: `unknown field \"spec.now\"`},
		"an unknown field, strictly in YAML": {query: "?fieldValidation=Strict", contentType: asYAML, body: "spec: {now: true}", code: 400, says: `unknown field \"spec.now\"`},
		"what is no JSON":                    {contentType: asJSON, body: `{`, code: 400},
		"CBOR is not offered":                {contentType: "application/cbor", body: "\xd9\xd9\xf7\xa0", code: 415, says: "application/json, application/yaml"},
		"a dry run":                          {query: "?dryRun=All", contentType: asJSON, body: `{}`, code: 201},
		"half a dry run":                     {query: "?dryRun=Some", contentType: asJSON, body: `{}`, code: 422, says: "dryRun"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &store{cron: stored(cdi.DataImportCronStatus{})}
			answer := post(t, serve(t, s), test.query, test.contentType, test.body)
			if answer.Code != test.code || !strings.Contains(answer.Body.String(), test.says) {
				t.Errorf("answer %d without %q: %s", answer.Code, test.says, answer.Body)
			}
			if recorded := s.writes == 1; recorded != (test.code == http.StatusCreated && !strings.Contains(test.query, "dryRun")) {
				t.Errorf("recorded %t", recorded)
			}
		})
	}
}

func TestAnswerOnTheWire(t *testing.T) {
	s := &store{cron: stored(cdi.DataImportCronStatus{})}
	answer := post(t, serve(t, s), "", asJSON, `{"metadata":{"labels":{"a":"b"}},"spec":{"requestID":"r1","force":true}}`)
	want := `{"kind":"DataImportCronTrigger","apiVersion":"cdi.kubevirt.io/v1beta1",` +
		`"metadata":{"name":"fedora","namespace":"golden-images","uid":"uid-1","creationTimestamp":"2026-10-01T12:00:00Z"},` +
		`"spec":{"requestID":"r1","force":true},"status":{"requestID":"r1","requestedAt":"2026-10-01T12:00:00Z"}}`
	if diff := cmp.Diff(want, strings.TrimSpace(answer.Body.String())); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

func TestRetryAfterOnTheWire(t *testing.T) {
	s := &store{cron: stored(limitedStatus(at(90*time.Minute), cdi.DataImportCronStatus{}))}
	answer := post(t, serve(t, s), "", asJSON, `{}`)
	var status metav1.Status
	if err := json.Unmarshal(answer.Body.Bytes(), &status); err != nil {
		t.Fatal(err)
	}
	if answer.Code != http.StatusTooManyRequests || answer.Header().Get("Retry-After") != "5400" || status.Details.RetryAfterSeconds != 5400 {
		t.Errorf("answer %d, Retry-After %q: %s", answer.Code, answer.Header().Get("Retry-After"), answer.Body)
	}
}

// TestOperation is about what the machinery makes of the storage in the OpenAPI document.
func TestOperation(t *testing.T) {
	answer := httptest.NewRecorder()
	serve(t, &store{}).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/openapi/v3/apis/cdi.kubevirt.io/v1beta1", nil))
	type content map[string]struct {
		Schema struct {
			Ref string `json:"$ref"`
		}
	}
	var document struct {
		Paths map[string]struct {
			Post struct {
				OperationID string
				Action      string                  `json:"x-kubernetes-action"`
				Kind        metav1.GroupVersionKind `json:"x-kubernetes-group-version-kind"`
				RequestBody struct{ Content content }
				Responses   map[string]struct{ Content content }
			}
		}
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &document); err != nil {
		t.Fatalf("%v: %d %s", err, answer.Code, answer.Body)
	}
	operation := document.Paths["/apis/cdi.kubevirt.io/v1beta1/namespaces/{namespace}/dataimportcrons/{name}/trigger"].Post
	got := map[string]string{
		"operation": operation.OperationID, "action": operation.Action, "kind": operation.Kind.Kind,
		"body": operation.RequestBody.Content["*/*"].Schema.Ref,
	}
	for code, response := range operation.Responses {
		got[code] = response.Content[asJSON].Schema.Ref
	}
	schemaOf := "#/components/schemas/" + v1beta1.DataImportCronTrigger{}.OpenAPIModelName()
	want := map[string]string{
		"operation": "createCdiKubevirtIoV1beta1NamespacedDataImportCronTrigger", "action": "post", "kind": "DataImportCronTrigger",
		"body": schemaOf, "200": schemaOf, "201": schemaOf, "202": schemaOf,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("operation (-want +got):\n%s", diff)
	}
}

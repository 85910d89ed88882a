// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// send posts a body to the trigger of a cron and returns the answer with its body.
func send(t *testing.T, s *server, cron, query, contentType, body string) (answer, string) {
	t.Helper()
	client, err := rest.HTTPClientFor(s.config)
	if err != nil {
		t.Fatal(err)
	}
	url := s.config.Host + "/apis/cdi.kubevirt.io/v1beta1/namespaces/" + namespace + "/dataimportcrons/" + cron + "/trigger" + query
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, text}, string(text)
}

func TestBodiesOfTriggers(t *testing.T) {
	s := start(t, dataDir(t))
	created := createDocumented(t, s, "bodies")
	const asJSON, asYAML = "application/json", "application/yaml"
	for name, test := range map[string]struct {
		cron, query, contentType, body string
		code                           int
		// want is in the answer.
		want string
	}{
		"an empty body":                          {"", "", "", "", http.StatusCreated, `"requestID":`},
		"an empty body that is said to be JSON":  {"", "", asJSON, "", http.StatusCreated, `"requestID":`},
		"an empty body that is said to be YAML":  {"", "", asYAML, "", http.StatusCreated, `"requestID":`},
		"an empty object":                        {"", "", asJSON, "{}", http.StatusCreated, `"kind":"DataImportCronTrigger"`},
		"an object without a kind":               {"", "", asJSON, `{"spec":{"requestID":"json"}}`, http.StatusCreated, `"apiVersion":"cdi.kubevirt.io/v1beta1"`},
		"an object with its kind":                {"", "", asJSON, `{"apiVersion":"cdi.kubevirt.io/v1beta1","kind":"DataImportCronTrigger","spec":{"reason":"a new build"}}`, http.StatusCreated, `"reason":"a new build"`},
		"YAML":                                   {"", "", asYAML, "spec:\n  requestID: yaml\n", http.StatusCreated, `"spec":{"requestID":"yaml"}`},
		"YAML with its kind":                     {"", "", asYAML, "apiVersion: cdi.kubevirt.io/v1beta1\nkind: DataImportCronTrigger\n", http.StatusCreated, `"requestID":`},
		"another kind":                           {"", "", asJSON, `{"apiVersion":"cdi.kubevirt.io/v1beta1","kind":"DataSource"}`, http.StatusBadRequest, "DataSource"},
		"another name":                           {"", "", asJSON, `{"metadata":{"name":"other"}}`, http.StatusBadRequest, "the URL names"},
		"another namespace":                      {"", "", asJSON, `{"metadata":{"namespace":"other"}}`, http.StatusBadRequest, "namespace"},
		"another UID":                            {"", "", asJSON, `{"metadata":{"uid":"00000000-0000-0000-0000-000000000000"}}`, http.StatusConflict, "metadata.uid"},
		"the right UID":                          {"", "", asJSON, `{"metadata":{"uid":"` + string(created.UID) + `"}}`, http.StatusCreated, string(created.UID)},
		"an unknown field, strictly":             {"", "?fieldValidation=Strict", asJSON, `{"spec":{"wish":"now"}}`, http.StatusBadRequest, `unknown field \"spec.wish\"`},
		"what cannot be read":                    {"", "", asJSON, `{`, http.StatusBadRequest, "BadRequest"},
		"all mistakes at once":                   {"", "", asJSON, `{"spec":{"requestID":"no spaces","reason":"two\nlines"}}`, http.StatusUnprocessableEntity, `"field":"spec.requestID"`},
		"the second of the mistakes":             {"", "", asJSON, `{"spec":{"requestID":"no spaces","reason":"two\nlines"}}`, http.StatusUnprocessableEntity, `"field":"spec.reason"`},
		"a cron that is not there":               {"nobody", "", asJSON, "{}", http.StatusNotFound, `"reason":"NotFound"`},
		"CBOR, which is not offered":             {"", "", "application/cbor", "\xd9\xd9\xf7\xa0", http.StatusUnsupportedMediaType, "UnsupportedMediaType"},
		"protocol buffers, which are not either": {"", "", protobuf, "k8s\x00", http.StatusUnsupportedMediaType, "application/json"},
		"a dry run":                              {"", "?dryRun=All", asJSON, `{"spec":{"requestID":"dry"}}`, http.StatusCreated, `"requestID":`},
	} {
		t.Run(name, func(t *testing.T) {
			cron := test.cron
			if cron == "" {
				cron = "bodies"
			}
			response, body := send(t, s, cron, test.query, test.contentType, test.body)
			if response.code != test.code || !strings.Contains(body, test.want) {
				t.Errorf("answer %d without %s: %s", response.code, test.want, body)
			}
		})
	}
	cron, err := s.client.CdiV1beta1().DataImportCrons(namespace).Get(t.Context(), "bodies", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range cron.Status.RecentTriggers {
		if record.ID == "dry" {
			t.Error("the dry run is recorded")
		}
	}
}

func TestTriggersThatHaveToWait(t *testing.T) {
	s := start(t, dataDir(t))
	crons := s.client.CdiV1beta1().DataImportCrons(namespace)
	cron := createDocumented(t, s, "limited")
	if response, body := send(t, s, "limited", "", "application/json", `{"spec":{"requestID":"before"}}`); response.code != http.StatusCreated {
		t.Fatal(body)
	}
	cron, err := crons.Get(t.Context(), cron.Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	cron.Status.NextPoll = new(metav1.NewTime(time.Now().Add(time.Hour)))
	cron.Status.Conditions = []v1beta1.DataImportCronCondition{{
		Type: v1beta1.DataImportCronSourceReachable, ConditionState: v1beta1.ConditionState{Status: corev1.ConditionFalse, Reason: "RateLimited", Message: "quay.io asks to wait"},
	}}
	if _, err := crons.UpdateStatus(t.Context(), cron, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	response, body := send(t, s, "limited", "", "application/json", "{}")
	var seconds int
	if _, err := fmt.Sscan(response.header.Get("Retry-After"), &seconds); err != nil || response.code != http.StatusTooManyRequests || seconds < 3500 || seconds > 3600 {
		t.Errorf("answer %d, Retry-After %q: %s", response.code, response.header.Get("Retry-After"), body)
	}
	if !strings.Contains(body, "quay.io asks to wait") {
		t.Errorf("the answer does not say why: %s", body)
	}
	if response, body := send(t, s, "limited", "", "application/json", `{"spec":{"requestID":"before"}}`); response.code != http.StatusCreated {
		t.Errorf("a request that is known: %s", body)
	}
}

func TestTriggersOfACronThatGoes(t *testing.T) {
	s := start(t, dataDir(t))
	createDocumented(t, s, "going")
	crons := s.client.CdiV1beta1().DataImportCrons(namespace)
	if _, err := crons.Patch(t.Context(), "going", types.MergePatchType, []byte(`{"metadata":{"finalizers":["example.com/hold"]}}`), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := crons.Delete(t.Context(), "going", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	_, err := crons.Trigger(t.Context(), "going", &v1beta1.DataImportCronTrigger{}, metav1.CreateOptions{})
	if !apierrors.IsConflict(err) || !strings.Contains(err.Error(), "being deleted") {
		t.Errorf("got %v, want 409", err)
	}
}

func TestTriggersOnAnyReplica(t *testing.T) {
	one := start(t, dataDir(t))
	two := startOn(t, dataDir(t), one.etcd)
	createDocumented(t, one, "replicas")
	const requests = 20
	answers := make(chan v1beta1.DataImportCronTriggerStatus, 2*requests)
	for i := range requests {
		for _, s := range []*server{one, two} {
			go func() {
				request := &v1beta1.DataImportCronTrigger{Spec: v1beta1.DataImportCronTriggerSpec{RequestID: fmt.Sprint("r", i)}}
				answer, err := s.client.CdiV1beta1().DataImportCrons(namespace).Trigger(t.Context(), "replicas", request, metav1.CreateOptions{})
				if err != nil {
					t.Error(err)
					answer = request
				}
				answers <- answer.Status
			}()
		}
	}
	stands := map[string]int{}
	for range 2 * requests {
		answer := <-answers
		stands[answer.RequestID]++
	}
	if len(stands) != 1 {
		t.Errorf("requests that stand for the others: %v, want one", stands)
	}
	cron, err := two.client.CdiV1beta1().DataImportCrons(namespace).Get(t.Context(), "replicas", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	// Each ID was sent to both, and counts once.
	if diff := cmp.Diff(int32(requests-1), cron.Status.TriggerRequest.Coalesced); diff != "" {
		t.Errorf("coalesced (-want +got):\n%s", diff)
	}
	if data, err := json.Marshal(cron.Status.RecentTriggers); err != nil || len(cron.Status.RecentTriggers) != requests {
		t.Errorf("recorded %s, %v", data, err)
	}
}

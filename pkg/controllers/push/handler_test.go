// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package push

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/clock"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/generated/clientset/versioned/fake"
	cdiinformers "goldenimage.dev/pkg/generated/informers/externalversions"
)

const token = "0123456789abcdef"

func cronOf(name, url string, change func(*v1beta1.DataImportCron)) *v1beta1.DataImportCron {
	cron := &v1beta1.DataImportCron{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}}
	cron.Spec.Template.Spec.Source = &v1beta1.DataVolumeSource{Registry: &v1beta1.DataVolumeSourceRegistry{URL: &url}}
	if change != nil {
		change(cron)
	}
	return cron
}

// world runs a Receiver beside these crons.
func world(t *testing.T, tokens map[string][]byte, crons ...*v1beta1.DataImportCron) (*Receiver, *fake.Clientset) {
	t.Helper()
	client := fake.NewSimpleClientset()
	factory := cdiinformers.NewSharedInformerFactory(client, 0)
	r, err := New(Config{
		Client: client, Crons: factory.Cdi().V1beta1().DataImportCrons(), Clock: clock.RealClock{}, Metrics: NewMetrics(),
		Secret: func(context.Context) (*corev1.Secret, error) { return &corev1.Secret{Data: tokens}, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	r.synced = func() bool { return true }
	for _, cron := range crons {
		if err := r.crons.Add(cron); err != nil {
			t.Fatal(err)
		}
	}
	return r, client
}

func post(body, query string, headers ...string) *http.Request {
	req := httptest.NewRequest(http.MethodPost, Path+query, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return req
}

func TestWhoMaySend(t *testing.T) {
	const body = `{"events":[]}`
	mac := hmac.New(sha256.New, []byte(token))
	mac.Write([]byte(body))
	signature := signaturePrefix + hex.EncodeToString(mac.Sum(nil))
	basic := post(body, "")
	basic.SetBasicAuth("anybody", token)
	for name, test := range map[string]struct {
		req  *http.Request
		want int
	}{
		"nobody":                      {req: post(body, ""), want: http.StatusUnauthorized},
		"bearer":                      {req: post(body, "", "Authorization", "Bearer "+token), want: http.StatusOK},
		"the token alone":             {req: post(body, "", "Authorization", token), want: http.StatusOK},
		"basic":                       {req: basic, want: http.StatusOK},
		"in the URL":                  {req: post(body, "?token="+token), want: http.StatusOK},
		"signed":                      {req: post(body, "", signatureHeader, signature), want: http.StatusOK},
		"signature of another body":   {req: post(body+" ", "", signatureHeader, signature), want: http.StatusUnauthorized},
		"wrong token":                 {req: post(body, "", "Authorization", "Bearer x"+token), want: http.StatusUnauthorized},
		"a token that is too short":   {req: post(body, "", "Authorization", "short"), want: http.StatusUnauthorized},
		"wrong header, right URL":     {req: post(body, "?token="+token, "Authorization", "no"), want: http.StatusUnauthorized},
		"a body that is too large":    {req: post(strings.Repeat(" ", maxBody+1), "?token="+token), want: http.StatusRequestEntityTooLarge},
		"no JSON by its type":         {req: post(body, "?token="+token, "Content-Type", "text/plain"), want: http.StatusUnsupportedMediaType},
		"a notification nobody knows": {req: post(`{}`, "?token="+token), want: http.StatusBadRequest},
		"a read":                      {req: httptest.NewRequest(http.MethodGet, Path, nil), want: http.StatusMethodNotAllowed},
		"a path that there is not":    {req: httptest.NewRequest(http.MethodPost, "/", nil), want: http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := world(t, map[string][]byte{"ci": []byte(token), "b": []byte("short")})
			w := httptest.NewRecorder()
			if r.ServeHTTP(w, test.req); w.Code != test.want {
				t.Errorf("got %d %s, want %d", w.Code, w.Body, test.want)
			}
		})
	}
}

func TestStrangersAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := world(t, map[string][]byte{"ci": []byte(token)})
		codes := map[int]int{}
		for range failuresBurst + 3 {
			w := httptest.NewRecorder()
			r.ServeHTTP(w, post("{}", ""))
			codes[w.Code]++
		}
		if diff := cmp.Diff(map[int]int{http.StatusUnauthorized: failuresBurst, http.StatusTooManyRequests: 3}, codes); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens := map[string][]byte{"ci": []byte(token)}
		r, _ := world(t, tokens)
		code := func() int {
			w := httptest.NewRecorder()
			r.ServeHTTP(w, post(`{"events":[]}`, "?token="+token))
			return w.Code
		}
		before := code()
		tokens["ci"] = []byte("another token of some length")
		time.Sleep(fresh) //nolint:forbidigo // in a bubble nobody waits for it
		if after := code(); before != http.StatusOK || after != http.StatusUnauthorized {
			t.Errorf("got %d, then %d", before, after)
		}
	})
}

func TestPushTriggers(t *testing.T) {
	body, err := os.ReadFile("testdata/distribution.json")
	if err != nil {
		t.Fatal(err)
	}
	const url = "docker://registry.example.com:5000/os/fedora:42"
	for name, test := range map[string]struct {
		cron    *v1beta1.DataImportCron
		query   string
		trigger bool
	}{
		"one that follows the tag": {cron: cronOf("a", url, nil), trigger: true},
		"another tag":              {cron: cronOf("a", "docker://registry.example.com:5000/os/fedora", nil)},
		"another port":             {cron: cronOf("a", "docker://registry.example.com/os/fedora:42", nil)},
		"a name that is told":      {cron: cronOf("a", "docker://outside.example.com/os/fedora:42", nil), query: "?registry=outside.example.com", trigger: true},
		"Docker Hub by its name":   {cron: cronOf("a", "docker://os/fedora:42", nil), query: "?registry=docker.io", trigger: true},
		"pinned":                   {cron: cronOf("a", "docker://registry.example.com:5000/os/fedora:42@sha256:"+strings.Repeat("a", 64), nil)},
		"suspended":                {cron: cronOf("a", url, func(c *v1beta1.DataImportCron) { c.Spec.Suspend = new(true) })},
		"held already": {cron: cronOf("a", url, func(c *v1beta1.DataImportCron) {
			c.Status.Source = &v1beta1.SourceRevision{Digest: "sha256:aaaa"}
		})},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, client := world(t, map[string][]byte{"ci": []byte(token)}, test.cron)
				ctx, stop := context.WithCancel(t.Context())
				go r.Run(ctx, 2)
				w := httptest.NewRecorder()
				r.ServeHTTP(w, post(string(body), test.query, "Authorization", "Bearer "+token))
				synctest.Wait()
				stop()
				synctest.Wait()
				var reasons []string
				for _, action := range client.Actions() {
					if created, ok := action.(clienttesting.CreateAction); ok {
						reasons = append(reasons, created.GetObject().(*v1beta1.DataImportCronTrigger).Spec.RequestID)
					}
				}
				if got := len(reasons) == 1 && w.Code == http.StatusAccepted; got != test.trigger {
					t.Errorf("triggers %v, answer %d %s", reasons, w.Code, w.Body)
				}
				if r.waiting != 0 {
					t.Errorf("%d still wait", r.waiting)
				}
			})
		})
	}
}

func TestRequestID(t *testing.T) {
	event := Event{Repository: "a", Tag: "t", ID: "1"}
	other := event
	other.ID = "2"
	again := event
	if requestID("ci", event) != requestID("ci", again) || requestID("ci", event) == requestID("ci", other) {
		t.Error("an event told again has the same ID, and no other has it")
	}
	if got := requestID("ci", Event{Repository: "a", Tag: "t"}); got != "" {
		t.Errorf("an event that cannot be told from the next one has the ID %q", got)
	}
}

func TestTooMuchWaits(t *testing.T) {
	r, _ := world(t, nil)
	if !r.enqueue(make([]job, maxWaiting+1)) {
		t.Error("one notification is accepted however many follow it")
	}
	if r.enqueue(make([]job, 1)) {
		t.Error("another is accepted although too many wait")
	}
}

// TestSlowSendersTakeUpNoMorePlaces has as many send as there are places, none of whom ends. Who
// signs has places of its own, as it is known only when the whole was read.
func TestSlowSendersTakeUpNoMorePlaces(t *testing.T) {
	for name, test := range map[string]struct {
		places  int
		headers []string
		others  []string
	}{
		"with tokens":     {places: maxRequests, headers: []string{"Authorization", "Bearer " + token}, others: []string{signatureHeader, "sha256=00"}},
		"with signatures": {places: maxSigned, headers: []string{signatureHeader, "sha256=00"}, others: []string{"Authorization", "Bearer " + token}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, _ := world(t, map[string][]byte{"hub": []byte(token)})
				send := func(body io.Reader, headers []string) *httptest.ResponseRecorder {
					req := post("", "", headers...)
					req.Body = io.NopCloser(body)
					w := httptest.NewRecorder()
					r.ServeHTTP(w, req)
					return w
				}
				slow, end := io.Pipe()
				for range test.places {
					go send(slow, test.headers)
				}
				synctest.Wait()
				refused := send(strings.NewReader("{}"), test.headers)
				if refused.Code != http.StatusServiceUnavailable || refused.Header().Get("Retry-After") == "" {
					t.Errorf("one more is answered %d", refused.Code)
				}
				if other := send(strings.NewReader("{}"), test.others); other.Code == http.StatusServiceUnavailable {
					t.Error("the others are kept out")
				}
				_ = end.Close()
				synctest.Wait()
				if again := send(strings.NewReader("{}"), test.headers); again.Code == http.StatusServiceUnavailable {
					t.Error("a place that was left is not free")
				}
			})
		})
	}
}

//go:build e2e

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"
)

// eventToken is what the test's sender knows.
const eventToken = "token-of-the-end-to-end-test"

// postEvent posts a notification of distribution to the server's Service, and returns the code
// of its answer.
func postEvent(t *testing.T, token, body string) int {
	t.Helper()
	authority, err := base64.StdEncoding.DecodeString(kubectl(t, "get", "apiservice", "v1beta1.cdi.kubevirt.io", "-o", "jsonpath={.spec.caBundle}"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	transport := &http.Transport{TLSClientConfig: &tls.Config{
		MinVersion: tls.VersionTLS12, RootCAs: roots, ServerName: "golden-image-apiserver.golden-image.svc",
	}}
	defer transport.CloseIdleConnections()
	address := get(t, "golden-image", "service/golden-image-apiserver", "{.spec.clusterIP}")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+address+":8444/registry-events", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/vnd.docker.distribution.events.v1+json")
	response, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }() // it is read to its end
	return response.StatusCode
}

// A registry that tells of a push has the image imported, although the schedule is far off.
func TestPush(t *testing.T) {
	t.Parallel()
	namespace := newNamespace(t, "e2e-push")
	const repository = "registry.golden-image.test/disks/push:1"
	run(t, "apiVersion: v1\nkind: Secret\nmetadata: {name: golden-image-registry-events, namespace: golden-image}\nstringData: {e2e: "+eventToken+"}\n",
		"hack/cluster/kubectl.sh", "apply", "-f", "-")
	push(t, repository, "push-one")
	apply(t, cronManifest{namespace: namespace, name: "pushed", url: repository}.String())
	wait(t, namespace, "dic/pushed", "condition=UpToDate")
	before := get(t, namespace, "dic/pushed", "{.status.source.digest}")
	push(t, repository, "push-two")
	const event = `{"events":[{"id":"e2e","action":"push","target":{"repository":"disks/push","tag":"1"},"request":{"host":"registry.golden-image.test"}}]}`
	if code := postEvent(t, "not-"+eventToken, event); code != http.StatusUnauthorized {
		t.Errorf("a wrong token is answered %d", code)
	}
	eventually(t, namespace, func() string { // The server may hold what the Secret said before.
		if code := postEvent(t, eventToken, event); code != http.StatusAccepted {
			return "the notification is answered " + http.StatusText(code)
		}
		return ""
	})
	eventually(t, namespace, func() string {
		if get(t, namespace, "dic/pushed", "{.status.source.digest}") == before {
			return "the image that was pushed is not seen"
		}
		return ""
	})
	wait(t, namespace, "dic/pushed", "condition=UpToDate")
}

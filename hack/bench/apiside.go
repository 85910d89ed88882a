// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// What is measured is a resource that no controller acts on, so that only the API works.
const (
	apiKind     = "VolumeImportSource"
	apiSingular = "volumeimportsource"
	apiResource = apiSingular + "s"
	// peerGroup is the group of the custom resource, which has the same version and names.
	peerGroup = "bench.golden-image.test"
)

// Namespaces of the objects: those that are listed, and those that come and go.
const (
	namespaceFull  = "bench-api"
	namespaceOther = "bench-api-other"
)

// A side is one of the two that serve the same objects.
type side struct {
	group string
	// client asks for gzip, plain does not. Each has its own connections.
	client, plain *apiClient
}

func newSide(config *rest.Config, group string) (*side, error) {
	client, err := newAPIClient(config, true)
	if err != nil {
		return nil, err
	}
	plain, err := newAPIClient(config, false)
	if err != nil {
		return nil, err
	}
	return &side{group: group, client: client, plain: plain}, nil
}

// collection is the path of a namespace's objects.
func (s *side) collection(namespace string) string {
	return "/apis/" + s.group + "/" + v1beta1.SchemeGroupVersion.Version + "/namespaces/" + namespace + "/" + apiResource
}

func (s *side) create(ctx context.Context, namespace, name string, number int) error {
	body, err := s.object(namespace, name, number)
	if err != nil {
		return err
	}
	_, err = s.client.send(ctx, call{method: http.MethodPost, path: s.collection(namespace), contentType: typeJSON, body: body})
	return err
}

func (s *side) get(ctx context.Context, namespace, name string) error {
	_, err := s.client.send(ctx, call{method: http.MethodGet, path: s.collection(namespace) + "/" + name})
	return err
}

// patch changes an annotation.
func (s *side) patch(ctx context.Context, namespace, name string, number int) error {
	body := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:"%d"}}}`, annotationChange, number)
	_, err := s.client.send(ctx, call{
		method: http.MethodPatch, path: s.collection(namespace) + "/" + name, contentType: typePatch, body: body,
	})
	return err
}

// deleteAll removes the objects of a namespace. A server ends the request after some time though
// it is not done.
func (s *side) deleteAll(ctx context.Context, namespace string) error {
	return eventually(ctx, "the objects of "+namespace+" to be deleted", func(ctx context.Context) (bool, error) {
		_, err := s.client.send(ctx, call{method: http.MethodDelete, path: s.collection(namespace)})
		if hasCode(err, http.StatusGatewayTimeout) {
			return false, nil
		}
		return true, err
	})
}

// annotationChange is what patches set.
const annotationChange = peerGroup + "/change"

// object returns an object the size of a real one: 1.7 KB with what the server adds to it.
func (s *side) object(namespace, name string, number int) ([]byte, error) {
	digits := strconv.Itoa(number)
	return json.Marshal(map[string]any{
		"apiVersion": s.group + "/" + v1beta1.SchemeGroupVersion.Version,
		"kind":       apiKind,
		"metadata": metav1.ObjectMeta{
			Namespace: namespace,
			Name:      name,
			Labels: map[string]string{
				"app.kubernetes.io/name":                      "golden-images",
				"app.kubernetes.io/part-of":                   "virtual-machines",
				"app.kubernetes.io/managed-by":                "gitops",
				"template.kubevirt.io/architecture":           "amd64",
				"instancetype.kubevirt.io/default-preference": "fedora." + digits,
			},
			Annotations: map[string]string{
				annotationChange:               "0",
				"example.com/revision":         "main@sha1:0f4d7c1c0a6b7c9f6e1d2b3a4958671f5e6d7c8b",
				"example.com/description":      "Disk number " + digits + " of the catalogue, built each night from the distribution's own image",
				"example.com/owner":            "team-" + strconv.Itoa(number%100),
				v1beta1.AnnImmediateBind:       "true",
				"argocd.argoproj.io/sync-wave": strconv.Itoa(number % 10),
			},
		},
		"spec": map[string]any{
			"contentType":   "kubevirt",
			"preallocation": false,
			"source": map[string]any{"registry": map[string]any{
				"url":           "docker://registry.example.com/golden-images/fedora-" + digits + ":latest",
				"pullMethod":    "pod",
				"secretRef":     "registry-credentials",
				"certConfigMap": "registry-certificates",
				"platform":      map[string]any{"architecture": "amd64"},
			}},
		},
	})
}

// query returns a path with parameters, which are names and values in turns.
func query(path string, parameters ...string) string {
	values := url.Values{}
	for i := 0; i < len(parameters); i += 2 {
		values.Set(parameters[i], parameters[i+1])
	}
	return path + "?" + values.Encode()
}

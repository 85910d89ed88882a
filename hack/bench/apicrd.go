// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

const (
	pathCRDs       = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
	pathNamespaces = "/api/v1/namespaces"
)

// prepareAPI makes the namespaces and the peer's custom resource, after it has removed those that
// an earlier run left behind.
func prepareAPI(ctx context.Context, admin *apiClient, ours, peer *side) error {
	if err := cleanAPI(ctx, admin, ours); err != nil {
		return err
	}
	version := v1beta1.SchemeGroupVersion.Version
	content, err := admin.send(ctx, call{method: http.MethodGet, path: "/openapi/v3/apis/" + ours.group + "/" + version})
	if err != nil {
		return fmt.Errorf("fetch the schema of the own API: %w", err)
	}
	schema, err := structural(content, ours.group, version, apiKind)
	if err != nil {
		return err
	}
	if err := add(ctx, admin, pathCRDs, customResource(schema)); err != nil {
		return err
	}
	for _, name := range []string{namespaceFull, namespaceOther} {
		namespace := map[string]any{
			"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name},
		}
		if err := add(ctx, admin, pathNamespaces, namespace); err != nil {
			return err
		}
	}
	for _, s := range []*side{ours, peer} {
		// A custom resource is served some time after it is created.
		err := eventually(ctx, s.group+" to be served", func(ctx context.Context) (bool, error) {
			_, err := s.client.send(ctx, call{method: http.MethodGet, path: s.collection(namespaceFull)})
			if hasCode(err, http.StatusNotFound) || hasCode(err, http.StatusTooManyRequests) {
				return false, nil
			}
			return true, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func add(ctx context.Context, admin *apiClient, path string, object map[string]any) error {
	body, err := json.Marshal(object)
	if err != nil {
		return err
	}
	_, err = admin.send(ctx, call{method: http.MethodPost, path: path, contentType: typeJSON, body: body})
	return err
}

// cleanAPI removes what prepareAPI made and what came into it. The objects of the custom
// resource go with it.
func cleanAPI(ctx context.Context, admin *apiClient, ours *side) error {
	for _, namespace := range []string{namespaceFull, namespaceOther} {
		if err := ours.deleteAll(ctx, namespace); err != nil {
			return err
		}
	}
	return errors.Join(
		remove(ctx, admin, pathCRDs+"/"+apiResource+"."+peerGroup),
		remove(ctx, admin, pathNamespaces+"/"+namespaceFull),
		remove(ctx, admin, pathNamespaces+"/"+namespaceOther),
	)
}

// remove deletes an object, if it is there, and waits until it is gone.
func remove(ctx context.Context, admin *apiClient, path string) error {
	if _, err := admin.send(ctx, call{method: http.MethodDelete, path: path}); err != nil {
		if hasCode(err, http.StatusNotFound) {
			return nil
		}
		if !hasCode(err, http.StatusConflict) { // it is being deleted already
			return err
		}
	}
	return eventually(ctx, path+" to be gone", func(ctx context.Context) (bool, error) {
		_, err := admin.send(ctx, call{method: http.MethodGet, path: path})
		if hasCode(err, http.StatusNotFound) {
			return true, nil
		}
		return false, err
	})
}

// customResource is the peer: the own resource's schema, names and version in another group.
func customResource(schema map[string]any) map[string]any {
	return map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1",
		"kind":       "CustomResourceDefinition",
		"metadata":   map[string]any{"name": apiResource + "." + peerGroup},
		"spec": map[string]any{
			"group": peerGroup,
			"scope": "Namespaced",
			"names": map[string]any{
				"kind": apiKind, "listKind": apiKind + "List", "plural": apiResource, "singular": apiSingular,
			},
			"versions": []any{map[string]any{
				"name": v1beta1.SchemeGroupVersion.Version, "served": true, "storage": true,
				"schema": map[string]any{"openAPIV3Schema": schema},
			}},
		},
	}
}

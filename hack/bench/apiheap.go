// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/client-go/rest"
)

// A memory is what the servers hold, in bytes.
type memory struct {
	// kube and ours are the live objects on the heaps of the two API servers.
	kube, ours float64
	// resident is the memory of all servers, with what waits to be collected.
	resident float64
}

// newHeapClients returns clients of the two API servers' profiles. Requests for those reach the
// own server by its Pod's address only, where its certificate has no name to check.
func newHeapClients(ctx context.Context, config *rest.Config) (kube, ours *apiClient, err error) {
	kube, err = newAPIClient(config, true)
	if err != nil {
		return nil, nil, err
	}
	const slices = "/apis/discovery.k8s.io/v1/namespaces/" + programNamespace + "/endpointslices"
	content, err := kube.send(ctx, call{
		method: http.MethodGet, path: query(slices, "labelSelector", discoveryv1.LabelServiceName+"="+programOurs),
	})
	if err != nil {
		return nil, nil, fmt.Errorf("find the address of the own server: %w", err)
	}
	host, err := firstAddress(content)
	if err != nil {
		return nil, nil, err
	}
	direct := rest.CopyConfig(config)
	direct.Host = "https://" + host
	direct.Insecure, direct.CAData, direct.CAFile = true, nil, ""
	ours, err = newAPIClient(direct, true)
	return kube, ours, err
}

// programNamespace is where the own server's Service is.
const programNamespace = "golden-image"

// firstAddress returns the host and port of a list of EndpointSlices.
func firstAddress(content []byte) (string, error) {
	var list discoveryv1.EndpointSliceList
	if err := json.Unmarshal(content, &list); err != nil {
		return "", fmt.Errorf("read the EndpointSlices: %w", err)
	}
	for _, slice := range list.Items {
		if len(slice.Ports) > 0 && slice.Ports[0].Port != nil && len(slice.Endpoints) > 0 && len(slice.Endpoints[0].Addresses) > 0 {
			return net.JoinHostPort(slice.Endpoints[0].Addresses[0], strconv.Itoa(int(*slice.Ports[0].Port))), nil
		}
	}
	return "", errors.New("the own server's Service has no endpoint")
}

// liveHeap has a server collect its garbage, and returns the size in bytes of what is left.
func liveHeap(ctx context.Context, c *apiClient) (float64, error) {
	content, err := c.send(ctx, call{method: http.MethodGet, path: query("/debug/pprof/heap", "gc", "1", "debug", "1")})
	if err != nil {
		return 0, fmt.Errorf("ask for the heap: %w", err)
	}
	return heapOf(string(content))
}

// heapOf reads the size in use from a heap profile in words.
func heapOf(profile string) (float64, error) {
	for line := range strings.Lines(profile) {
		if value, ok := strings.CutPrefix(line, "# HeapAlloc = "); ok {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, errors.New("the heap profile tells no size")
}

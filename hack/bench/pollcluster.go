// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

const (
	namespaceLive = "bench-poll"
	pathLive      = "/apis/" + v1beta1.GroupName + "/v1beta1/namespaces/" + namespaceLive
	pathLiveCore  = pathNamespaces + "/" + namespaceLive
	pathServer    = "/apis/apps/v1/namespaces/" + programNamespace + "/statefulsets/" + programOurs
	typeJSONPatch = "application/json-patch+json"
	// liveRequests are under way at a time when objects are made or removed.
	liveRequests = 16
	// liveGone bounds how long it takes to remove them.
	liveGone = 10 * time.Minute
)

// allow has the server read the registry without TLS and without limits, and waits until it does.
// What it returns puts the server back.
func (b *liveBench) allow(ctx context.Context) (restore func(context.Context) error, err error) {
	was, err := b.statefulSet(ctx)
	if err != nil {
		return nil, err
	}
	args := was.Spec.Template.Spec.Containers[0].Args
	restore = func(ctx context.Context) error { return b.arguments(ctx, args) }
	more := slices.Concat(args, []string{"--insecure-registries=" + b.registry.host, "--unlimited-registries=" + b.registry.host})
	if err := b.arguments(ctx, more); err != nil {
		return nil, errors.Join(err, restore(context.WithoutCancel(ctx)))
	}
	return restore, b.find(ctx)
}

func (b *liveBench) statefulSet(ctx context.Context) (*appsv1.StatefulSet, error) {
	content, err := b.admin.send(ctx, call{method: http.MethodGet, path: pathServer})
	if err != nil {
		return nil, fmt.Errorf("get the server's StatefulSet: %w", err)
	}
	set := &appsv1.StatefulSet{}
	if err := json.Unmarshal(content, set); err != nil {
		return nil, err
	}
	if len(set.Spec.Template.Spec.Containers) != 1 {
		return nil, errors.New("the server's StatefulSet has not one container")
	}
	return set, nil
}

// arguments restarts the server with some, and waits until it serves.
func (b *liveBench) arguments(ctx context.Context, args []string) error {
	patch, err := json.Marshal([]map[string]any{{"op": "replace", "path": "/spec/template/spec/containers/0/args", "value": args}})
	if err != nil {
		return err
	}
	if _, err := b.admin.send(ctx, call{method: http.MethodPatch, path: pathServer, contentType: typeJSONPatch, body: patch}); err != nil {
		return fmt.Errorf("change the server's flags: %w", err)
	}
	return eventually(ctx, "the server to start with other flags", func(ctx context.Context) (bool, error) {
		set, err := b.statefulSet(ctx)
		if err != nil {
			return false, err
		}
		status := set.Status
		if status.ObservedGeneration < set.Generation || status.UpdateRevision != status.CurrentRevision || status.ReadyReplicas == 0 {
			return false, nil
		}
		_, err = b.admin.send(ctx, call{method: http.MethodGet, path: query(pathLive+"/dataimportcrons", "limit", "1")})
		return err == nil, nil
	})
}

// fill makes the crons, and before them the claims that hold what their images do.
func (b *liveBench) fill(ctx context.Context) error {
	namespace := map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": namespaceLive}}
	if err := add(ctx, b.admin, pathNamespaces, namespace); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(b.log, "  %d claims and crons are made\n", b.crons)
	err := inParallel(ctx, liveRequests, b.crons, func(ctx context.Context, i int) error {
		return add(ctx, b.admin, pathLiveCore+"/persistentvolumeclaims", b.claim(i))
	})
	if err != nil {
		return fmt.Errorf("make the claims: %w", err)
	}
	return b.follow(ctx, b.crons)
}

// storage of claims and crons: a class that is not there, as nothing is to be stored.
func liveStorage() map[string]any {
	return map[string]any{
		"storageClassName": "bench-none", "accessModes": []string{"ReadWriteOnce"},
		"resources": map[string]any{"requests": map[string]any{"storage": "1Gi"}},
	}
}

func (b *liveBench) claim(i int) map[string]any {
	const digestInName = 12 // as imports are named
	return map[string]any{
		"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": liveStorage(),
		"metadata": map[string]any{
			"name": tagOf(i) + "-" + b.registry.digest(i)[:digestInName], "namespace": namespaceLive,
			"labels":      map[string]any{v1beta1.LabelDataImportCron: tagOf(i)},
			"annotations": map[string]any{v1beta1.AnnPopulated: "true"},
		},
	}
}

func (b *liveBench) cron(i, image int) map[string]any {
	return map[string]any{
		"apiVersion": v1beta1.SchemeGroupVersion.String(), "kind": "DataImportCron",
		"metadata": map[string]any{"name": tagOf(i), "namespace": namespaceLive},
		"spec": map[string]any{
			"schedule": "* * * * *", "managedDataSource": tagOf(i),
			"template": map[string]any{"spec": map[string]any{
				"source": map[string]any{"registry": map[string]any{"url": b.registry.url(image)}}, "storage": liveStorage(),
			}},
		},
	}
}

// share has the crons follow liveImages images. A source cannot be changed: they are made anew, and
// adopt the claims that are there.
func (b *liveBench) share(ctx context.Context) error {
	if err := b.removeAll(ctx, pathLive+"/dataimportcrons"); err != nil {
		return fmt.Errorf("remove the crons: %w", err)
	}
	return b.follow(ctx, liveImages)
}

// follow makes the crons, which follow some images.
func (b *liveBench) follow(ctx context.Context, images int) error {
	err := inParallel(ctx, liveRequests, b.crons, func(ctx context.Context, i int) error {
		return add(ctx, b.admin, pathLive+"/dataimportcrons", b.cron(i, i%images))
	})
	if err != nil {
		return fmt.Errorf("make the crons: %w", err)
	}
	return nil
}

// idle tells, by an error, that there is something else to do than polls.
func (b *liveBench) idle(ctx context.Context) error {
	for _, path := range []string{pathLive + "/datavolumes", pathLiveCore + "/pods"} {
		content, err := b.admin.send(ctx, call{method: http.MethodGet, path: query(path, "limit", "1")})
		if err != nil {
			return err
		}
		var list metav1.PartialObjectMetadataList
		if err := json.Unmarshal(content, &list); err != nil {
			return err
		}
		if len(list.Items) > 0 {
			return fmt.Errorf("%s/%s is there: something is imported that should be there already", path, list.Items[0].Name)
		}
	}
	return nil
}

// clean removes what fill made and what came of it, if it is there.
func (b *liveBench) clean(ctx context.Context) error {
	if _, err := b.admin.send(ctx, call{method: http.MethodGet, path: pathLiveCore}); err != nil {
		if hasCode(err, http.StatusNotFound) {
			return nil
		}
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, liveGone)
	defer cancel()
	_, _ = fmt.Fprintln(b.log, "  crons and claims are removed")
	for _, path := range []string{pathLive + "/dataimportcrons", pathLive + "/datasources", pathLiveCore + "/persistentvolumeclaims"} {
		if err := b.removeAll(ctx, path); err != nil {
			return fmt.Errorf("remove %s: %w", path, err)
		}
	}
	for {
		err := remove(ctx, b.admin, pathLiveCore)
		if err == nil || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
	}
}

// removeAll removes a collection one by one: nobody waits for the cluster to take its guards off.
func (b *liveBench) removeAll(ctx context.Context, path string) error {
	content, err := b.admin.send(ctx, call{method: http.MethodGet, path: path})
	if err != nil {
		return err
	}
	var list metav1.PartialObjectMetadataList
	if err := json.Unmarshal(content, &list); err != nil {
		return err
	}
	return inParallel(ctx, liveRequests, len(list.Items), func(ctx context.Context, i int) error {
		item := path + "/" + list.Items[i].Name
		if _, err := b.admin.send(ctx, call{method: http.MethodDelete, path: item}); err != nil && !hasCode(err, http.StatusNotFound) {
			return err
		}
		if len(list.Items[i].Finalizers) == 0 {
			return nil
		}
		_, err := b.admin.send(ctx, call{method: http.MethodPatch, path: item, contentType: typePatch, body: []byte(`{"metadata":{"finalizers":null}}`)})
		if hasCode(err, http.StatusNotFound) {
			return nil
		}
		return err
	})
}

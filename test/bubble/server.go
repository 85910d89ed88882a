// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package bubble

import (
	"fmt"
	"maps"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	clienttesting "k8s.io/client-go/testing"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// server adds to a clientset's tracker what the tracker leaves out of an API server.
type server struct {
	mu       sync.Mutex
	tracker  clienttesting.ObjectTracker
	versions int
	// deleted is called with what was deleted.
	deleted func(metav1.Object)
}

// serve makes a fake clientset behave like an API server.
func serve(fake *clienttesting.Fake, tracker clienttesting.ObjectTracker, deleted func(metav1.Object)) {
	s := &server{tracker: tracker, deleted: deleted}
	fake.PrependReactor("create", "*", s.create)
	fake.PrependReactor("update", "*", s.update)
	fake.PrependReactor("patch", "*", s.patch)
	fake.PrependReactor("delete", "*", s.delete)
}

func (s *server) create(action clienttesting.Action) (bool, runtime.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	create, ok := action.(clienttesting.CreateActionImpl)
	if !ok || create.Subresource != "" {
		return false, nil, nil
	}
	obj := create.Object.DeepCopyObject()
	accessor, err := meta.Accessor(obj)
	if err != nil {
		return true, nil, err
	}
	s.version(accessor)
	accessor.SetNamespace(create.Namespace)
	accessor.SetGeneration(1)
	accessor.SetUID(types.UID(fmt.Sprintf("%s-%d", accessor.GetName(), s.versions)))
	accessor.SetCreationTimestamp(metav1.NewTime(time.Now().Truncate(time.Second)))
	if claim, ok := obj.(*corev1.PersistentVolumeClaim); ok && claim.Status.Phase == "" {
		claim.Status.Phase = corev1.ClaimPending
	}
	return true, obj, s.tracker.Create(create.Resource, obj, create.Namespace)
}

func (s *server) update(action clienttesting.Action) (bool, runtime.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	update, ok := action.(clienttesting.UpdateActionImpl)
	if !ok {
		return false, nil, nil
	}
	accessor, err := meta.Accessor(update.Object)
	if err != nil {
		return true, nil, err
	}
	current, err := s.tracker.Get(update.Resource, update.Namespace, accessor.GetName())
	if err != nil {
		return true, nil, err
	}
	if err := checkVersion(update.Resource, accessor, current); err != nil {
		return true, nil, err
	}
	obj, err := merge(update.Object, current, update.Subresource)
	if err != nil {
		return true, nil, err
	}
	return true, obj, s.store(update.Resource, obj, update.Namespace)
}

func checkVersion(resource schema.GroupVersionResource, sent metav1.Object, current runtime.Object) error {
	have, err := meta.Accessor(current)
	if err != nil {
		return err
	}
	if v := sent.GetResourceVersion(); v != "" && v != have.GetResourceVersion() {
		return apierrors.NewConflict(resource.GroupResource(), sent.GetName(), fmt.Errorf("version is %s, not %s", have.GetResourceVersion(), v))
	}
	return nil
}

// merge takes the status of one object and everything else of the other.
func merge(sent, current runtime.Object, subresource string) (runtime.Object, error) {
	body, status := sent, current
	if subresource == "status" {
		body, status = current, sent
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(body)
	if err != nil {
		return nil, err
	}
	from, err := runtime.DefaultUnstructuredConverter.ToUnstructured(status)
	if err != nil {
		return nil, err
	}
	fields = maps.Clone(fields)
	delete(fields, "status")
	if s, ok := from["status"]; ok {
		fields["status"] = s
	}
	merged, ok := newLike(current)
	if !ok {
		return nil, fmt.Errorf("no kind %T in the bubble", current)
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(fields, merged); err != nil {
		return nil, err
	}
	if cron, ok := sent.(*v1beta1.DataImportCron); ok && subresource == "status" {
		keepState(merged.(*v1beta1.DataImportCron), cron)
	}
	return merged, nil
}

// keepState takes over the annotations that are state.
func keepState(cron, from *v1beta1.DataImportCron) {
	cron.Annotations = maps.Clone(cron.Annotations)
	for _, key := range v1beta1.StateAnnotations() {
		delete(cron.Annotations, key)
		if value, ok := from.Annotations[key]; ok {
			metav1.SetMetaDataAnnotation(&cron.ObjectMeta, key, value)
		}
	}
}

func (s *server) patch(action clienttesting.Action) (bool, runtime.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	patch, ok := action.(clienttesting.PatchActionImpl)
	if !ok {
		return false, nil, nil
	}
	_, obj, err := clienttesting.ObjectReaction(s.tracker)(patch)
	if err != nil {
		return true, nil, err
	}
	obj = obj.DeepCopyObject()
	return true, obj, s.store(patch.Resource, obj, patch.Namespace)
}

func (s *server) delete(action clienttesting.Action) (bool, runtime.Object, error) {
	remove, ok := action.(clienttesting.DeleteActionImpl)
	if !ok {
		return false, nil, nil
	}
	accessor, err := s.remove(remove)
	if err == nil && s.deleted != nil {
		s.deleted(accessor)
	}
	return true, nil, err
}

func (s *server) remove(remove clienttesting.DeleteActionImpl) (metav1.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	obj, err := s.tracker.Get(remove.Resource, remove.Namespace, remove.Name)
	if err != nil {
		return nil, err
	}
	accessor, err := meta.Accessor(obj)
	if err != nil {
		return nil, err
	}
	if p := remove.DeleteOptions.Preconditions; p != nil && p.UID != nil && *p.UID != accessor.GetUID() {
		return nil, apierrors.NewConflict(remove.Resource.GroupResource(), remove.Name, fmt.Errorf("UID is %s, not %s", accessor.GetUID(), *p.UID))
	}
	if p := remove.DeleteOptions.Preconditions; p != nil && p.ResourceVersion != nil && *p.ResourceVersion != accessor.GetResourceVersion() {
		return nil, apierrors.NewConflict(remove.Resource.GroupResource(), remove.Name, fmt.Errorf("version is %s, not %s", accessor.GetResourceVersion(), *p.ResourceVersion))
	}
	return accessor, s.tracker.Delete(remove.Resource, remove.Namespace, remove.Name)
}

// store writes an object under a new version.
func (s *server) store(resource schema.GroupVersionResource, obj runtime.Object, namespace string) error {
	accessor, err := meta.Accessor(obj)
	if err != nil {
		return err
	}
	s.version(accessor)
	return s.tracker.Update(resource, obj, namespace)
}

func (s *server) version(obj metav1.Object) {
	s.versions++
	obj.SetResourceVersion(strconv.Itoa(1000 + s.versions))
}

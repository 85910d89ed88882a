// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

// mustBeSame compares what was sent with what came back, without what the server fills in.
func mustBeSame[T any, P oldObject[T]](t *testing.T, sent, got P) {
	t.Helper()
	sent, got = sent.DeepCopyObject().(P), got.DeepCopyObject().(P)
	for _, object := range []P{sent, got} {
		object.SetNamespace("")
		object.SetUID("")
		object.SetResourceVersion("")
		object.SetGeneration(0)
		object.SetCreationTimestamp(metav1.Time{})
		object.SetManagedFields(nil)
	}
	if diff := cmp.Diff(sent, got); diff != "" {
		t.Errorf("object (-sent +got):\n%s", diff)
	}
}

// mustList holds what a list has under the object's labels against the object.
func mustList[T any, P oldObject[T], L runtime.Object](t *testing.T, client oldClient[P, L], object P) {
	t.Helper()
	list, err := client.List(t.Context(), metav1.ListOptions{LabelSelector: "old=" + object.GetLabels()["old"]})
	if err != nil {
		t.Fatal(err)
	}
	items, err := apimeta.ExtractList(list)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]runtime.Object{object}, items); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
}

// record returns a channel of what an informer sees of objects of a name: the kind of event and
// the resource version, which of a deleted object is not known beforehand and left out.
func record(t *testing.T, informer cache.SharedIndexInformer, name string) <-chan string {
	t.Helper()
	seen := make(chan string, 100)
	send := func(event string, object any) {
		if meta, err := apimeta.Accessor(object); err == nil && meta.GetName() == name {
			seen <- event + meta.GetResourceVersion()
		}
	}
	handler, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { send("add ", object) },
		UpdateFunc: func(_, object any) { send("update ", object) },
		DeleteFunc: func(object any) {
			if key, err := cache.DeletionHandlingObjectToName(object); err == nil && key.Name == name {
				seen <- "delete"
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = informer.RemoveEventHandler(handler) })
	return seen
}

func mustHaveSeen(t *testing.T, want []string, seen <-chan string) {
	t.Helper()
	var got []string
	for len(got) < len(want) {
		select {
		case event := <-seen:
			got = append(got, event)
		case <-time.After(time.Minute):
			t.Fatalf("the informer saw %v, want %v", got, want)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// TestAnOldClientDropsWhatItDoesNotKnow says what becomes of fields that CDI does not have when
// a client of its types reads, changes and writes back a whole object. A PUT replaces what its
// endpoint is for: the spec loses what the client does not know, and so does the status if the
// client writes that. A PATCH changes what it names.
func TestAnOldClientDropsWhatItDoesNotKnow(t *testing.T) {
	s := start(t, dataDir(t))
	client, _ := newOldClient(t, s)
	old, crons := client.CdiV1beta1().DataImportCrons(namespace), s.client.CdiV1beta1().DataImportCrons(namespace)
	for name, test := range map[string]struct {
		write                 func(name string) error
		wantSuspend, wantPoll bool
		wantGeneration        int64
	}{
		"a PUT loses spec.suspend and keeps the status": {
			write: func(name string) error {
				cron, err := old.Get(t.Context(), name, metav1.GetOptions{})
				if err != nil {
					return err
				}
				cron.Labels = map[string]string{"old": "client"}
				_, err = old.Update(t.Context(), cron, metav1.UpdateOptions{})
				return err
			},
			wantPoll: true, wantGeneration: 2,
		},
		"a PUT of the status loses what is ours in it and keeps the spec": {
			write: func(name string) error {
				cron, err := old.Get(t.Context(), name, metav1.GetOptions{})
				if err != nil {
					return err
				}
				_, err = old.UpdateStatus(t.Context(), cron, metav1.UpdateOptions{})
				return err
			},
			wantSuspend: true, wantGeneration: 1,
		},
		"a merge patch keeps both": {
			write: func(name string) error {
				_, err := old.Patch(t.Context(), name, types.MergePatchType, []byte(`{"metadata":{"labels":{"old":"client"}}}`), metav1.PatchOptions{})
				return err
			},
			wantSuspend: true, wantPoll: true, wantGeneration: 1,
		},
		"a JSON patch keeps both": {
			write: func(name string) error {
				_, err := old.Patch(t.Context(), name, types.JSONPatchType, []byte(`[{"op":"add","path":"/metadata/labels","value":{"old":"client"}}]`), metav1.PatchOptions{})
				return err
			},
			wantSuspend: true, wantPoll: true, wantGeneration: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			cron := createSuspended(t, s)
			if err := test.write(cron.Name); err != nil {
				t.Fatal(err)
			}
			got, err := crons.Get(t.Context(), cron.Name, metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if suspended := got.Spec.Suspend != nil; suspended != test.wantSuspend {
				t.Errorf("spec.suspend is there: %v, want %v", suspended, test.wantSuspend)
			}
			if polls := got.Status.NextPoll != nil && got.Status.LastPoll != nil; polls != test.wantPoll {
				t.Errorf("status.nextPoll and lastPoll are there: %v, want %v", polls, test.wantPoll)
			}
			if got.Status.LastImportedPVC == nil || got.Spec.Schedule != cron.Spec.Schedule {
				t.Errorf("what CDI knows is %+v and %q", got.Status.LastImportedPVC, got.Spec.Schedule)
			}
			if got.Generation != test.wantGeneration {
				t.Errorf("generation is %d, want %d", got.Generation, test.wantGeneration)
			}
		})
	}
}

// createSuspended creates a DataImportCron that has what CDI's do not.
func createSuspended(t *testing.T, s *server) *v1beta1.DataImportCron {
	t.Helper()
	crons := s.client.CdiV1beta1().DataImportCrons(namespace)
	cron := &v1beta1.DataImportCron{}
	if err := json.Unmarshal([]byte(strings.ReplaceAll(documented, "NAME", "")), cron); err != nil {
		t.Fatal(err)
	}
	cron.GenerateName = "suspended-"
	cron.Spec.Suspend = new(true)
	cron, err := crons.Create(t.Context(), cron, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	cron.Status = v1beta1.DataImportCronStatus{
		LastImportedPVC: &v1beta1.DataVolumeSourcePVC{Namespace: namespace, Name: "p"},
		NextPoll:        new(metav1.NewTime(time.Unix(1, 0))),
		LastPoll:        &v1beta1.PollStatus{Time: metav1.NewTime(time.Unix(1, 0)), Outcome: v1beta1.PollUnchanged},
	}
	cron, err = crons.UpdateStatus(t.Context(), cron, metav1.UpdateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return cron
}

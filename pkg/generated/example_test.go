// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package generated_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	kubetesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	applyv1beta1 "goldenimage.dev/pkg/generated/applyconfiguration/cdi/v1beta1"
	"goldenimage.dev/pkg/generated/clientset/versioned"
	"goldenimage.dev/pkg/generated/clientset/versioned/fake"
	"goldenimage.dev/pkg/generated/informers/externalversions"
)

// namespace of the golden images.
const namespace = "golden-images"

// newCron returns a DataImportCron as the server would show it.
func newCron(name string, upToDate corev1.ConditionStatus) *v1beta1.DataImportCron {
	return &v1beta1.DataImportCron{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec:       v1beta1.DataImportCronSpec{Schedule: "@daily", ManagedDataSource: name},
		Status: v1beta1.DataImportCronStatus{Conditions: []v1beta1.DataImportCronCondition{{
			Type: v1beta1.DataImportCronUpToDate, ConditionState: v1beta1.ConditionState{Status: upToDate},
		}}},
	}
}

// isUpToDate tells whether the DataSource of a cron points to the source's latest content.
func isUpToDate(cron *v1beta1.DataImportCron) bool {
	for _, condition := range cron.Status.Conditions {
		if condition.Type == v1beta1.DataImportCronUpToDate {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

// The clientset lists the golden images of a namespace. A program in a cluster gets its
// clientset by versioned.NewForConfig.
func Example_list() {
	var client versioned.Interface = fake.NewClientset(newCron("centos", corev1.ConditionFalse), newCron("fedora", corev1.ConditionTrue))

	crons, err := client.CdiV1beta1().DataImportCrons(namespace).List(context.Background(), metav1.ListOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, cron := range crons.Items {
		fmt.Println(cron.Name, "is up to date:", isUpToDate(&cron))
	}
	// Output:
	// centos is up to date: false
	// fedora is up to date: true
}

// An apply configuration names what its manager wants and nothing else, so that others may own
// the other fields. What is printed is what the server is sent.
func Example_apply() {
	client := fake.NewClientset()
	client.PrependReactor("patch", "dataimportcrons", func(action kubetesting.Action) (bool, runtime.Object, error) {
		patch := action.(kubetesting.PatchAction)
		var document bytes.Buffer
		if err := json.Indent(&document, patch.GetPatch(), "", " "); err != nil {
			return true, nil, err
		}
		fmt.Println(patch.GetPatchType())
		fmt.Println(document.String())
		return true, newCron(patch.GetName(), corev1.ConditionFalse), nil
	})

	source := applyv1beta1.DataVolumeSource().WithRegistry(applyv1beta1.DataVolumeSourceRegistry().
		WithURL("docker://quay.io/containerdisks/fedora:latest"))
	storage := applyv1beta1.StorageSpec().WithResources(corev1.VolumeResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("5Gi")},
	})
	// A template has no name, and DataVolume("", "") would give it an empty one.
	template := (&applyv1beta1.DataVolumeApplyConfiguration{}).WithSpec(applyv1beta1.DataVolumeSpec().
		WithSource(source).WithStorage(storage))
	cron := applyv1beta1.DataImportCron("fedora", namespace).WithSpec(applyv1beta1.DataImportCronSpec().
		WithTemplate(template).WithSchedule("@daily").WithManagedDataSource("fedora"))
	options := metav1.ApplyOptions{FieldManager: "example"}
	applied, err := client.CdiV1beta1().DataImportCrons(namespace).Apply(context.Background(), cron, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("applied", applied.Name)
	// Output:
	// application/apply-patch+yaml
	// {
	//  "kind": "DataImportCron",
	//  "apiVersion": "cdi.kubevirt.io/v1beta1",
	//  "metadata": {
	//   "name": "fedora",
	//   "namespace": "golden-images"
	//  },
	//  "spec": {
	//   "template": {
	//    "spec": {
	//     "source": {
	//      "registry": {
	//       "url": "docker://quay.io/containerdisks/fedora:latest"
	//      }
	//     },
	//     "storage": {
	//      "resources": {
	//       "requests": {
	//        "storage": "5Gi"
	//       }
	//      }
	//     }
	//    }
	//   },
	//   "schedule": "@daily",
	//   "managedDataSource": "fedora"
	//  }
	// }
	// applied fedora
}

// A poll is asked for by the subresource trigger. The answer comes before the poll does: the
// request's ID shows up in status.lastTrigger when it is done.
func Example_trigger() {
	client := fake.NewClientset(newCron("fedora", corev1.ConditionTrue))
	// The fake has no server behind it that would record the request.
	client.PrependReactor("create", "dataimportcrons/trigger", func(action kubetesting.Action) (bool, runtime.Object, error) {
		trigger := action.(kubetesting.CreateAction).GetObject().(*v1beta1.DataImportCronTrigger).DeepCopy()
		trigger.Status.RequestID = trigger.Spec.RequestID
		return true, trigger, nil
	})

	request := &v1beta1.DataImportCronTrigger{Spec: v1beta1.DataImportCronTriggerSpec{RequestID: "build-42"}}
	answer, err := client.CdiV1beta1().DataImportCrons(namespace).Trigger(context.Background(), "fedora", request, metav1.CreateOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("recorded", answer.Status.RequestID)
	// Output: recorded build-42
}

// A watch ends when the golden image is up to date, or at the deadline. UntilWithSync lists
// first and watches anew if a watch breaks.
func Example_watchUntilUpToDate() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client := fake.NewClientset(newCron("fedora", corev1.ConditionFalse))
	crons := client.CdiV1beta1().DataImportCrons(namespace)

	one := fields.OneTermEqualSelector(metav1.ObjectNameField, "fedora").String()
	source := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			options.FieldSelector = one
			return crons.List(ctx, options)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.FieldSelector = one
			return crons.Watch(ctx, options)
		},
	}
	upToDate := func(event watch.Event) (bool, error) {
		cron, ok := event.Object.(*v1beta1.DataImportCron)
		if !ok || event.Type == watch.Deleted {
			return false, fmt.Errorf("%s of %T ends the wait", event.Type, event.Object)
		}
		fmt.Println(event.Type, "up to date:", isUpToDate(cron))
		if !isUpToDate(cron) {
			// This is the server's part: the import is done.
			_, err := crons.UpdateStatus(ctx, newCron("fedora", corev1.ConditionTrue), metav1.UpdateOptions{})
			return false, err
		}
		return true, nil
	}
	if _, err := watchtools.UntilWithSync(ctx, cache.ToListWatcherWithWatchListSemantics(source, client), &v1beta1.DataImportCron{}, nil, upToDate); err != nil {
		fmt.Println(err)
	}
	// Output:
	// ADDED up to date: false
	// MODIFIED up to date: true
}

// Informers keep a copy of all objects of a kind; listers read it without a request.
func Example_lister() {
	ctx, cancel := context.WithCancel(context.Background())
	client := fake.NewClientset(newCron("fedora", corev1.ConditionTrue))

	factory := externalversions.NewSharedInformerFactory(client, 0)
	crons := factory.Cdi().V1beta1().DataImportCrons().Lister()
	factory.StartWithContext(ctx)
	if synced := factory.WaitForCacheSyncWithContext(ctx); synced.Err != nil {
		fmt.Println(synced.Err)
	}

	all, err := crons.DataImportCrons(namespace).List(labels.Everything())
	fmt.Println(len(all), err)
	_, err = crons.DataImportCrons(namespace).Get("centos")
	fmt.Println(err)

	cancel()
	factory.Shutdown()
	// Output:
	// 1 <nil>
	// dataimportcron.cdi.kubevirt.io "centos" not found
}

// Who applies a field that another manager owns is told so. Extract returns what a manager
// applied, to be changed and applied again.
func Example_conflict() {
	crons := fake.NewClientset().CdiV1beta1().DataImportCrons(namespace)
	apply := func(manager, schedule string) error {
		cron := applyv1beta1.DataImportCron("fedora", namespace).WithSpec(applyv1beta1.DataImportCronSpec().WithSchedule(schedule))
		_, err := crons.Apply(context.Background(), cron, metav1.ApplyOptions{FieldManager: manager})
		return err
	}
	fmt.Println("first:", apply("alice", "@daily"))
	fmt.Println("second:", apply("bob", "@hourly"))

	cron, err := crons.Get(context.Background(), "fedora", metav1.GetOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	owned, err := applyv1beta1.ExtractDataImportCron(cron, "alice")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("alice owns the schedule", *owned.Spec.Schedule)
	// Output:
	// first: <nil>
	// second: Apply failed with 1 conflict: conflict with "alice": .spec.schedule
	// alice owns the schedule @daily
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package bubble

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	kubeinformers "k8s.io/client-go/informers"
	kubefake "k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/record"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	cdifake "goldenimage.dev/pkg/generated/clientset/versioned/fake"
	cdiinformers "goldenimage.dev/pkg/generated/informers/externalversions"
	"goldenimage.dev/test/gen"
)

// A World is a cluster in memory. Make one with New, within a synctest bubble.
type World struct {
	CDI           *cdifake.Clientset
	Kube          *kubefake.Clientset
	CDIInformers  cdiinformers.SharedInformerFactory
	KubeInformers kubeinformers.SharedInformerFactory
	Recorder      *record.FakeRecorder

	t testing.TB
}

// New returns a World that holds some objects of both API servers.
func New(t testing.TB, objects ...runtime.Object) *World {
	t.Helper()
	var cdi, kube []runtime.Object
	for _, obj := range objects {
		switch obj.(type) {
		case *v1beta1.DataImportCron, *v1beta1.DataVolume, *v1beta1.DataSource:
			cdi = append(cdi, obj)
		default:
			kube = append(kube, obj)
		}
	}
	w := &World{
		CDI: cdifake.NewSimpleClientset(cdi...), Kube: kubefake.NewClientset(kube...),
		Recorder: record.NewFakeRecorder(1 << 15), t: t,
	}
	serve(&w.CDI.Fake, w.CDI.Tracker(), w.collect)
	serve(&w.Kube.Fake, w.Kube.Tracker(), nil)
	w.open()
	return w
}

func (w *World) open() {
	w.CDIInformers = cdiinformers.NewSharedInformerFactory(w.CDI, 0)
	w.KubeInformers = kubeinformers.NewSharedInformerFactory(w.Kube, 0)
}

// Reopen makes new informers, for controllers that are made anew after stop was called: the
// objects stay, and what the controllers remembered is lost.
func (w *World) Reopen() { w.open() }

// collect deletes the claims of a DataVolume that was deleted, as Kubernetes does. It goes past
// what a test may have put in the way of requests.
func (w *World) collect(owner metav1.Object) {
	resource := corev1.SchemeGroupVersion.WithResource("persistentvolumeclaims")
	list, err := w.Kube.Tracker().List(resource, corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim"), owner.GetNamespace())
	if err != nil {
		w.t.Error(err)
		return
	}
	claims := list.(*corev1.PersistentVolumeClaimList).Items
	for i := range claims {
		if !metav1.IsControlledBy(&claims[i], owner) {
			continue
		}
		if err := w.Kube.Tracker().Delete(resource, owner.GetNamespace(), claims[i].Name); err != nil && !apierrors.IsNotFound(err) {
			w.t.Error(err)
		}
	}
}

// Start runs the informers and some controllers until stop is called or the test ends, and
// returns when they have nothing left to do.
func (w *World) Start(runs ...func(context.Context, int)) (stop func()) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	w.CDIInformers.Start(ctx.Done())
	w.KubeInformers.Start(ctx.Done())
	w.CDIInformers.WaitForCacheSync(ctx.Done())
	w.KubeInformers.WaitForCacheSync(ctx.Done())
	done := make(chan struct{})
	for _, run := range runs {
		go func() {
			run(ctx, 2)
			done <- struct{}{}
		}()
	}
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		for range runs {
			<-done
		}
		w.CDIInformers.Shutdown()
		w.KubeInformers.Shutdown()
	}
	w.t.Cleanup(stop)
	synctest.Wait()
	return stop
}

// Pass lets time pass in the bubble, and returns when everything is quiet then.
func (w *World) Pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // in a bubble nobody waits for it
	synctest.Wait()
}

// Settle lets a second pass, in which writes that conflicted are made again. All methods that
// read objects or change them settle.
func (w *World) Settle() { w.Pass(time.Second) }

// Events returns what was recorded since the last call, each as "Type Reason Message".
func (w *World) Events() []string {
	w.Settle()
	events := []string{}
	for {
		select {
		case event := <-w.Recorder.Events:
			events = append(events, event)
		default:
			return events
		}
	}
}

// Reasons returns the reasons of Events.
func (w *World) Reasons() []string {
	reasons := []string{}
	for _, event := range w.Events() {
		reasons = append(reasons, strings.Fields(event)[1])
	}
	return reasons
}

// Cron returns a DataImportCron of the Namespace of package gen, after everything is quiet.
func (w *World) Cron(name string) *v1beta1.DataImportCron {
	w.t.Helper()
	w.Settle()
	cron, err := w.CDI.CdiV1beta1().DataImportCrons(gen.Namespace).Get(w.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	return cron
}

// Volume returns a DataVolume, nil if there is none.
func (w *World) Volume(name string) *v1beta1.DataVolume {
	w.t.Helper()
	w.Settle()
	volume, err := w.CDI.CdiV1beta1().DataVolumes(gen.Namespace).Get(w.t.Context(), name, metav1.GetOptions{})
	return found(w.t, volume, err)
}

// Source returns a DataSource, nil if there is none.
func (w *World) Source(name string) *v1beta1.DataSource {
	w.t.Helper()
	w.Settle()
	source, err := w.CDI.CdiV1beta1().DataSources(gen.Namespace).Get(w.t.Context(), name, metav1.GetOptions{})
	return found(w.t, source, err)
}

// Claim returns a PersistentVolumeClaim, nil if there is none.
func (w *World) Claim(name string) *corev1.PersistentVolumeClaim {
	w.t.Helper()
	w.Settle()
	claim, err := w.Kube.CoreV1().PersistentVolumeClaims(gen.Namespace).Get(w.t.Context(), name, metav1.GetOptions{})
	return found(w.t, claim, err)
}

func found[T any](t testing.TB, obj *T, err error) *T {
	t.Helper()
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

// UpdateCron changes the spec or metadata of a DataImportCron as a user would.
func (w *World) UpdateCron(name string, change gen.Modifier) {
	w.t.Helper()
	cron := w.Cron(name)
	change(cron)
	if _, err := w.CDI.CdiV1beta1().DataImportCrons(gen.Namespace).Update(w.t.Context(), cron, metav1.UpdateOptions{}); err != nil {
		w.t.Fatal(err)
	}
	w.Settle()
}

// UpdateCronStatus changes the status of a DataImportCron as another controller would.
func (w *World) UpdateCronStatus(name string, change gen.Modifier) {
	w.t.Helper()
	cron := w.Cron(name)
	change(cron)
	if _, err := w.CDI.CdiV1beta1().DataImportCrons(gen.Namespace).UpdateStatus(w.t.Context(), cron, metav1.UpdateOptions{}); err != nil {
		w.t.Fatal(err)
	}
	w.Settle()
}

// UpdateVolumeStatus changes the status of a DataVolume as another controller would.
func (w *World) UpdateVolumeStatus(name string, change gen.Modifier) {
	w.t.Helper()
	volume := w.Volume(name)
	change(volume)
	if _, err := w.CDI.CdiV1beta1().DataVolumes(gen.Namespace).UpdateStatus(w.t.Context(), volume, metav1.UpdateOptions{}); err != nil {
		w.t.Fatal(err)
	}
	w.Settle()
}

func newLike(obj runtime.Object) (runtime.Object, bool) {
	switch obj.(type) {
	case *v1beta1.DataImportCron:
		return &v1beta1.DataImportCron{}, true
	case *v1beta1.DataVolume:
		return &v1beta1.DataVolume{}, true
	case *v1beta1.DataSource:
		return &v1beta1.DataSource{}, true
	case *corev1.PersistentVolumeClaim:
		return &corev1.PersistentVolumeClaim{}, true
	}
	return nil, false
}

// Create makes an object that package gen built, with its status.
func (w *World) Create(obj runtime.Object) {
	w.t.Helper()
	var err error
	switch obj := obj.(type) {
	case *corev1.PersistentVolumeClaim:
		_, err = w.Kube.CoreV1().PersistentVolumeClaims(obj.Namespace).Create(w.t.Context(), obj, metav1.CreateOptions{})
	case *v1beta1.DataVolume:
		_, err = w.CDI.CdiV1beta1().DataVolumes(obj.Namespace).Create(w.t.Context(), obj, metav1.CreateOptions{})
	case *v1beta1.DataSource:
		_, err = w.CDI.CdiV1beta1().DataSources(obj.Namespace).Create(w.t.Context(), obj, metav1.CreateOptions{})
	case *v1beta1.DataImportCron:
		_, err = w.CDI.CdiV1beta1().DataImportCrons(obj.Namespace).Create(w.t.Context(), obj, metav1.CreateOptions{})
	default:
		w.t.Fatalf("no kind %T in the bubble", obj)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.Settle()
}

// Writes returns how many requests so far were made to change something.
func (w *World) Writes() int {
	w.Settle()
	writes := 0
	for _, action := range append(w.CDI.Actions(), w.Kube.Actions()...) {
		switch action.GetVerb() {
		case "get", "list", "watch":
		default:
			writes++
		}
	}
	return writes
}

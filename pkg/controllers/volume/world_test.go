// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	kubeinformers "k8s.io/client-go/informers"
	kubefake "k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	importerv1 "goldenimage.dev/pkg/apis/importer/v1"
	"goldenimage.dev/pkg/controllers/access"
	cdifake "goldenimage.dev/pkg/generated/clientset/versioned/fake"
	cdiinformers "goldenimage.dev/pkg/generated/informers/externalversions"
	"goldenimage.dev/test/gen"
)

const (
	testNode   = "node-1"
	testDigest = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	testUID    = "0a1b2c3d-0000-4000-8000-000000000001"
)

// A world is a cluster: two fake API servers, the parts of Kubernetes that a volume depends on,
// and a controller whose caches show what the test lets them show.
type world struct {
	t       *testing.T
	ctx     context.Context
	cdi     *cdifake.Clientset
	kube    *kubefake.Clientset
	cdiInf  cdiinformers.SharedInformerFactory
	kubeInf kubeinformers.SharedInformerFactory
	clock   *clocktesting.FakeClock
	c       *Controller
	config  Config
	key     types.NamespacedName
	// turn is whose it is who acts, when the controller runs by itself.
	turn   sync.Mutex
	events *record.FakeRecorder
	// contents of volumes by name: "partial", "complete".
	contents map[string]string
	// lost names volumes that were removed though they were complete.
	lost   []string
	serial int
	// writes counts them, own those of the controller. The own one numbered failAt fails, after
	// it took effect if landed.
	writes, own, failAt int
	landed, inCluster   bool
	// paused: no pod is run.
	paused bool
	// outcome is how workers end.
	outcome func(pod *corev1.Pod) (exit int32, result importerv1.Result)
}

var errInjected = errors.New("connection lost")

// newWorld returns a world whose controller syncs when it is told to.
func newWorld(t *testing.T, objects ...runtime.Object) *world {
	t.Helper()
	w := emptyWorld(t, objects...)
	w.restart()
	return w
}

// emptyWorld returns a world without a controller.
func emptyWorld(t *testing.T, objects ...runtime.Object) *world {
	t.Helper()
	w := &world{
		t: t, ctx: t.Context(), failAt: -1, contents: map[string]string{},
		clock: clocktesting.NewFakeClock(gen.Epoch()), events: record.NewFakeRecorder(1000),
		key:     types.NamespacedName{Namespace: gen.Namespace, Name: "fedora"},
		outcome: func(*corev1.Pod) (int32, importerv1.Result) { return 0, done() },
	}
	var cdi, kube []runtime.Object
	for _, object := range objects {
		switch object.(type) {
		case *v1beta1.DataVolume, *v1beta1.DataSource:
			cdi = append(cdi, object)
		default:
			kube = append(kube, object)
		}
	}
	w.cdi, w.kube = cdifake.NewSimpleClientset(cdi...), kubefake.NewSimpleClientset(kube...)
	for fake, tracker := range map[*clienttesting.Fake]clienttesting.ObjectTracker{&w.cdi.Fake: w.cdi.Tracker(), &w.kube.Fake: w.kube.Tracker()} {
		fake.PrependReactor("*", "*", w.react(tracker))
	}
	return w
}

func done() importerv1.Result {
	return importerv1.Result{
		Reason: importerv1.ReasonDone, VirtualSizeBytes: 1 << 30,
		Labels: map[string]string{"instancetype.kubevirt.io/default-instancetype": "u1.small", "cdi.kubevirt.io/dataImportCron": "stolen"},
	}
}

// react gives new objects a UID as an API server does, counts writes, and lets one fail.
func (w *world) react(tracker clienttesting.ObjectTracker) clienttesting.ReactionFunc {
	return func(action clienttesting.Action) (bool, runtime.Object, error) {
		switch action.GetVerb() {
		case "get", "list", "watch":
			return false, nil, nil
		}
		if create, ok := action.(clienttesting.CreateAction); ok && action.GetVerb() == "create" {
			if meta, ok := create.GetObject().(metav1.Object); ok && meta.GetUID() == "" {
				w.serial++
				meta.SetUID(types.UID(fmt.Sprintf("uid-%d", w.serial)))
				meta.SetCreationTimestamp(metav1.NewTime(w.clock.Now()))
			}
		}
		w.writes++
		if w.inCluster {
			return false, nil, nil
		}
		w.own++
		if w.own-1 != w.failAt {
			return false, nil, nil
		}
		if w.landed {
			_, _, err := clienttesting.ObjectReaction(tracker)(action)
			return true, nil, errors.Join(errInjected, err)
		}
		return true, nil, errInjected
	}
}

// restart replaces the controller by one that remembers nothing.
func (w *world) restart() {
	w.t.Helper()
	w.configure(w.clock)
	c, err := New(w.config)
	w.must(err)
	c.progress = fixedProgress{0.1234}
	w.c = c
	w.refresh(nil)
}

// configure makes informers, and what a controller is made from.
func (w *world) configure(clk clock.WithTicker) {
	w.cdiInf = cdiinformers.NewSharedInformerFactory(w.cdi, 0)
	w.kubeInf = kubeinformers.NewSharedInformerFactory(w.kube, 0)
	w.config = Config{
		CDI: w.cdi, Kubernetes: w.kube, Access: access.Reader{Client: w.kube},
		DataVolumes: w.cdiInf.Cdi().V1beta1().DataVolumes(), DataSources: w.cdiInf.Cdi().V1beta1().DataSources(),
		Claims: w.kubeInf.Core().V1().PersistentVolumeClaims(), Volumes: w.kubeInf.Core().V1().PersistentVolumes(),
		Pods: w.kubeInf.Core().V1().Pods(), StorageClasses: w.kubeInf.Storage().V1().StorageClasses(), CSIDrivers: w.kubeInf.Storage().V1().CSIDrivers(),
		Recorder: w.events, Clock: clk, Resolver: fixedResolver{digest: testDigest},
		Worker: WorkerOptions{Image: "registry.example/importer:v1"}, ImageVolumes: true, FilesystemOverhead: 0.06,
	}
}

// refresh shows the cluster to the controller's caches: to each of them, or to some by lot.
func (w *world) refresh(lot *rand.Rand) {
	w.t.Helper()
	core, storage, cdi := w.kube.CoreV1(), w.kube.StorageV1(), w.cdi.CdiV1beta1()
	show(w, lot, w.config.DataVolumes.Informer(), func(o metav1.ListOptions) (runtime.Object, error) { return cdi.DataVolumes("").List(w.ctx, o) })
	show(w, lot, w.config.DataSources.Informer(), func(o metav1.ListOptions) (runtime.Object, error) { return cdi.DataSources("").List(w.ctx, o) })
	show(w, lot, w.config.Claims.Informer(), func(o metav1.ListOptions) (runtime.Object, error) {
		return core.PersistentVolumeClaims("").List(w.ctx, o)
	})
	show(w, lot, w.config.Volumes.Informer(), func(o metav1.ListOptions) (runtime.Object, error) { return core.PersistentVolumes().List(w.ctx, o) })
	show(w, lot, w.config.Pods.Informer(), func(o metav1.ListOptions) (runtime.Object, error) { return core.Pods("").List(w.ctx, o) })
	show(w, lot, w.config.StorageClasses.Informer(), func(o metav1.ListOptions) (runtime.Object, error) { return storage.StorageClasses().List(w.ctx, o) })
	show(w, lot, w.config.CSIDrivers.Informer(), func(o metav1.ListOptions) (runtime.Object, error) { return storage.CSIDrivers().List(w.ctx, o) })
}

func show(w *world, lot *rand.Rand, informer cache.SharedIndexInformer, list func(metav1.ListOptions) (runtime.Object, error)) {
	w.t.Helper()
	if lot != nil && lot.IntN(3) > 0 {
		return
	}
	found, err := list(metav1.ListOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	var items []any
	switch typed := found.(type) {
	case *v1beta1.DataVolumeList:
		items = pointers(typed.Items)
	case *v1beta1.DataSourceList:
		items = pointers(typed.Items)
	case *corev1.PersistentVolumeClaimList:
		items = pointers(typed.Items)
	case *corev1.PersistentVolumeList:
		items = pointers(typed.Items)
	case *corev1.PodList:
		items = pointers(typed.Items)
	case *storagev1.StorageClassList:
		items = pointers(typed.Items)
	case *storagev1.CSIDriverList:
		items = pointers(typed.Items)
	}
	if err := informer.GetIndexer().Replace(items, ""); err != nil {
		w.t.Fatal(err)
	}
}

func pointers[T any](items []T) []any {
	all := make([]any, len(items))
	for i := range items {
		all[i] = &items[i]
	}
	return all
}

// step lets the controller sync once, and then the cluster do its part.
func (w *world) step(lot *rand.Rand) (time.Duration, error) {
	w.t.Helper()
	w.refresh(lot)
	again, err := w.c.Sync(w.ctx, w.key)
	w.inCluster = true
	w.cluster()
	w.inCluster = false
	w.clock.Step(time.Second)
	return again, err
}

// settle steps until nothing is written any more, and returns the volume.
func (w *world) settle() *v1beta1.DataVolume {
	w.t.Helper()
	for range 100 {
		before := w.writes
		if _, err := w.step(nil); err != nil {
			w.t.Fatal(err)
		}
		if w.writes == before {
			return w.volume()
		}
	}
	w.t.Fatal("the volume does not settle")
	return nil
}

// until steps until the volume is in a phase.
func (w *world) until(phase v1beta1.DataVolumePhase) *v1beta1.DataVolume {
	w.t.Helper()
	for range 100 {
		if dv := w.volume(); dv.Status.Phase == phase {
			return dv
		}
		if _, err := w.step(nil); err != nil {
			w.t.Fatal(err)
		}
	}
	w.t.Fatalf("the volume does not reach phase %s: %+v", phase, w.volume().Status)
	return nil
}

func (w *world) volume() *v1beta1.DataVolume {
	w.t.Helper()
	dv, err := w.cdi.CdiV1beta1().DataVolumes(w.key.Namespace).Get(w.ctx, w.key.Name, metav1.GetOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	return dv
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

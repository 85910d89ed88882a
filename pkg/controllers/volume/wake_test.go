// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package volume

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/runner"
)

// live runs the world's controller on informers that watch, and what Kubernetes does after it,
// without any time passing: whatever has to wake the controller must do so by itself.
func (w *world) live() (rounds func()) {
	w.t.Helper()
	w.configure(clock.RealClock{})
	c := newController(w.config)
	c.progress = fixedProgress{0.5}
	c.runner = runner.New(controllerName, w.config.Clock, func(ctx context.Context, key types.NamespacedName) (time.Duration, error) {
		// What the test does to the cluster is not made to merge with what others do.
		w.turn.Lock()
		defer w.turn.Unlock()
		return c.Sync(ctx, key)
	})
	w.must(c.wire(w.config))
	w.c = c
	ctx, cancel := context.WithCancel(w.t.Context())
	ended := make(chan struct{})
	w.cdiInf.Start(ctx.Done())
	w.kubeInf.Start(ctx.Done())
	go func() {
		c.Run(ctx, 2)
		close(ended)
	}()
	w.t.Cleanup(func() {
		cancel()
		<-ended
		w.cdiInf.Shutdown()
		w.kubeInf.Shutdown()
	})
	// That the caches are filled is looked at from time to time.
	<-time.After(time.Second)
	return func() {
		for range 12 {
			synctest.Wait()
			w.act(w.cluster)
		}
		synctest.Wait()
	}
}

// act does something while the controller does nothing.
func (w *world) act(do func()) {
	w.turn.Lock()
	defer w.turn.Unlock()
	do()
}

func TestVolumeIsFilledByEventsAlone(t *testing.T) {
	for name, objects := range paths() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := emptyWorld(t, objects()...)
				rounds := w.live()
				began := time.Now()
				rounds()
				if diff := cmp.Diff(wanted(sourceOf(objects())), w.digest()); diff != "" {
					t.Errorf("end (-want +got):\n%s", diff)
				}
				if passed := time.Since(began); passed > 0 {
					t.Errorf("it took %s", passed)
				}
			})
		})
	}
}

func TestWhatIsWatchedWakesVolumesThatWaitForIt(t *testing.T) {
	for _, name := range []string{
		"no DataSource", "a DataSource that is not ready", "no source claim",
		"an unknown storage class", "no default storage class", "a claim of that name",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tc := mishaps()[name]
				w := emptyWorld(t, append(infrastructure(), tc.objects...)...)
				rounds := w.live()
				rounds()
				w.expect(running, tc.want)
				w.act(func() { tc.mend(w) })
				rounds()
				if dv := w.volume(); dv.Status.Phase != v1beta1.Succeeded {
					t.Errorf("phase is %s: %s", dv.Status.Phase, w.running(running))
				}
			})
		})
	}
}

func TestProgressIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := emptyWorld(t, append(infrastructure(), importVolume("plain"))...)
		rounds := w.live()
		synctest.Wait()
		for len(w.allPods()) == 0 {
			w.act(w.cluster)
			synctest.Wait()
		}
		w.act(w.cluster)
		synctest.Wait()
		w.paused = true
		rounds()
		if got := w.volume().Status.Progress; got != "50.00%" {
			t.Fatalf("progress is %s", got)
		}
		w.act(func() { w.c.progress = fixedProgress{0.75} })
		<-time.After(progressEvery + time.Millisecond)
		synctest.Wait()
		if got := w.volume().Status.Progress; got != "75.00%" {
			t.Errorf("progress after %s is %s", progressEvery, got)
		}
	})
}

func annotated(annotations map[string]string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Annotations: annotations}
}

func TestWhomAnObjectWakes(t *testing.T) {
	w := newWorld(t, append(infrastructure(), refVolume())...)
	fedora := []types.NamespacedName{w.key}
	serving := map[string]string{annVolume: "golden-images/fedora"}
	tests := map[string]struct {
		keys func(any) []types.NamespacedName
		obj  runtime.Object
		want []types.NamespacedName
	}{
		"a worker":             {fromServant[*corev1.Pod], &corev1.Pod{ObjectMeta: annotated(serving)}, fedora},
		"a pod of others":      {fromServant[*corev1.Pod], &corev1.Pod{}, nil},
		"a worker of no one":   {fromServant[*corev1.Pod], &corev1.Pod{ObjectMeta: annotated(map[string]string{annVolume: "a/b/c"})}, nil},
		"a volume":             {fromServant[*corev1.PersistentVolume], &corev1.PersistentVolume{ObjectMeta: annotated(serving)}, fedora},
		"another kind":         {fromServant[*corev1.PersistentVolume], &corev1.Pod{ObjectMeta: annotated(serving)}, nil},
		"a DataSource":         {w.c.fromDataSource, dataSource("fedora", corev1.ConditionTrue, v1beta1.DataSourceSource{}), fedora},
		"another DataSource":   {w.c.fromDataSource, dataSource("debian", corev1.ConditionTrue, v1beta1.DataSourceSource{}), []types.NamespacedName{}},
		"a storage class":      {w.c.fromClass, class("x", "y", false), fedora},
		"the claim":            {w.c.fromClaim, claimNamed("fedora", nil), fedora},
		"not even an object":   {w.c.fromClaim, nil, nil},
		"the DataVolume":       {w.c.fromDataVolume, refVolume(), fedora},
		"nothing to do for it": {w.c.fromDataVolume, &corev1.Pod{}, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, tc.keys(tc.obj)); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
		})
	}
}

func TestConfigurationIsChecked(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(*Config){
		"no image":              func(c *Config) { c.Worker.Image = "" },
		"an overhead below 0":   func(c *Config) { c.FilesystemOverhead = -0.1 },
		"an overhead of it all": func(c *Config) { c.FilesystemOverhead = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			config := w.config
			change(&config)
			if _, err := New(config); err == nil {
				t.Error("it was taken")
			}
		})
	}
}

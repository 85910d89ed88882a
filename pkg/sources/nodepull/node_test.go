// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package nodepull

import (
	"context"
	"fmt"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"goldenimage.dev/pkg/sources"
)

const (
	namespace = "golden-images"
	uid       = "0a1b2c3d-0000-4000-8000-000000000001"
	url       = "docker://site.example/os/fedora:42"
	image     = "site.example/os/fedora:42"
	worker    = "site.example/golden-image-importer:1"

	digestA = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	digestB = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

func location() string { return Location(namespace, "fedora", uid, url) }

// A cluster has a node that does with each Pod what play says, once somebody watches it.
type cluster struct {
	*fake.Clientset
	mu sync.Mutex
	// play changes a Pod's status step by step. nil leaves it alone.
	play []func(*corev1.Pod)
	// made counts the Pods, and most is how many there were at the same time.
	made, now, most int
	last            *corev1.Pod
	// lingers makes a deleted Pod stay until it is watched.
	lingers bool
	watched []string
}

func newCluster(t *testing.T, play ...func(*corev1.Pod)) *cluster {
	t.Helper()
	c := &cluster{Clientset: fake.NewClientset(), play: play}
	c.PrependReactor("create", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		pod := action.(clienttesting.CreateAction).GetObject().(*corev1.Pod)
		if _, err := c.Tracker().Get(podsResource(), pod.Namespace, pod.Name); err == nil {
			return false, nil, nil // it refuses by itself
		}
		c.made++
		c.now++
		c.most = max(c.most, c.now)
		pod.UID, pod.ResourceVersion = types.UID(fmt.Sprint("pod-", c.made)), fmt.Sprint(c.made)
		c.last = pod.DeepCopy()
		return false, nil, nil
	})
	c.PrependReactor("delete", "pods", c.delete)
	c.PrependWatchReactor("pods", func(action clienttesting.Action) (bool, watch.Interface, error) {
		watcher := action.(clienttesting.WatchAction)
		c.mu.Lock()
		c.watched = append(c.watched, watcher.GetWatchRestrictions().Fields.String())
		c.mu.Unlock()
		stream, err := c.Tracker().Watch(podsResource(), watcher.GetNamespace())
		go c.act(watcher.GetNamespace())
		return true, stream, err
	})
	return c
}

func podsResource() schema.GroupVersionResource {
	return corev1.SchemeGroupVersion.WithResource("pods")
}

func (c *cluster) delete(action clienttesting.Action) (bool, runtime.Object, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	deleting := action.(clienttesting.DeleteActionImpl)
	found, err := c.Tracker().Get(podsResource(), deleting.Namespace, deleting.Name)
	if err != nil {
		return true, nil, err
	}
	pod := found.(*corev1.Pod)
	if want := deleting.DeleteOptions.Preconditions; want == nil || *want.UID != pod.UID {
		return true, nil, apierrors.NewConflict(podsResource().GroupResource(), pod.Name, nil)
	}
	c.now--
	if !c.lingers {
		return false, nil, nil
	}
	pod = pod.DeepCopy()
	pod.DeletionTimestamp = &metav1.Time{}
	return true, pod, c.Tracker().Update(podsResource(), pod, pod.Namespace)
}

// act does what a kubelet does with all Pods of a namespace.
func (c *cluster) act(namespace string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	pods, err := c.Clientset.Tracker().List(podsResource(), corev1.SchemeGroupVersion.WithKind("Pod"), namespace)
	if err != nil {
		return
	}
	for i := range pods.(*corev1.PodList).Items {
		pod := &pods.(*corev1.PodList).Items[i]
		if pod.DeletionTimestamp != nil {
			_ = c.Tracker().Delete(podsResource(), pod.Namespace, pod.Name)
			continue
		}
		for _, step := range c.play {
			pod = pod.DeepCopy()
			step(pod)
			_ = c.Tracker().Update(podsResource(), pod, pod.Namespace)
		}
	}
}

// set changes what the node does from now on.
func (c *cluster) set(play ...func(*corev1.Pod)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.play = play
}

func (c *cluster) resolver() *Resolver {
	return NewResolver(Config{Client: c, Image: worker, PullPolicy: string(corev1.PullIfNotPresent)})
}

func resolve(ctx context.Context, r *Resolver) (sources.Revision, error) {
	return r.Resolve(ctx, sources.Query{Location: location()})
}

// leftovers fails if there is a Pod.
func (c *cluster) leftovers(t *testing.T) {
	t.Helper()
	pods, err := c.CoreV1().Pods("").List(context.WithoutCancel(t.Context()), metav1.ListOptions{})
	if err != nil || len(pods.Items) != 0 {
		t.Errorf("left over: %v %v", pods.Items, err)
	}
}

// Steps of a node.

func scheduled(pod *corev1.Pod) { pod.Spec.NodeName = "node-1" }

func waits(reason, message string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Status.Phase = corev1.PodPending
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: containerName, State: corev1.ContainerState{
			Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message},
		}}}
	}
}

func programWaits(reason, message string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: initName, State: corev1.ContainerState{
			Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message},
		}}}
	}
}

func programEnded(code int32, message string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: initName, ImageID: "worker@" + digestB, State: corev1.ContainerState{
			Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Message: message},
		}}}
	}
}

func pulled(imageID string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Status.Phase = corev1.PodRunning
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: containerName, ImageID: imageID}}
	}
}

func unschedulable(message string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Status.Conditions = []corev1.PodCondition{{
			Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: message,
		}}
	}
}

func ends(phase corev1.PodPhase, reason, message string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Status.Phase, pod.Status.Reason, pod.Status.Message = phase, reason, message
	}
}

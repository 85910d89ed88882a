// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package nodepull

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/utils/clock"
)

// rewatch is the pause before a watch that ended is begun again.
const rewatch = time.Second

// errGaveUp says that the caller's patience ended, and ctx has not.
var errGaveUp = errors.New("gave up")

// updates are the states of one Pod after the one that it was made from.
type updates struct {
	pods  typedcorev1.PodInterface
	clock clock.Clock
	name  string
	// version of the last state that was returned.
	version string
	// stream is nil before the first one, and after one ended.
	stream watch.Interface
}

func (r *Resolver) follow(pod *corev1.Pod) *updates {
	return &updates{pods: r.config.Client.CoreV1().Pods(pod.Namespace), clock: r.config.Clock, name: pod.Name, version: pod.ResourceVersion}
}

func (u *updates) close() {
	if u.stream != nil {
		u.stream.Stop()
		u.stream = nil
	}
}

// next waits for another state, nil if the Pod was deleted. Errors are that of ctx, errGaveUp
// when giveUp sends, and those of the cluster.
func (u *updates) next(ctx context.Context, giveUp <-chan time.Time) (*corev1.Pod, error) {
	for {
		if u.stream == nil {
			if err := u.open(ctx); expired(err) {
				return u.get(ctx)
			} else if err != nil {
				return nil, fmt.Errorf("watch pod %s: %w", u.name, err)
			}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-giveUp:
			return nil, errGaveUp
		case event, ok := <-u.stream.ResultChan():
			if !ok || event.Type == watch.Error {
				u.close()
				return u.again(ctx)
			}
			if pod, ok := u.read(event); ok {
				return pod, nil
			}
		}
	}
}

func (u *updates) open(ctx context.Context) error {
	stream, err := u.pods.Watch(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector(metav1.ObjectNameField, u.name).String(), ResourceVersion: u.version,
	})
	if err == nil {
		u.stream = stream
	}
	return err
}

// read returns what an event says of the Pod, nil if it was deleted; ok is false if it says
// nothing.
func (u *updates) read(event watch.Event) (pod *corev1.Pod, ok bool) {
	pod, ok = event.Object.(*corev1.Pod)
	if !ok || pod.Name != u.name {
		return nil, false
	}
	u.version = pod.ResourceVersion
	switch event.Type {
	case watch.Added, watch.Modified:
		return pod, true
	case watch.Deleted:
		return nil, true
	case watch.Bookmark, watch.Error:
	}
	return nil, false
}

func expired(err error) bool { return apierrors.IsResourceExpired(err) || apierrors.IsGone(err) }

// again looks at the Pod after a pause.
func (u *updates) again(ctx context.Context) (*corev1.Pod, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-u.clock.After(rewatch):
	}
	return u.get(ctx)
}

func (u *updates) get(ctx context.Context) (*corev1.Pod, error) {
	pod, err := u.pods.Get(ctx, u.name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // that it is gone is an answer
	}
	if err != nil {
		return nil, fmt.Errorf("get pod %s: %w", u.name, err)
	}
	u.version = pod.ResourceVersion
	return pod, nil
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package nodepull

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"goldenimage.dev/pkg/apis/cdi/reference"
	"goldenimage.dev/pkg/sources"
)

const (
	// standardParallel is how many Pods there are at the same time, unless told otherwise.
	standardParallel = 4
	// schedulingPatience is how long a Pod that no node takes may wait for one to be added.
	schedulingPatience = time.Minute
	// cleanup is how long deleting a Pod may take once nobody waits any more.
	cleanup = 15 * time.Second
	// attempts at making a Pod whose name is taken by an earlier one.
	attempts = 3
	// maxPullSecrets bounds what is taken from a ServiceAccount.
	maxPullSecrets = 16

	defaultAccount = "default"
)

// Config is what a Resolver is made from.
type Config struct {
	// Client needs get, watch, create and delete on pods, and get on serviceaccounts. Required.
	Client kubernetes.Interface
	// Image of golden-image-importer, whose program is run in the images. Required.
	Image string
	// PullPolicy of Image; "" means the cluster's default.
	PullPolicy string
	// PullSecrets for Image are names of Secrets in the Pods' namespaces.
	PullSecrets []string
	// Parallel is how many Pods there may be at the same time; 0 means 4.
	Parallel int
	// Clock is the machine's if it is nil.
	Clock clock.Clock
}

// A Resolver asks nodes. Make one with NewResolver.
type Resolver struct {
	config Config
	gate   *gate
}

var _ sources.Resolver = (*Resolver)(nil)

// NewResolver returns a Resolver, which is safe for concurrent use.
func NewResolver(config Config) *Resolver {
	if config.Clock == nil {
		config.Clock = clock.RealClock{}
	}
	return &Resolver{config: config, gate: newGate(cmp.Or(config.Parallel, standardParallel))}
}

// Resolve returns the digest by which a node pulls an image. Of the query's Access it uses the
// architecture alone. All errors are sources.Errors. It returns when ctx is done, after the Pod
// was deleted.
func (r *Resolver) Resolve(ctx context.Context, query sources.Query) (sources.Revision, error) {
	target, err := Parse(query.Location)
	if err != nil {
		return sources.Revision{}, err
	}
	ref, err := target.image()
	if err != nil {
		return sources.Revision{}, err
	}
	digest := ref.Digest()
	if digest == "" {
		if digest, err = r.ask(ctx, target, ref, query.Access.Architecture); err != nil {
			return sources.Revision{}, err
		}
	}
	return sources.Revision{Digest: digest, Location: ref.Pin(digest).String()}, nil
}

// ask makes a Pod, waits for its answer and deletes it.
func (r *Resolver) ask(ctx context.Context, target Target, ref reference.Reference, architecture string) (string, error) {
	leave, err := r.gate.enter(ctx, podName(target))
	if err != nil {
		return "", ended(ref, err, "other images are being asked for")
	}
	defer leave()
	secrets, err := r.pullSecrets(ctx, target)
	if err != nil {
		return "", clusterError(ctx, ref, err)
	}
	pod, err := r.create(ctx, target, r.config.render(target, ref, architecture, secrets, r.left(ctx)))
	if err != nil {
		return "", clusterError(ctx, ref, err)
	}
	defer r.remove(ctx, pod)
	imageID, err := r.await(ctx, pod, ref)
	if err != nil {
		return "", clusterError(ctx, ref, err)
	}
	return digestOf(ref, imageID)
}

// left returns how long the caller waits.
func (r *Resolver) left(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return standardTime
	}
	return min(max(deadline.Sub(r.config.Clock.Now()), 0), longestTime)
}

// pullSecrets returns what the kubelet pulls the Pod's images with besides the node's own. If a
// Pod names any, the cluster does not add those of its ServiceAccount.
func (r *Resolver) pullSecrets(ctx context.Context, target Target) ([]string, error) {
	var names []string
	if target.PullSecret != "" {
		names = append(names, target.PullSecret)
	}
	if len(names)+len(r.config.PullSecrets) == 0 {
		return nil, nil
	}
	account, err := r.config.Client.CoreV1().ServiceAccounts(target.Namespace).Get(ctx, cmp.Or(target.ServiceAccount, defaultAccount), metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("get service account: %w", err)
	}
	for _, secret := range account.ImagePullSecrets[:min(len(account.ImagePullSecrets), maxPullSecrets)] {
		names = append(names, secret.Name)
	}
	return append(names, r.config.PullSecrets...), nil
}

// create makes the Pod. One of an earlier poll, which a process that was killed left behind, is
// deleted first: the tag may name another image since.
func (r *Resolver) create(ctx context.Context, target Target, pod *corev1.Pod) (*corev1.Pod, error) {
	pods := r.config.Client.CoreV1().Pods(pod.Namespace)
	for range attempts {
		created, err := pods.Create(ctx, pod, metav1.CreateOptions{})
		if err == nil {
			return created, nil
		}
		if !apierrors.IsAlreadyExists(err) {
			return nil, fmt.Errorf("make pod %s/%s: %w", pod.Namespace, pod.Name, err)
		}
		existing, err := pods.Get(ctx, pod.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("get pod %s/%s: %w", pod.Namespace, pod.Name, err)
		}
		if !made(existing, target) {
			return nil, fmt.Errorf("pod %s/%s is not one of this server's: delete it", pod.Namespace, pod.Name)
		}
		if err := r.replace(ctx, existing); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("make pod %s/%s: another one is made again and again", pod.Namespace, pod.Name)
}

// replace deletes a Pod and waits until its name is free.
func (r *Resolver) replace(ctx context.Context, pod *corev1.Pod) error {
	if pod.DeletionTimestamp == nil {
		if err := r.delete(ctx, pod); err != nil {
			return err
		}
	}
	updates := r.follow(pod)
	defer updates.close()
	// One that has ended is gone at once.
	next, err := updates.get(ctx)
	for err == nil && next != nil && next.UID == pod.UID {
		next, err = updates.next(ctx, nil)
	}
	return err
}

func (r *Resolver) delete(ctx context.Context, pod *corev1.Pod) error {
	err := r.config.Client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(pod.UID))})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("delete pod %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	return nil
}

// remove deletes the Pod though nobody waits any more. Should that fail, the next poll does it.
func (r *Resolver) remove(ctx context.Context, pod *corev1.Pod) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanup)
	defer cancel()
	if err := r.delete(ctx, pod); err != nil {
		klog.FromContext(ctx).Info("A Pod that asked a node for an image is left until the next poll", "pod", klog.KObj(pod), "reason", err.Error())
	}
}

// await returns what the runtime calls the Pod's image.
func (r *Resolver) await(ctx context.Context, pod *corev1.Pod, ref reference.Reference) (string, error) {
	updates := r.follow(pod)
	defer updates.close()
	var giveUp <-chan time.Time
	for {
		now := read(pod, ref)
		switch {
		case now.failure != nil:
			return "", now.failure
		case now.imageID != "":
			return now.imageID, nil
		case now.unschedulable == "":
			giveUp = nil
		case giveUp == nil:
			giveUp = r.config.Clock.After(schedulingPatience)
		}
		next, err := updates.next(ctx, giveUp)
		switch {
		case errors.Is(err, errGaveUp):
			return "", sources.Errorf(sources.Transient, "no node can be asked for %s: %s", ref, now.unschedulable)
		case ctx.Err() != nil:
			return "", ended(ref, ctx.Err(), cmp.Or(now.unschedulable, now.doing))
		case err != nil:
			return "", err
		}
		if next != nil && next.UID != pod.UID {
			next = nil
		}
		pod = next
	}
}

// ended returns the error of a caller that waits no longer.
func ended(ref reference.Reference, err error, doing string) error {
	if errors.Is(err, context.Canceled) {
		return &sources.Error{Message: "asking a node for " + ref.String() + " was canceled", Err: context.Canceled}
	}
	return sources.Errorf(sources.Unreachable, "no node has pulled %s in time: %s", ref, doing)
}

// clusterError returns an error of the cluster as a sources.Error.
func clusterError(ctx context.Context, ref reference.Reference, err error) error {
	if known, ok := errors.AsType[*sources.Error](err); ok {
		return known
	}
	if ctx.Err() != nil {
		return ended(ref, ctx.Err(), "the cluster does not answer")
	}
	return &sources.Error{Kind: sources.Transient, Message: "no node can be asked for " + ref.String() + ": " + bounded(err.Error()), Err: err}
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/klog/v2"
)

// Times of leader election. A replica that dies is followed by another after leaseDuration
// at most; one that cannot renew for renewDeadline stops.
const (
	leaseDuration = 15 * time.Second
	renewDeadline = 10 * time.Second
	retryPeriod   = 2 * time.Second
)

// lead calls run while this replica is the leader, again each time it becomes it, until ctx is
// done. run must have ended what it began when it returns, and return soon after its context
// is done: the lease is given back after that, so that there are never two at work.
func lead(ctx context.Context, client kubernetes.Interface, o *Options, run func(context.Context) error) error {
	if !o.LeaderElection {
		return run(ctx)
	}
	lock, err := resourcelock.New(resourcelock.LeasesResourceLock, o.Namespace, Name,
		client.CoreV1(), client.CoordinationV1(), resourcelock.ResourceLockConfig{Identity: o.Identity})
	if err != nil {
		return fmt.Errorf("set up leader election: %w", err)
	}
	for ctx.Err() == nil {
		if err := term(ctx, lock, o.Identity, run); err != nil {
			return err
		}
	}
	return nil
}

// term stands for election, and runs until ctx is done or the lease is lost.
func term(ctx context.Context, lock resourcelock.Interface, identity string, run func(context.Context) error) error {
	logger := klog.FromContext(ctx)
	// The election outlives ctx by what run needs to end.
	standing, resign := context.WithCancel(context.WithoutCancel(ctx))
	defer resign()
	finished := make(chan error, 1)
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: lock, Name: Name, ReleaseOnCancel: true,
		LeaseDuration: leaseDuration, RenewDeadline: renewDeadline, RetryPeriod: retryPeriod,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(leading context.Context) {
				defer resign()
				working, stop := context.WithCancel(ctx)
				defer stop()
				defer context.AfterFunc(leading, stop)()
				logger.V(2).Info("Leading: controllers start", "identity", identity)
				finished <- run(working)
			},
			OnStoppedLeading: func() { logger.V(2).Info("No longer leading", "identity", identity) },
			OnNewLeader:      func(leader string) { logger.V(2).Info("Leader elected", "leader", leader) },
		},
	})
	if err != nil {
		return fmt.Errorf("set up leader election: %w", err)
	}
	// Who is not the leader when ctx ends has nothing to end.
	defer context.AfterFunc(ctx, func() {
		if !elector.IsLeader() {
			resign()
		}
	})()
	elector.Run(standing)
	select {
	case err := <-finished:
		return err
	default:
	}
	if standing.Err() == nil {
		return <-finished // the lease is lost, which run is told by its context
	}
	return nil
}

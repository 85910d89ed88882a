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

// lead calls run while this replica is the leader. It returns when ctx is done, or with an
// error when the lead was lost: the process then ends, because what run began may still be
// under way.
func lead(ctx context.Context, client kubernetes.Interface, o *Options, run func(context.Context) error) error {
	if !o.LeaderElection {
		return run(ctx)
	}
	// A Pod's name is its identity: a container that is started again takes up its own lease
	// at once instead of waiting for it to end.
	lock, err := resourcelock.New(resourcelock.LeasesResourceLock, o.Namespace, Name,
		client.CoreV1(), client.CoordinationV1(), resourcelock.ResourceLockConfig{Identity: o.PodName})
	if err != nil {
		return fmt.Errorf("set up leader election: %w", err)
	}
	logger := klog.FromContext(ctx)
	leading, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: lock, Name: Name, ReleaseOnCancel: true,
		LeaseDuration: leaseDuration, RenewDeadline: renewDeadline, RetryPeriod: retryPeriod,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(ctx context.Context) {
				logger.V(2).Info("Leading: controllers start", "identity", o.PodName)
				ended <- run(ctx)
				cancel()
			},
			OnStoppedLeading: func() { logger.V(2).Info("No longer leading", "identity", o.PodName) },
			OnNewLeader:      func(identity string) { logger.V(2).Info("Leader elected", "leader", identity) },
		},
	})
	if err != nil {
		return fmt.Errorf("set up leader election: %w", err)
	}
	elector.Run(leading)
	if ctx.Err() != nil {
		return nil
	}
	select {
	case err := <-ended:
		if err != nil {
			return err
		}
	default:
	}
	return fmt.Errorf("lost the lease %s/%s", o.Namespace, Name)
}

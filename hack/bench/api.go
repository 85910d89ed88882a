// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"k8s.io/client-go/tools/clientcmd"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
)

const (
	apiObjects = 10_000
	// apiRounds is the number of times that each side has a turn.
	apiRounds = 5
	// parallelRequests is how many are under way at a time where it is more than one.
	parallelRequests = 8
)

// apiBench is a run of the benchmark.
type apiBench struct {
	setting
	sides   [2]*side
	servers servers
	admin   *apiClient
	// kubeHeap and ourHeap reach the API servers' profiles.
	kubeHeap, ourHeap *apiClient
	found             figures
}

// measureAPI compares the resource that this project serves through the aggregator with the same
// objects in a custom resource of the same kube-apiserver.
//
// The own server's etcd waits for the disk; that of the local cluster does so while like is
// compared with like. What it gives when it does not is measured last, for writes.
func measureAPI(ctx context.Context, s setting) (results []result, err error) {
	b, err := newAPIBench(ctx, s)
	if err != nil {
		return nil, err
	}
	ending := context.WithoutCancel(ctx)
	defer func() { err = errors.Join(err, b.sync(ending, false)) }()
	if err := b.sync(ctx, true); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, cleanAPI(ending, b.admin, b.sides[sideOurs])) }()
	if err := prepareAPI(ctx, b.admin, b.sides[sideOurs], b.sides[sidePeer]); err != nil {
		return nil, err
	}
	if err := b.measure(ctx); err != nil {
		return nil, err
	}
	results = b.found.results(b.peerName())
	was := b.peerName()
	if err := b.sync(ctx, false); err != nil || b.peerName() == was {
		return results, err
	}
	b.found = figures{}
	if err := b.rounds(ctx, apiRounds, b.writes); err != nil {
		return nil, err
	}
	return append(results, b.found.results(b.peerName())...), nil
}

// measure does all but what etcd gives when it does not wait.
func (b *apiBench) measure(ctx context.Context) error {
	// The first requests fill the servers' pools and caches.
	if err := b.rounds(ctx, 1, b.writes); err != nil {
		return err
	}
	b.found = figures{}
	if err := b.fill(ctx); err != nil {
		return fmt.Errorf("create the objects: %w", err)
	}
	return b.rounds(ctx, apiRounds, b.disk, b.writes, b.gets, b.lists, b.fanOut)
}

func newAPIBench(ctx context.Context, s setting) (*apiBench, error) {
	if s.kubeconfig == "" {
		return nil, fmt.Errorf("%w: -kubeconfig: hack/bench.sh gives that of the local cluster", errUsage)
	}
	config, err := clientcmd.BuildConfigFromFlags("", s.kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	b := &apiBench{setting: s}
	for i, group := range []string{v1beta1.GroupName, peerGroup} {
		if b.sides[i], err = newSide(config, group); err != nil {
			return nil, err
		}
	}
	b.admin = b.sides[sideOurs].client
	if b.servers, err = findServers("/proc"); err != nil {
		return nil, err
	}
	if b.kubeHeap, b.ourHeap, err = newHeapClients(ctx, config); err != nil {
		return nil, err
	}
	return b, nil
}

// sync has the cluster's etcd wait for the disk, or not, and waits until all answer again.
func (b *apiBench) sync(ctx context.Context, on bool) (err error) {
	if b.servers, err = setSync(ctx, b.servers, b.fsyncMark, on); err != nil {
		return err
	}
	return eventually(ctx, "the API servers to be ready", func(ctx context.Context) (bool, error) {
		for _, path := range []string{"/readyz", b.sides[sideOurs].collection(namespaceFull)} {
			if _, err := b.admin.send(ctx, call{method: http.MethodGet, path: query(path, "limit", "1")}); err != nil {
				return false, nil //nolint:nilerr // it is not ready
			}
		}
		return true, nil
	})
}

func (b *apiBench) peerName() string {
	if b.servers.syncs("/proc") {
		return "custom resource, etcd with fsync as ours"
	}
	return "custom resource, etcd without fsync"
}

// rounds has each side do each of the parts in turns.
func (b *apiBench) rounds(ctx context.Context, n int, parts ...part) error {
	for round := range n {
		for _, do := range parts {
			// Who is first changes, as the first finds more garbage in memory, or less.
			for turn := range b.sides {
				which := (turn + round) % len(b.sides)
				some, err := do(ctx, b.sides[which], round)
				if err != nil {
					return fmt.Errorf("%s: %w", b.sides[which].group, err)
				}
				b.found.add(which, some...)
				b.tell(round, b.sides[which], some)
			}
		}
	}
	return nil
}

// A part measures one side.
type part func(ctx context.Context, s *side, round int) ([]measured, error)

func (b *apiBench) tell(round int, s *side, some []measured) {
	for _, one := range some {
		_, _ = fmt.Fprintf(b.log, "  round %d: %9.3f %-4s  %s, %s\n", round+1, one.value, one.unit, one.name, s.group)
	}
}

// fill creates the objects of each side and measures by how much memory grows.
func (b *apiBench) fill(ctx context.Context) error {
	for i, s := range b.sides {
		before, err := b.memory(ctx)
		if err != nil {
			return err
		}
		err = inParallel(ctx, parallelRequests, apiObjects, func(ctx context.Context, number int) error {
			return s.create(ctx, namespaceFull, nameOf(number), number)
		})
		if err != nil {
			return err
		}
		after, err := b.memory(ctx)
		if err != nil {
			return err
		}
		const mib = 1 << 20
		some := []measured{
			{"memory for 10,000 objects, live heaps of the API servers", "MiB", (after.kube + after.ours - before.kube - before.ours) / mib},
			{"memory for 10,000 objects, live heap of kube-apiserver", "MiB", (after.kube - before.kube) / mib},
			{"memory for 10,000 objects, all servers with garbage", "MiB", (after.resident - before.resident) / mib},
		}
		b.found.add(i, some...)
		b.tell(0, s, some)
	}
	return nil
}

func (b *apiBench) memory(ctx context.Context) (m memory, err error) {
	if m.kube, err = liveHeap(ctx, b.kubeHeap); err != nil {
		return m, err
	}
	if m.ours, err = liveHeap(ctx, b.ourHeap); err != nil {
		return m, err
	}
	resident, err := b.servers.resident("/proc")
	m.resident = float64(resident)
	return m, err
}

func nameOf(number int) string { return fmt.Sprintf("fedora-%05d", number) }

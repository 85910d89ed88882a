// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"k8s.io/client-go/tools/clientcmd"
)

const (
	// liveMinutes is how long polls are watched in the steady state.
	liveMinutes = 3
	// liveQuiet is how long before a full minute the polls of the one before have ended.
	liveQuiet = 5 * time.Second
	// liveSettle bounds how long it may take until that is reached.
	liveSettle = 15 * time.Minute
	// liveImages is the number of images when many crons share one.
	liveImages = 100
	// liveAim is the lateness in seconds that no more than one poll in a hundred may have.
	liveAim = 2
)

// liveBench measures the polls of a server in a cluster: it finds crons that have imported what
// their images hold, as they have in the long run, and polls each of them every minute.
type liveBench struct {
	setting
	admin, server *apiClient
	registry      *liveRegistry
	ours          servers
}

// measureLive has all crons follow images of their own first, and then a hundred images.
func measureLive(ctx context.Context, s setting) (results []result, err error) {
	b, err := newLiveBench(ctx, s)
	if err != nil {
		return nil, err
	}
	ending := context.WithoutCancel(ctx)
	defer func() { err = errors.Join(err, b.registry.close()) }()
	if err := b.clean(ctx); err != nil {
		return nil, err
	}
	restore, err := b.allow(ctx)
	if err != nil {
		return nil, err
	}
	// In this order: the server that is started anew has no crons to read.
	defer func() { err = errors.Join(err, b.clean(ending), restore(ending)) }()
	if err := b.fill(ctx); err != nil {
		return nil, err
	}
	distinct, err := b.watch(ctx, "")
	if err != nil {
		return nil, err
	}
	_, _ = fmt.Fprintf(s.log, "  now %d crons share an image\n", s.crons/liveImages)
	if err := b.share(ctx); err != nil {
		return nil, err
	}
	shared, err := b.watch(ctx, fmt.Sprintf(", %d images", liveImages))
	return append(distinct, shared...), err
}

func newLiveBench(ctx context.Context, s setting) (*liveBench, error) {
	if s.kubeconfig == "" {
		return nil, fmt.Errorf("%w: -kubeconfig: hack/bench.sh gives that of the local cluster", errUsage)
	}
	config, err := clientcmd.BuildConfigFromFlags("", s.kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	b := &liveBench{setting: s}
	if b.admin, b.server, err = newHeapClients(ctx, config); err != nil {
		return nil, err
	}
	address, err := localAddress(ctx, b.server.host)
	if err != nil {
		return nil, err
	}
	b.registry, err = serveLive(ctx, address, s.crons)
	return b, err
}

// find notes the process of the server, and how to reach it.
func (b *liveBench) find(ctx context.Context) error {
	found, err := findServers("/proc")
	if err != nil {
		return err
	}
	b.ours = servers{programOurs: found[programOurs]}
	config, err := clientcmd.BuildConfigFromFlags("", b.kubeconfig)
	if err != nil {
		return err
	}
	_, b.server, err = newHeapClients(ctx, config)
	return err
}

// look reads the server's metrics.
func (b *liveBench) look(ctx context.Context) (pollMetrics, error) {
	content, err := b.server.send(ctx, call{method: http.MethodGet, path: "/metrics", accept: "text/plain"})
	if err != nil {
		return pollMetrics{}, fmt.Errorf("read the server's metrics: %w", err)
	}
	return readPollMetrics(string(content))
}

// watch waits until all crons are polled each minute and nothing else happens, and measures.
func (b *liveBench) watch(ctx context.Context, suffix string) ([]result, error) {
	if err := b.settle(ctx); err != nil {
		return nil, err
	}
	if err := b.idle(ctx); err != nil {
		return nil, err
	}
	before, err := b.look(ctx)
	if err != nil {
		return nil, err
	}
	asked, begin := b.registry.requests.Load(), time.Now()
	worked, err := b.ours.seconds("/proc")
	if err != nil {
		return nil, err
	}
	peak, err := b.peak(ctx, liveMinutes*time.Minute)
	if err != nil {
		return nil, err
	}
	after, err := b.look(ctx)
	if err != nil {
		return nil, err
	}
	took, requests := time.Since(begin), b.registry.requests.Load()-asked
	until, err := b.ours.seconds("/proc")
	if err != nil {
		return nil, err
	}
	window := after.since(before)
	_, _ = fmt.Fprintf(b.log, "  %.0f polls in %s, 99 of 100 within %.1f s, %d requests, %.2f cores, %d MiB\n",
		window.polls, took.Round(time.Second), window.lateness(0.99), requests, (until-worked)/took.Seconds(), peak>>20)
	if expected := float64(b.crons) * took.Minutes(); window.polls < expected*0.99 || window.polls > expected*1.01 {
		return nil, fmt.Errorf("%.0f polls in %s, of %d crons that are due each minute", window.polls, took.Round(time.Second), b.crons)
	}
	return []result{
		compare("poll-lateness-p99"+suffix, "s", window.lateness(0.99), "the aim", liveAim),
		compare("poll-server-cpu"+suffix, "cores", (until-worked)/took.Seconds(), "none", 0),
		compare("poll-server-rss"+suffix, "MiB", float64(peak)/(1<<20), "none", 0),
		compare("registry-requests-per-poll"+suffix, "1", float64(requests)/window.polls, "one for each poll", 1),
	}, nil
}

// settle waits until in a whole minute each cron is polled once and nothing new is found.
func (b *liveBench) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, liveSettle)
	defer cancel()
	if err := quiet(ctx); err != nil {
		return err
	}
	last, err := b.look(ctx)
	for err == nil {
		if err = quiet(ctx); err != nil {
			break
		}
		var now pollMetrics
		if now, err = b.look(ctx); err != nil {
			break
		}
		minute := now.since(last)
		last = now
		if minute.polls < 0 {
			return errors.New("the server was started anew meanwhile: its Pod's events tell why")
		}
		_, _ = fmt.Fprintf(b.log, "  %.0f polls in a minute, %.0f of which found nothing new\n", minute.polls, minute.unchanged)
		if due := float64(b.crons); minute.unchanged >= due*0.99 && minute.unchanged <= due*1.01 && minute.polls-minute.unchanged < 1 {
			return nil
		}
	}
	return fmt.Errorf("wait until %d crons are polled each minute: %w", b.crons, err)
}

// peak returns the most memory that the server has in a while, in bytes. Its etcd is in it.
func (b *liveBench) peak(ctx context.Context, d time.Duration) (int64, error) {
	var most int64
	for begin := time.Now(); time.Since(begin) < d; {
		size, err := b.ours.resident("/proc")
		if err != nil {
			return 0, err
		}
		most = max(most, size)
		if err := wait(ctx, min(time.Second, d-time.Since(begin))); err != nil {
			return 0, err
		}
	}
	return most, nil
}

// quiet waits until shortly before the next full minute. Polls are due in the first seconds of
// each: before these, none is under way.
func quiet(ctx context.Context) error {
	now := time.Now()
	next := now.Add(liveQuiet).Truncate(time.Minute).Add(time.Minute - liveQuiet)
	return wait(ctx, next.Sub(now))
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

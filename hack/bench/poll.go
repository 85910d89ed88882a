// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"goldenimage.dev/pkg/sources"
	"goldenimage.dev/pkg/sources/oci"
)

const (
	polls = 500
	// pollRounds are many, as a round takes some ten milliseconds only.
	pollRounds = 11
)

// poller returns a function that asks for a tag's digest, and one that ends it.
type poller struct {
	name  string
	start func(tag string) (ask func(ctx context.Context) (string, error), stop func(), err error)
}

// measurePolls measures one poll by itself, and the polls of a server in a cluster.
func measurePolls(ctx context.Context, s setting) ([]result, error) {
	single, err := measurePoll(ctx, s)
	if err != nil {
		return nil, err
	}
	live, err := measureLive(ctx, s)
	return append(live, single...), err
}

func measurePoll(ctx context.Context, s setting) (results []result, err error) {
	registry, err := serve(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, registry.close()) }()
	small, err := smallImage()
	if err != nil {
		return nil, err
	}
	image, err := registry.push(ctx, "latest", small)
	if err != nil {
		return nil, err
	}
	all := []poller{
		{"resolver", startResolver},
		{"go-containerregistry remote.Head, a new client each", startHead},
		{"go-containerregistry remote.Puller, kept", startPuller},
	}
	rates := make([][]float64, len(all))
	for round := range pollRounds {
		for i, p := range all {
			before := registry.heads.Load()
			rate, err := pollRate(ctx, p, image)
			if asked := registry.heads.Load() - before; err == nil && asked != polls {
				err = fmt.Errorf("the registry was asked %d times instead of %d", asked, polls)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.name, err)
			}
			_, _ = fmt.Fprintf(s.log, "  round %2d: %6.0f a second  %s\n", round+1, rate, p.name)
			rates[i] = append(rates[i], rate)
		}
	}
	for i, p := range all[1:] {
		results = append(results, compare("resolves, one at a time", "1/s", median(rates[0]), p.name, median(rates[i+1])))
	}
	return results, nil
}

// pollRate returns how many resolves are done in a second. The first one, which connects, counts.
func pollRate(ctx context.Context, p poller, image pushed) (float64, error) {
	begin := time.Now()
	ask, stop, err := p.start(image.tag)
	if err != nil {
		return 0, err
	}
	defer stop()
	for range polls {
		digest, err := ask(ctx)
		if err != nil {
			return 0, err
		}
		if digest != image.digest {
			return 0, fmt.Errorf("the digest is %s, and the image's %s", digest, image.digest)
		}
	}
	return polls / time.Since(begin).Seconds(), nil
}

func startResolver(tag string) (func(context.Context) (string, error), func(), error) {
	resolver := oci.NewResolver(oci.Options{})
	ask := func(ctx context.Context) (string, error) {
		revision, err := resolver.Resolve(ctx, sources.Query{Location: "docker://" + tag, Access: sources.Access{Insecure: true}})
		return revision.Digest, err
	}
	return ask, resolver.Close, nil
}

// startHead is how a program does it that is started for each poll, but for starting it.
func startHead(tag string) (func(context.Context) (string, error), func(), error) {
	ref, err := name.NewTag(tag, name.StrictValidation)
	ask := func(ctx context.Context) (string, error) {
		transport, err := newTransport()
		if err != nil {
			return "", err
		}
		defer transport.CloseIdleConnections()
		found, err := remote.Head(ref, remote.WithContext(ctx), remote.WithTransport(transport))
		if err != nil {
			return "", err
		}
		return found.Digest.String(), nil
	}
	return ask, func() {}, err
}

// startPuller is how a program does it that goes on, with that library alone.
func startPuller(tag string) (func(context.Context) (string, error), func(), error) {
	ref, err1 := name.NewTag(tag, name.StrictValidation)
	transport, err2 := newTransport()
	if err := errors.Join(err1, err2); err != nil {
		return nil, nil, err
	}
	puller, err := remote.NewPuller(remote.WithTransport(transport))
	ask := func(ctx context.Context) (string, error) {
		found, err := puller.Head(ctx, ref)
		if err != nil {
			return "", err
		}
		return found.Digest.String(), nil
	}
	return ask, transport.CloseIdleConnections, err
}

func newTransport() (*http.Transport, error) {
	transport, ok := remote.DefaultTransport.(*http.Transport)
	if !ok {
		return nil, errors.New("the default transport of go-containerregistry cannot be copied")
	}
	return transport.Clone(), nil
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/utils/clock"

	"goldenimage.dev/pkg/controllers/access"
	"goldenimage.dev/pkg/controllers/poll"
	"goldenimage.dev/pkg/sources"
	"goldenimage.dev/pkg/sources/polite"
	"goldenimage.dev/test/gen"
)

// public is the one host with the limits of a public registry; the others are the site's own.
const public = "public.test"

// leader is a replica that polls. What it remembers is its own.
type leader struct {
	client *client
	asker  *polite.Asker
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

func lead(t *testing.T, s *store, r sources.Resolver) *leader {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l := &leader{client: &client{store: s}, cancel: cancel}
	l.asker = polite.New(polite.Config{
		Resolvers: map[string]sources.Resolver{string(poll.KindRegistry): r}, Limits: polite.Limits{Unlimited: []string{"*.site.test"}},
		Clock: clock.RealClock{}, Rand: rand.New(rand.NewPCG(1, 2)).Float64,
	})
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: gen.Namespace, Name: "default"}}
	crons := newCrons(s)
	c, err := poll.New(poll.Config{
		Client: l.client, Crons: crons, Asker: l.asker, Kinds: []poll.Kind{poll.KindRegistry}, Recorder: silent{}, Clock: clock.RealClock{},
		Access: access.Reader{Client: fake.NewClientset(account), Accounts: access.NewAccounts(clock.RealClock{})},
	})
	if err != nil {
		t.Fatal(err)
	}
	l.ended.Go(func() { crons.informer.RunWithContext(ctx) })
	l.ended.Go(func() { c.Run(ctx, 0) })
	return l
}

// handOver ends a leader that has the time to write down what it knows.
func (l *leader) handOver() {
	l.cancel()
	l.ended.Wait()
	l.asker.Close()
}

// kill ends a leader that has not.
func (l *leader) kill() {
	l.client.cut.Store(true)
	l.handOver()
}

// silent drops events.
type silent struct{}

// Event implements record.EventRecorder.
func (silent) Event(runtime.Object, string, string, string) {}

// Eventf implements record.EventRecorder.
func (silent) Eventf(runtime.Object, string, string, string, ...any) {}

// AnnotatedEventf implements record.EventRecorder.
func (silent) AnnotatedEventf(runtime.Object, map[string]string, string, string, string, ...any) {}

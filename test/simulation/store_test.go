// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/generated/clientset/versioned"
	typed "goldenimage.dev/pkg/generated/clientset/versioned/typed/cdi/v1beta1"
	listers "goldenimage.dev/pkg/generated/listers/cdi/v1beta1"
)

// requestTakes is how long a request to the API server takes.
const requestTakes = 2 * time.Millisecond

// errGone is what who is cut off from the API server gets.
var errGone = errors.New("the API server does not answer")

// store holds the crons, as etcd and the API server do. That of package bubble is a whole one, but
// too slow for as many writes as a week has.
type store struct {
	// written is told of each write, with what was there before. It is called with the lock held.
	written func(before, after *v1beta1.DataImportCron)

	mu      sync.Mutex
	version int
	crons   map[string]*v1beta1.DataImportCron
	streams map[*stream]bool
	writes  int
}

func newStore(crons []*v1beta1.DataImportCron) *store {
	s := &store{crons: map[string]*v1beta1.DataImportCron{}, streams: map[*stream]bool{}}
	for _, cron := range crons {
		s.version++
		cron.ResourceVersion = strconv.Itoa(s.version)
		s.crons[cron.Name] = cron
	}
	return s
}

// update stores a cron unless another was stored meanwhile.
func (s *store) update(cron *v1beta1.DataImportCron) (*v1beta1.DataImportCron, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.crons[cron.Name]
	if before.ResourceVersion != cron.ResourceVersion {
		return nil, apierrors.NewConflict(v1beta1.Resource("dataimportcrons"), cron.Name, errors.New("it was changed"))
	}
	s.version++
	s.writes++
	after := cron.DeepCopy()
	after.ResourceVersion = strconv.Itoa(s.version)
	s.crons[cron.Name] = after
	if s.written != nil {
		s.written(before, after)
	}
	for stream := range s.streams {
		stream.send(watch.Event{Type: watch.Modified, Object: after.DeepCopy()})
	}
	return after.DeepCopy(), nil
}

func (s *store) get(name string) *v1beta1.DataImportCron {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.crons[name].DeepCopy()
}

// list returns all crons and the version of the list. Who reads them must not change them.
func (s *store) list() ([]*v1beta1.DataImportCron, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*v1beta1.DataImportCron, 0, len(s.crons))
	for _, cron := range s.crons {
		all = append(all, cron)
	}
	return all, strconv.Itoa(s.version)
}

// stream is a watch. What was not taken yet waits, however much it is.
type stream struct {
	store  *store
	result chan watch.Event
	done   chan struct{}
	wakes  chan struct{}

	mu      sync.Mutex
	waiting []watch.Event
}

func (s *store) watch(version string) (*stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	since, err := strconv.Atoi(version)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	w := &stream{store: s, result: make(chan watch.Event), done: make(chan struct{}), wakes: make(chan struct{}, 1)}
	for _, cron := range s.crons {
		if is, _ := strconv.Atoi(cron.ResourceVersion); is > since {
			w.send(watch.Event{Type: watch.Modified, Object: cron.DeepCopy()})
		}
	}
	s.streams[w] = true
	go w.pump()
	return w, nil
}

func (w *stream) send(event watch.Event) {
	w.mu.Lock()
	w.waiting = append(w.waiting, event)
	w.mu.Unlock()
	select {
	case w.wakes <- struct{}{}:
	default:
	}
}

func (w *stream) pump() {
	defer close(w.result)
	for {
		w.mu.Lock()
		events := w.waiting
		w.waiting = nil
		w.mu.Unlock()
		for _, event := range events {
			select {
			case w.result <- event:
			case <-w.done:
				return
			}
		}
		select {
		case <-w.wakes:
		case <-w.done:
			return
		}
	}
}

// Stop implements watch.Interface.
func (w *stream) Stop() {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	if w.store.streams[w] {
		delete(w.store.streams, w)
		close(w.done)
	}
}

// ResultChan implements watch.Interface.
func (w *stream) ResultChan() <-chan watch.Event { return w.result }

// client is one leader's way to the store. Any request that polling does not make panics.
type client struct {
	versioned.Interface
	typed.CdiV1beta1Interface
	typed.DataImportCronInterface

	store *store
	// cut tells that there is no way any more.
	cut atomic.Bool
}

// CdiV1beta1 implements versioned.Interface.
func (c *client) CdiV1beta1() typed.CdiV1beta1Interface { return c }

// DataImportCrons implements typed.CdiV1beta1Interface. All crons are in one namespace.
func (c *client) DataImportCrons(string) typed.DataImportCronInterface { return c }

// UpdateStatus implements typed.DataImportCronInterface.
func (c *client) UpdateStatus(ctx context.Context, cron *v1beta1.DataImportCron, _ metav1.UpdateOptions) (*v1beta1.DataImportCron, error) {
	if err := c.request(ctx); err != nil {
		return nil, err
	}
	return c.store.update(cron)
}

// Get implements typed.DataImportCronInterface.
func (c *client) Get(ctx context.Context, name string, _ metav1.GetOptions) (*v1beta1.DataImportCron, error) {
	if err := c.request(ctx); err != nil {
		return nil, err
	}
	return c.store.get(name), nil
}

func (c *client) request(ctx context.Context) error {
	select {
	case <-time.After(requestTakes):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if c.cut.Load() {
		return errGone
	}
	return nil
}

// crons is the informer of one leader.
type crons struct{ informer cache.SharedIndexInformer }

func newCrons(s *store) crons {
	return crons{cache.NewSharedIndexInformer(listWatch{s}, &v1beta1.DataImportCron{}, 0, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})}
}

// Informer implements informers.DataImportCronInformer.
func (c crons) Informer() cache.SharedIndexInformer { return c.informer }

// Lister implements informers.DataImportCronInformer.
func (c crons) Lister() listers.DataImportCronLister {
	return listers.NewDataImportCronLister(c.informer.GetIndexer())
}

// listWatch implements cache.ListerWatcher.
type listWatch struct{ store *store }

// List implements cache.Lister.
func (l listWatch) List(metav1.ListOptions) (runtime.Object, error) {
	all, version := l.store.list()
	list := &v1beta1.DataImportCronList{ListMeta: metav1.ListMeta{ResourceVersion: version}}
	for _, cron := range all {
		list.Items = append(list.Items, *cron.DeepCopy())
	}
	return list, nil
}

// Watch implements cache.Watcher.
func (l listWatch) Watch(options metav1.ListOptions) (watch.Interface, error) {
	return l.store.watch(options.ResourceVersion)
}

// IsWatchListSemanticsUnSupported has the reflector list first.
func (listWatch) IsWatchListSemanticsUnSupported() bool { return true }

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/access"
	"goldenimage.dev/pkg/controllers/datasource"
	"goldenimage.dev/pkg/controllers/imports"
	"goldenimage.dev/pkg/controllers/poll"
	"goldenimage.dev/pkg/controllers/publish"
	"goldenimage.dev/pkg/controllers/retention"
	"goldenimage.dev/pkg/controllers/status"
	"goldenimage.dev/pkg/sources"
	"goldenimage.dev/pkg/sources/polite"
	"goldenimage.dev/test/bubble"
	"goldenimage.dev/test/gen"
)

const cronName = "fedora-image-import-cron"

// registry holds one image.
type registry struct {
	mu     sync.Mutex
	digest string
	err    error
}

func (r *registry) Resolve(context.Context, sources.Query) (sources.Revision, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return sources.Revision{Digest: r.digest}, r.err
}

func (r *registry) push(digit string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.digest = gen.Digest(digit)
}

// site is a cluster with all controllers.
type site struct {
	*bubble.World
	t        *testing.T
	registry *registry
	stop     func()
	// writesLeft until the server is dead; negative means that it does not die.
	writesLeft atomic.Int64
	// wake tells the stand-in that there is a DataVolume.
	wake chan struct{}
}

func newSite(t *testing.T, objects ...runtime.Object) *site {
	s := &site{World: bubble.New(t, objects...), t: t, registry: &registry{digest: gen.Digest("1")}, wake: make(chan struct{}, 1)}
	s.writesLeft.Store(-1)
	for _, fake := range []*clienttesting.Fake{&s.CDI.Fake, &s.Kube.Fake} {
		fake.PrependReactor("create", "datasources", s.checkWhole)
		fake.PrependReactor("update", "datasources", s.checkWhole)
		fake.PrependReactor("*", "*", s.die)
	}
	s.start()
	return s
}

var errDead = errors.New("the server is dead")

func (s *site) die(action clienttesting.Action) (bool, runtime.Object, error) {
	switch verb := action.GetVerb(); {
	case s.writesLeft.Load() < 0, verb == "list", verb == "watch":
		return false, nil, nil
	case s.writesLeft.Load() == 0:
		return true, nil, errDead
	case verb != "get":
		s.writesLeft.Add(-1)
	}
	return false, nil, nil
}

// checkWhole sees to it that no DataSource is ever written that points to an image which is not
// whole.
func (s *site) checkWhole(action clienttesting.Action) (bool, runtime.Object, error) {
	written, ok := action.(interface{ GetObject() runtime.Object })
	if !ok || action.GetSubresource() != "" {
		return false, nil, nil
	}
	source, ok := written.GetObject().(*v1beta1.DataSource)
	if !ok || source.Spec.Source.PVC == nil {
		return false, nil, nil
	}
	obj, err := s.Kube.Tracker().Get(corev1.SchemeGroupVersion.WithResource("persistentvolumeclaims"), gen.Namespace, source.Spec.Source.PVC.Name)
	if err != nil || obj.(*corev1.PersistentVolumeClaim).Annotations[v1beta1.AnnPopulated] != "true" {
		s.t.Errorf("DataSource moves to %s, which is not whole: %v", source.Spec.Source.PVC.Name, err)
	}
	return false, nil, nil
}

func (s *site) start() {
	s.t.Helper()
	cdi, claims := s.CDIInformers.Cdi().V1beta1(), s.KubeInformers.Core().V1().PersistentVolumeClaims()
	crons, volumes, sourcesOf := cdi.DataImportCrons(), cdi.DataVolumes(), cdi.DataSources()
	clk := clock.RealClock{}
	asker := polite.New(polite.Config{
		Resolvers: map[string]sources.Resolver{string(poll.KindRegistry): s.registry}, Limits: polite.Limits{PerSecond: 1000, Burst: 1000}, Clock: clk,
	})
	s.t.Cleanup(asker.Close)
	poller, err1 := poll.New(poll.Config{
		Client: s.CDI, Access: access.Reader{Client: s.Kube}, Crons: crons, Asker: asker, Kinds: []poll.Kind{poll.KindRegistry}, Recorder: s.Recorder, Clock: clk,
	})
	importer, err2 := imports.New(imports.Config{Client: s.CDI, Kube: s.Kube, Crons: crons, Volumes: volumes, Claims: claims, Recorder: s.Recorder, Clock: clk})
	publisher, err3 := publish.New(publish.Config{
		Client: s.CDI, Kube: s.Kube, Crons: crons, Volumes: volumes, Sources: sourcesOf, Claims: claims, Recorder: s.Recorder, Clock: clk,
	})
	retainer, err4 := retention.New(retention.Config{
		Client: s.CDI, Kube: s.Kube, Crons: crons, Volumes: volumes, Sources: sourcesOf, Claims: claims, Recorder: s.Recorder, Clock: clk,
	})
	readier, err5 := datasource.New(datasource.Config{Client: s.CDI, Sources: sourcesOf, Volumes: volumes, Claims: claims, Recorder: s.Recorder, Clock: clk})
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		s.t.Fatal(err)
	}
	if _, err := volumes.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: s.woken}); err != nil {
		s.t.Fatal(err)
	}
	s.stop = s.Start(poller.Run, importer.Run, publisher.Run, retainer.Run, readier.Run, s.fill)
}

// restart is a kill and a new start: nothing that was only in memory is left.
func (s *site) restart() {
	s.t.Helper()
	s.stop()
	s.writesLeft.Store(-1)
	s.Reopen()
	s.start()
}

// fill stands in for the controller that fills DataVolumes: each takes some seconds.
func (s *site) fill(ctx context.Context, _ int) {
	busy := true
	for {
		var tick <-chan time.Time
		if busy {
			tick = time.After(2 * time.Second)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick:
		case <-s.wake:
			busy = true
			continue
		}
		list, err := s.CDI.CdiV1beta1().DataVolumes(gen.Namespace).List(ctx, metav1.ListOptions{})
		busy = err != nil
		for i := range list.Items {
			if volume := &list.Items[i]; volume.Status.Phase != v1beta1.Succeeded && volume.Status.Phase != v1beta1.Failed {
				// Whatever fails is done at the next tick.
				_ = s.step(ctx, volume)
				busy = true
			}
		}
	}
}

// woken is called when a DataVolume was made.
func (s *site) woken(any) {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *site) step(ctx context.Context, volume *v1beta1.DataVolume) error {
	claims := s.Kube.CoreV1().PersistentVolumeClaims(gen.Namespace)
	claim, err := claims.Get(ctx, volume.Name, metav1.GetOptions{})
	switch {
	case errors.Is(err, errDead):
		return err
	case err != nil:
		made := gen.Claim(volume.Name, gen.OwnedBy(volume), gen.Bound(), gen.WithAnnotation(v1beta1.AnnPopulationMethod, v1beta1.MethodDirect))
		made.Labels = volume.Labels
		if _, err := claims.Create(ctx, made, metav1.CreateOptions{}); err != nil {
			return err
		}
		volume.Status.Phase = v1beta1.ImportInProgress
	case !metav1.IsControlledBy(claim, volume):
		return nil
	case strings.Contains(*volume.Spec.Source.Registry.URL, gen.Digest("f")):
		volume.Status.Phase = v1beta1.Failed
	default:
		patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:"true"}}}`, v1beta1.AnnPopulated)
		if _, err := claims.Patch(ctx, volume.Name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
			return err
		}
		volume.Status.Phase = v1beta1.Succeeded
	}
	_, err = s.CDI.CdiV1beta1().DataVolumes(gen.Namespace).UpdateStatus(ctx, volume, metav1.UpdateOptions{})
	return err
}

func (s *site) trigger(id string, force bool) {
	s.t.Helper()
	s.UpdateCronStatus(cronName, gen.Asked(v1beta1.TriggerRequest{RequestID: id, RequestedAt: metav1.NewTime(time.Now()), Force: force}))
}

// view is what users see.
type view struct {
	UpToDate, Progressing, Reachable string
	PointsTo, Ready                  string
	Claims, Volumes                  string
}

func (s *site) view() view {
	s.t.Helper()
	s.Settle()
	ctx, v := s.t.Context(), view{}
	if cron, err := s.CDI.CdiV1beta1().DataImportCrons(gen.Namespace).Get(ctx, cronName, metav1.GetOptions{}); err == nil {
		for kind, into := range map[v1beta1.DataImportCronConditionType]*string{
			v1beta1.DataImportCronUpToDate: &v.UpToDate, v1beta1.DataImportCronProgressing: &v.Progressing, v1beta1.DataImportCronSourceReachable: &v.Reachable,
		} {
			if c := status.Cron(cron.Status.Conditions, kind); c != nil {
				*into = c.Reason
			}
		}
	}
	if source := s.Source(gen.ManagedDataSource); source != nil {
		v.PointsTo = source.Spec.Source.PVC.Name
		if c := status.Source(source.Status.Conditions, v1beta1.DataSourceReady); c != nil {
			v.Ready = c.Reason
		}
	}
	claims, err := s.Kube.CoreV1().PersistentVolumeClaims(gen.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	for i := range claims.Items {
		v.Claims += " " + strings.TrimPrefix(claims.Items[i].Name, "fedora-")
	}
	volumes, err := s.CDI.CdiV1beta1().DataVolumes(gen.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	for i := range volumes.Items {
		v.Volumes += " " + strings.TrimPrefix(volumes.Items[i].Name, "fedora-")
	}
	return v
}

// name is an import's without what all have in common.
func name(digit string) string { return strings.Repeat(digit, 12) }

// good is a view of a site that is up to date with a digit, and has imports of some.
func good(digit string, all ...string) view {
	v := view{UpToDate: "UpToDate", Progressing: "NoImport", Reachable: "Reachable", PointsTo: "fedora-" + name(digit), Ready: "Ready"}
	slices.Sort(all)
	for _, a := range all {
		v.Claims += " " + name(a)
	}
	v.Volumes = v.Claims
	return v
}

func (s *site) expect(when string, want view) {
	s.t.Helper()
	if diff := cmp.Diff(want, s.view()); diff != "" {
		s.t.Errorf("%s (-want +got):\n%s", when, diff)
	}
}

func documented(more ...gen.Modifier) *v1beta1.DataImportCron {
	return gen.DataImportCron(cronName, more...)
}

func TestTheDocumentedFlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, documented())
		s.Pass(10 * time.Second)
		s.expect("after the first import", good("1", "1"))
		s.registry.push("2")
		s.trigger("r1", false)
		s.Pass(10 * time.Second)
		s.expect("after a trigger", good("2", "1", "2"))
		for _, digit := range []string{"3", "4", "5", "6"} {
			s.registry.push(digit)
			s.trigger("r"+digit, false)
			s.Pass(10 * time.Second)
		}
		s.Pass(time.Minute)
		s.expect("after four more", good("6", "4", "5", "6"))
		s.registry.push("7")
		s.Pass(8 * 24 * time.Hour)
		s.expect("after a week", good("7", "5", "6", "7"))
		s.registry.push("5")
		s.Pass(8 * 24 * time.Hour)
		s.expect("after the tag was moved back", good("5", "5", "6", "7"))
		reasons := s.Reasons()
		for _, unwanted := range []string{"ImportFailed", "Unreachable"} {
			if slices.Contains(reasons, unwanted) {
				t.Errorf("event %s among %v", unwanted, reasons)
			}
		}
	})
}

func TestAFailedImportGivesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, documented(gen.WithSchedule("@every 1h")))
		s.Pass(10 * time.Second)
		s.registry.push("f")
		s.Pass(10 * time.Hour)
		broken := good("1", "1", "f")
		broken.UpToDate, broken.Progressing = "ImportFailed", "ImportFailed"
		s.expect("with a bad image", broken)
		s.registry.push("2")
		s.Pass(2 * time.Hour)
		s.expect("with a good image", good("2", "1", "2"))
	})
}

func TestForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, documented())
		s.Pass(10 * time.Second)
		s.trigger("again", true)
		s.Pass(time.Minute)
		got := s.view()
		if got.PointsTo == "fedora-"+name("1") || !strings.HasPrefix(got.PointsTo, "fedora-"+name("1")+"-") || got.UpToDate != "UpToDate" ||
			len(strings.Fields(got.Claims)) != 2 {
			t.Errorf("after a forced import: %+v", got)
		}
		s.Pass(30 * 24 * time.Hour)
		s.expect("a month later", got)
	})
}

func TestAPublishedImageThatIsDeletedComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, documented())
		s.Pass(10 * time.Second)
		if err := s.CDI.CdiV1beta1().DataVolumes(gen.Namespace).Delete(t.Context(), "fedora-"+name("1"), metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := s.view(); got.PointsTo != "fedora-"+name("1") || got.Ready == "Ready" || got.UpToDate != "ImportProgressing" {
			t.Errorf("after it was deleted: %+v", got)
		}
		s.Pass(10 * time.Second)
		s.expect("later", good("1", "1"))
		if err := s.Kube.CoreV1().PersistentVolumeClaims(gen.Namespace).Delete(t.Context(), "fedora-"+name("1"), metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		s.Pass(10 * time.Second)
		s.expect("after its claim was deleted", good("1", "1"))
	})
}

func TestNothingIsLeftOfACronThatRetainsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, documented(gen.RetainNone()))
		s.Pass(3 * time.Second) // in the middle of its import
		if err := s.CDI.CdiV1beta1().DataImportCrons(gen.Namespace).Delete(t.Context(), cronName, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		s.Pass(time.Minute)
		s.expect("after it was deleted", view{})
	})
}

// TestAKillAtAnyWriteIsMadeUpFor lets the server die after each number of writes that an import,
// its publication and a second one with a deletion take, and come back.
func TestAKillAtAnyWriteIsMadeUpFor(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the pipeline a hundred times")
	}
	died, n := true, int64(0)
	for ; died; n++ {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t)
			s.writesLeft.Store(n)
			s.CDI.Tracker().Add(documented(gen.ImportsToKeep(1))) //nolint:errcheck // a cron that is not there shows
			s.Pass(30 * time.Second)
			s.registry.push("2")
			cron := s.stored()
			gen.Asked(v1beta1.TriggerRequest{RequestID: "r1"})(cron)
			if err := s.CDI.Tracker().Update(v1beta1.SchemeGroupVersion.WithResource("dataimportcrons"), cron, gen.Namespace); err != nil {
				t.Fatal(err)
			}
			s.Pass(30 * time.Second)
			died = s.writesLeft.Load() == 0
			s.restart()
			s.Pass(2 * time.Minute)
			s.expect(fmt.Sprintf("killed after %d writes", n), good("2", "2"))
			if got := s.Cron(cronName).Status.LastTrigger; got == nil || got.RequestID != "r1" {
				t.Errorf("killed after %d writes: last trigger %+v", n, got)
			}
		})
		if n > 500 {
			t.Fatal("the pipeline does not come to rest")
		}
	}
	if n < 20 {
		t.Errorf("the pipeline made %d writes only: does it die at all?", n)
	}
}

// stored reads the cron past a server that is dead.
func (s *site) stored() *v1beta1.DataImportCron {
	s.t.Helper()
	synctest.Wait()
	obj, err := s.CDI.Tracker().Get(v1beta1.SchemeGroupVersion.WithResource("dataimportcrons"), gen.Namespace, cronName)
	if err != nil {
		s.t.Fatal(err)
	}
	return obj.(*v1beta1.DataImportCron).DeepCopy()
}

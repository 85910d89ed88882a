// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"goldenimage.dev/pkg/apis/cdi/schedule"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/poll"
	"goldenimage.dev/pkg/sources"
	"goldenimage.dev/test/gen"
)

const (
	// manyCrons are what one small server is to poll, and fewCrons what the race detector has
	// patience for.
	manyCrons, fewCrons = 10_000, 1_000
	// sharers is how many crons follow one image, and hosts how many registries there are.
	sharers, hosts = 5, 20
)

// share is a schedule and how many crons out of a hundred have it. All but the intervals, which
// count from the first poll, are due at full hours.
type share struct {
	schedule string
	percent  int
}

func shares() []share {
	return []share{
		{"0 * * * *", 5},
		{"0 */4 * * *", 5},
		{"0 */6 * * *", 15},
		{"0 2 * * *", 40},
		{"@daily", 10},
		{"CRON_TZ=Europe/Berlin 0 5 * * *", 10},
		{"0 3 * * 1", 5},
		{"@every 12h", 5},
		{"", 5},
	}
}

// world returns the crons that are there when the week begins.
func world(t *testing.T, count int) ([]*v1beta1.DataImportCron, map[string]schedule.Schedule) {
	t.Helper()
	var mix []string
	parsed := map[string]schedule.Schedule{"": {}}
	for _, s := range shares() {
		for range s.percent {
			mix = append(mix, s.schedule)
		}
		if s.schedule == "" {
			continue
		}
		var err error
		if parsed[s.schedule], err = schedule.Parse(s.schedule); err != nil {
			t.Fatal(err)
		}
	}
	crons := make([]*v1beta1.DataImportCron, 0, count)
	for i := range count {
		image := i % (count / sharers)
		host := public
		if image%hosts != 0 {
			host = fmt.Sprintf("r%02d.site.test", image%hosts)
		}
		// Who shares an image has another schedule.
		name, text := fmt.Sprintf("cron-%05d", i), mix[number(fmt.Sprint("mix", i))%uint64(len(mix))]
		cron := gen.DataImportCron(name, gen.CreatedAt(time.Now()), gen.WithSchedule(text), gen.WithRegistry(func(src *v1beta1.DataVolumeSourceRegistry) {
			src.URL = new(fmt.Sprintf("docker://%s/image-%d:latest", host, image/hosts))
		}))
		// One in a hundred is suspended.
		cron.Spec.Suspend = new(i%100 == 7)
		crons = append(crons, cron)
	}
	return crons, parsed
}

// week is a simulation. Its times are days and hours since it began, on a Saturday at midnight.
type week struct {
	*testing.T
	store      *store
	registries *registries
	judge      *judge
	leader     *leader
	midnight   time.Time
}

func newWeek(t *testing.T, count int) *week {
	t.Helper()
	w := &week{T: t, midnight: time.Now()}
	crons, schedules := world(t, count)
	w.registries = &registries{begin: w.midnight, requests: map[string][]time.Time{}}
	w.judge = &judge{registries: w.registries, schedules: schedules, asked: map[string]time.Time{}, wants: map[string]map[instant]bool{}}
	w.store = newStore(crons)
	w.store.written = w.judge.written
	return w
}

func (w *week) at(day, hour, minute, second int) time.Time {
	clock := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second
	return w.midnight.AddDate(0, 0, day).Add(clock)
}

// until lets time pass.
func (w *week) until(when time.Time) {
	time.Sleep(time.Until(when)) //nolint:forbidigo // in a bubble nobody waits for it
	synctest.Wait()
}

// lead begins with a new leader, which knows nothing but what is stored.
func (w *week) lead() {
	w.store.mu.Lock()
	w.judge.leaders = append(w.judge.leaders, time.Now())
	w.store.mu.Unlock()
	w.leader = lead(w.T, w.store, w.registries)
}

// trigger asks for a poll of all crons without a schedule.
func (w *week) trigger() {
	all, _ := w.store.list()
	for _, cron := range all {
		if cron.Spec.Schedule != "" {
			continue
		}
		w.store.mu.Lock()
		w.judge.asked[cron.Name] = time.Now()
		w.store.mu.Unlock()
		asked := w.store.get(cron.Name)
		asked.Status.TriggerRequest = &v1beta1.TriggerRequest{RequestID: "by-" + cron.Name, RequestedAt: metav1.Now()}
		if _, err := w.store.update(asked); err != nil {
			w.Fatal(err)
		}
	}
}

// TestWeek lets a week pass in which nearly everything happens that may.
func TestWeek(t *testing.T) {
	count := manyCrons
	if raceDetector {
		count = fewCrons
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWeek(t, count)
		perHost := count / sharers / hosts
		w.registries.faults = []*fault{
			{
				host: "r03.site.test", from: w.at(2, 9, 30, 0), to: w.at(2, 12, 30, 0), kind: sources.Unreachable, reason: poll.ReasonUnreachable,
				// A probe may have just failed when it ends. By two leaders, each image may be
				// asked for, and at the end; meanwhile there are probes.
				heals: 6 * time.Minute, most: 3*perHost + 100,
			},
			{
				host: "r05.site.test", from: w.at(3, 9, 58, 0), to: w.at(3, 10, 45, 0), kind: sources.RateLimited, limits: true, reason: poll.ReasonRateLimited,
				heals: 2 * time.Minute, most: 2 * perHost,
			},
			{
				location: "docker://r07.site.test/image-1:latest", from: w.at(5, 3, 30, 0), to: w.at(6, 3, 30, 0), kind: sources.NotFound, reason: poll.ReasonNotFound,
				// Nobody but who asks tells that it is back, an hour later at most.
				heals: time.Hour + time.Minute, most: 35 * sharers,
			},
			{
				host: public, from: w.at(6, 15, 30, 0), to: w.at(6, 17, 10, 0), kind: sources.Certificate, reason: poll.ReasonTLSFailed,
				heals: 6 * time.Minute, most: 2*perHost + 60,
			},
		}
		w.until(w.at(0, 0, 7, 3))
		w.lead()
		w.until(w.at(1, 5, 20, 0))
		w.leader.handOver()
		w.lead()
		// Killed while four in ten are due, followed when its lease is over.
		w.until(w.at(2, 2, 1, 30))
		w.leader.kill()
		w.until(w.at(2, 2, 1, 45))
		w.lead()
		// The registry that is down stays so for a while.
		w.until(w.at(2, 12, 20, 0))
		w.leader.handOver()
		w.lead()
		// Nobody is there for a night, in which some miss seven polls.
		w.until(w.at(4, 2, 30, 0))
		w.leader.handOver()
		w.until(w.at(4, 9, 15, 0))
		w.lead()
		w.until(w.at(4, 12, 40, 0))
		w.trigger()
		// Handed over while four in ten are due.
		w.until(w.at(5, 2, 2, 0))
		w.leader.handOver()
		w.lead()
		w.until(w.at(7, 0, 6, 30))
		w.leader.handOver()
		w.end()
	})
}

// end judges the whole. That no goroutine is left is told by the bubble, which fails if one is.
func (w *week) end() {
	w.judge.verdict(w.T)
	all, _ := w.store.list()
	for _, cron := range all {
		w.judge.healthy(w.T, cron)
	}
	asked, wanted := w.judge.requests(w.T, [][2]time.Time{{w.at(2, 2, 0, 0), w.at(2, 2, 1, 30)}, {w.at(5, 2, 0, 0), w.at(5, 2, 2, 0)}})
	w.Logf("%d polls of %d crons in %d writes, %d failed; begun %s late at most, written %s after that; %d requests for %d instants, besides faults",
		w.judge.polls, len(all), w.store.writes, w.judge.failures, w.judge.latest, w.judge.slowest, asked, wanted)
	if spare := w.store.writes - w.judge.polls; spare > w.judge.polls/50 {
		w.Errorf("%d writes for %d polls", w.store.writes, w.judge.polls)
	}
}

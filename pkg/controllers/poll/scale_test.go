// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"k8s.io/apimachinery/pkg/runtime"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/sources"
	"goldenimage.dev/test/bubble"
	"goldenimage.dev/test/gen"
)

// TestRequestsPerPoll bounds what a poll costs the API server, and that waiting costs nothing.
func TestRequestsPerPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const crons = 200
		var objects []runtime.Object
		for i := range crons {
			objects = append(objects, gen.DataImportCron(fmt.Sprintf("cron-%d", i), gen.WithSchedule("0 0 * * *")))
		}
		r := &registry{digest: gen.Digest("a")}
		w := start(t, r, objects...)
		w.Settle()
		w.CDI.ClearActions()
		w.Kube.ClearActions()
		asked := r.count()
		w.Pass(24*time.Hour + 10*time.Minute)
		// All have the same source, and one time in their schedules: it is asked once. Each
		// poll is one write, and their ServiceAccount is read now and then.
		if polls, writes := r.count()-asked, len(w.CDI.Actions()); polls != 1 || writes != crons {
			t.Errorf("%d crons asked %d times in a day, with %d writes", crons, polls, writes)
		}
		if reads := len(w.Kube.Actions()); reads > 11 {
			t.Errorf("%d reads of the cluster", reads)
		}
		for i := range crons {
			cron := w.Cron(fmt.Sprintf("cron-%d", i))
			if last := cron.Status.LastPoll; time.Since(last.Time.Time) > 24*time.Hour || last.Outcome != v1beta1.PollUnchanged {
				t.Fatalf("%s was polled last: %+v", cron.Name, last)
			}
		}
	})
}

// TestPollsFasterThanTheirRecords has crons due more often than they can be written down: that
// makes no poll come twice, and each is written down in its turn all the same.
func TestPollsFasterThanTheirRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const crons, minutes, turn = 20, 30, 10 * time.Second
		var objects []runtime.Object
		for i := range crons {
			objects = append(objects, gen.DataImportCron(fmt.Sprintf("cron-%d", i), gen.WithSchedule("* * * * *"),
				gen.WithRegistry(func(src *v1beta1.DataVolumeSourceRegistry) {
					src.URL = new(fmt.Sprintf("docker://registry.example/image-%d", i))
				})))
		}
		r := &registry{digest: gen.Digest("a")}
		w := bubble.New(t, objects...)
		c, err := New(config(t, w, map[Kind]sources.Resolver{KindRegistry: r}))
		if err != nil {
			t.Fatal(err)
		}
		c.pace = rate.NewLimiter(rate.Every(turn), 1)
		w.Start(c.Run)
		// Polls are due in the first seconds of each minute: in the midst of one, none is.
		w.Pass(time.Until(time.Now().Truncate(time.Minute).Add(time.Minute + 30*time.Second)))
		asked := r.count()
		w.CDI.ClearActions()
		w.Pass(minutes * time.Minute)
		if got := r.count() - asked; got != crons*minutes {
			t.Errorf("%d crons that are due each minute were polled %d times in %d minutes", crons, got, minutes)
		}
		if got, most := len(w.CDI.Actions()), int(minutes*time.Minute/turn)+1; got > most {
			t.Errorf("%d writes, of which one is to be made every %s: no more than %d", got, turn, most)
		}
		for i := range crons {
			last := w.Cron(fmt.Sprintf("cron-%d", i)).Status.LastPoll
			if age := time.Since(last.Time.Time); age > crons*turn+time.Minute {
				t.Errorf("the latest poll of cron-%d that is written down is %s old", i, age)
			}
		}
	})
}

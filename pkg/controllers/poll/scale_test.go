// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/runtime"

	"goldenimage.dev/pkg/apis/cdi/v1beta1"
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

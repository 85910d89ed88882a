// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/runtime"

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
		requests := func() int { return len(w.CDI.Actions()) + len(w.Kube.Actions()) }
		before, asked := requests(), r.count()
		w.Pass(24*time.Hour + 10*time.Minute)
		// One read, the annotations, the status; a further read if the cache lags behind.
		if polls := r.count() - asked; polls != crons || requests()-before > 4*crons {
			t.Errorf("%d polls of %d crons in a day, with %d requests", polls, crons, requests()-before)
		}
	})
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"goldenimage.dev/pkg/apis/cdi/schedule"
	"goldenimage.dev/pkg/apis/cdi/v1beta1"
	"goldenimage.dev/pkg/controllers/status"
)

const (
	// late is how long after it is due a poll may begin when there is a leader.
	late = time.Second
	// slow is how long it may take from then until it is written down: ten thousand that are due
	// together are written at three hundred a second, and a hundred images of a public registry are
	// asked for at two a second.
	slow = time.Minute
	// pauses is the shortest time between a poll that failed and the next.
	pauses = 5 * time.Second
	// enough problems are listed.
	enough = 20
)

// instant is a time as of which one leader has to know what a location holds: one request.
type instant struct {
	asOf   time.Time
	leader int
}

// judge looks at every poll. What is due when it knows from the schedules alone.
type judge struct {
	registries *registries
	schedules  map[string]schedule.Schedule
	// leaders are the times at which leaders began; the last is the one that polls.
	leaders []time.Time
	// asked is when a trigger asked for a poll, by the crons' names.
	asked map[string]time.Time

	// wants are the instants for which polls were made, by location, but for those in faults.
	wants           map[string]map[instant]bool
	polls, failures int
	latest, slowest time.Duration
	problems        []string
	more            int
}

func (j *judge) problem(cron *v1beta1.DataImportCron, format string, args ...any) {
	if len(j.problems) >= enough {
		j.more++
		return
	}
	last := cron.Status.LastPoll
	j.problems = append(j.problems, fmt.Sprintf("%s (%s, %q), polled at %s, written at %s: %s",
		cron.Name, locationOf(cron), cron.Spec.Schedule, stamp(last.Time.Time), stamp(time.Now()), fmt.Sprintf(format, args...)))
}

func stamp(t time.Time) string { return t.UTC().Format("Mon 02 15:04:05") }

func locationOf(cron *v1beta1.DataImportCron) string {
	return *cron.Spec.Template.Spec.Source.Registry.URL
}

// written is told of each write to a cron.
func (j *judge) written(before, after *v1beta1.DataImportCron) {
	was, is := before.Status.LastPoll, after.Status.LastPoll
	if is == nil || was != nil && was.Time.Equal(&is.Time) {
		return
	}
	j.polls++
	took := time.Since(is.Time.Time)
	if j.slowest = max(j.slowest, took); took > slow {
		j.problem(after, "written %s after it began", took)
	}
	condition := status.Cron(after.Status.Conditions, v1beta1.DataImportCronSourceReachable)
	if is.Outcome == v1beta1.PollFailed {
		j.failed(before, after, condition.Reason)
		return
	}
	if condition.Status != corev1.ConditionTrue {
		j.problem(after, "it succeeded and the condition is %s", condition.Reason)
	}
	if want := j.registries.digest(locationOf(after), is.Time.Time); is.Digest != want || after.Annotations[v1beta1.AnnSourceDesiredDigest] != want {
		j.problem(after, "it found %s and desires %s, and the image is %s", is.Digest, after.Annotations[v1beta1.AnnSourceDesiredDigest], want)
	}
	j.succeeded(before, after)
}

// failed judges a poll that failed.
func (j *judge) failed(before, after *v1beta1.DataImportCron, reason string) {
	j.failures++
	is, was := after.Status.LastPoll, before.Status.LastPoll
	if was != nil && is.Time.Sub(was.Time.Time) < pauses {
		j.problem(after, "it failed %s after the one before", is.Time.Sub(was.Time.Time))
	}
	for _, f := range j.registries.faults {
		if f.hits(locationOf(after)) && f.during(is.Time.Time) {
			if reason != f.reason {
				j.problem(after, "it failed for %s, and not for %s", reason, f.reason)
			}
			return
		}
	}
	j.problem(after, "it failed for %s, and the source works", reason)
}

// succeeded judges when a poll was made that succeeded.
func (j *judge) succeeded(before, after *v1beta1.DataImportCron) {
	is, was := after.Status.LastPoll.Time.Time, before.Status.LastPoll
	asOf := is
	switch {
	case was != nil && was.Outcome == v1beta1.PollFailed:
		if j.faultAt(locationOf(after), is) < 0 {
			j.problem(after, "the source works for long")
		}
		return
	case !j.asked[after.Name].IsZero():
		j.inTime(after, j.asked[after.Name], is)
		delete(j.asked, after.Name)
	case was == nil:
		j.inTime(after, j.leaders[0], is)
	default:
		times := j.schedules[after.Spec.Schedule]
		due := times.Due(was.Time.Time, string(after.UID))
		if is.Before(due) {
			j.problem(after, "it was due at %s, and polled before at %s", stamp(due), stamp(was.Time.Time))
			return
		}
		j.inTime(after, due, is)
		// Jitter makes no other answer necessary, and after a while without a leader nobody wants
		// to know how it was then.
		asOf = times.Next(was.Time.Time)
		if oldest := is.Add(-schedule.MostJitter(times.Period())); asOf.Before(oldest) {
			asOf = oldest
		}
	}
	j.want(locationOf(after), asOf)
}

// inTime judges a poll that was due, or if there was no leader then, when there was one.
func (j *judge) inTime(cron *v1beta1.DataImportCron, due, is time.Time) {
	if leader := j.leaders[len(j.leaders)-1]; due.Before(leader) {
		due = leader
	}
	lateness := is.Sub(due)
	if j.latest = max(j.latest, lateness); lateness > late {
		j.problem(cron, "it was due at %s", stamp(due))
	}
}

func (j *judge) want(location string, asOf time.Time) {
	if j.wants[location] == nil {
		j.wants[location] = map[instant]bool{}
	}
	j.wants[location][instant{asOf: asOf, leader: len(j.leaders)}] = true
}

// verdict fails the test for what was found.
func (j *judge) verdict(t *testing.T) {
	t.Helper()
	for _, problem := range j.problems {
		t.Error(problem)
	}
	if j.more > 0 {
		t.Errorf("and %d more", j.more)
	}
}

// healthy fails the test for a cron that waits for a poll or whose latest failed, at the end.
func (j *judge) healthy(t *testing.T, cron *v1beta1.DataImportCron) {
	t.Helper()
	last, times := cron.Status.LastPoll, j.schedules[cron.Spec.Schedule]
	switch {
	case last == nil && !times.IsZero() && !*cron.Spec.Suspend:
		t.Errorf("%s was never polled", cron.Name)
	case last == nil:
	case last.Outcome == v1beta1.PollFailed:
		t.Errorf("%s failed last at %s", cron.Name, stamp(last.Time.Time))
	case !times.IsZero() && times.Due(last.Time.Time, string(cron.UID)).Before(time.Now().Add(-slow)):
		t.Errorf("%s was polled last at %s", cron.Name, stamp(last.Time.Time))
	}
}

// requests compares what the registries were asked with what the polls wanted to know: they must be
// the same. Only a leader that ends while polls are due, between the two times of one of cuts, may
// have asked what it could not write down any more.
func (j *judge) requests(t *testing.T, cuts [][2]time.Time) (asked, wanted int) {
	t.Helper()
	wrong := 0
	counted := make([]int, len(j.registries.faults))
	for location, times := range j.registries.requests {
		is, spare := 0, 0
		for _, when := range times {
			if i := j.faultAt(location, when); i >= 0 {
				counted[i]++
			} else {
				is++
				spare += between(cuts, when)
			}
		}
		want := len(j.wants[location])
		asked, wanted = asked+is, wanted+want
		if (is < want || is > want+spare) && wrong < enough {
			wrong++
			t.Errorf("%s was asked %d times for %d instants", location, is, want)
		}
	}
	for i, f := range j.registries.faults {
		if counted[i] > f.most {
			t.Errorf("%s%s was asked %d times while it failed, at most %d are wanted", f.host, f.location, counted[i], f.most)
		}
		t.Logf("%s%s was asked %d times while it failed", f.host, f.location, counted[i])
	}
	return asked, wanted
}

// between is 1 if a time is within one of some pairs of times, and 0 if not.
func between(pairs [][2]time.Time, when time.Time) int {
	for _, pair := range pairs {
		if !when.Before(pair[0]) && !when.After(pair[1]) {
			return 1
		}
	}
	return 0
}

// faultAt returns the index of the fault that a location has, -1 if it has none.
func (j *judge) faultAt(location string, when time.Time) int {
	for i, f := range j.registries.faults {
		if f.hits(location) && f.during(when) {
			return i
		}
	}
	return -1
}

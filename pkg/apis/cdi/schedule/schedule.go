// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"time"
	_ "time/tzdata" // A minimal image has no zone files, and CRON_TZ must work in it too.

	"github.com/robfig/cron/v3"
)

const (
	// maxLength of a schedule; the longest sensible one is far below it.
	maxLength = 256
	// shortest interval of @every.
	shortest = time.Second
	// maxJitter is how late a poll comes at most.
	maxJitter = 5 * time.Minute
	// jitterShare of a period is how late a poll comes at most.
	jitterShare = 10
	// samples is how many times of a schedule its period is estimated from. A schedule that is
	// more uneven than that gets a little more or less jitter.
	samples = 8

	accepted = `five cron fields such as "30 1 * * 1", or @hourly, @daily, @weekly, @monthly, @yearly, "@every 6h"; "CRON_TZ=Area/City " may stand in front`
)

// A Schedule is a sequence of times. The zero Schedule has none. It can be shared.
type Schedule struct {
	times  cron.Schedule
	period time.Duration
	every  bool
}

// Parse reads a schedule: five cron fields (in UTC), a descriptor such as @daily or
// "@every 6h", either of them with "CRON_TZ=Area/City " or "TZ=Area/City " in front. The
// empty string is an error: what it means is for the caller to say. So is a schedule that
// never comes.
func Parse(text string) (Schedule, error) {
	if len(text) > maxLength {
		return Schedule{}, fmt.Errorf("schedule is %d characters long: at most %d are accepted", len(text), maxLength)
	}
	zone, line, err := cutZone(strings.TrimSpace(text))
	if err != nil {
		return Schedule{}, fmt.Errorf("schedule %q: %w", text, err)
	}
	times, err := parse(line)
	if err != nil {
		return Schedule{}, fmt.Errorf("schedule %q is not valid: %w: accepted are %s", text, err, accepted)
	}
	s := Schedule{times: times}
	switch t := times.(type) {
	case *cron.SpecSchedule:
		t.Location = zone
	case cron.ConstantDelaySchedule:
		s.every = true
	}
	if s.period = estimate(times); s.period == 0 {
		return Schedule{}, fmt.Errorf("schedule %q never comes: no month has that day", text)
	}
	return s, nil
}

// cutZone splits a time zone off. The library is not given it, since it panics if nothing
// follows.
func cutZone(text string) (*time.Location, string, error) {
	rest, found := strings.CutPrefix(text, "CRON_TZ=")
	if !found {
		rest, found = strings.CutPrefix(text, "TZ=")
	}
	if !found {
		return time.UTC, text, nil
	}
	end := strings.IndexAny(rest, " \t")
	if end < 0 {
		return nil, "", errors.New("after the time zone come a space and the schedule proper")
	}
	name, line := rest[:end], strings.TrimSpace(rest[end:])
	if name == "" || name == "Local" {
		return nil, "", errors.New("the time zone has no name: accepted are names such as UTC or Europe/Berlin")
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, "", fmt.Errorf("time zone %q is not known: accepted are names such as UTC or Europe/Berlin", name)
	}
	return zone, line, nil
}

func parse(line string) (cron.Schedule, error) {
	if line == "" {
		return nil, errors.New("it is empty")
	}
	if strings.HasPrefix(line, "CRON_TZ=") || strings.HasPrefix(line, "TZ=") {
		return nil, errors.New("it has two time zones")
	}
	if interval, ok := strings.CutPrefix(line, "@every "); ok {
		d, err := time.ParseDuration(strings.TrimSpace(interval))
		if err != nil {
			return nil, fmt.Errorf("%q is not a duration such as 90m or 6h", interval)
		}
		if d < shortest {
			return nil, fmt.Errorf("%s is shorter than %s", d, shortest)
		}
		return cron.Every(d), nil
	}
	return cron.ParseStandard(line)
}

// estimate returns the shortest pause between the times that follow a fixed one, 0 if there
// are none. From 2001 the library, which looks five years ahead, sees a 29 February.
func estimate(times cron.Schedule) time.Duration {
	var shortest time.Duration
	last := times.Next(time.Date(2001, time.January, 1, 0, 0, 0, 0, time.UTC))
	if last.IsZero() {
		return 0
	}
	for range samples {
		next := times.Next(last)
		if next.IsZero() {
			break
		}
		if pause := next.Sub(last); shortest == 0 || pause < shortest {
			shortest = pause
		}
		last = next
	}
	return shortest
}

// Next returns the first time after the given one, in UTC. Of an interval it is that time plus
// the interval, so whoever gives the time of the latest run gets no drift however often they
// ask. It is the zero time if there is none within five years.
func (s Schedule) Next(after time.Time) time.Time {
	if s.times == nil {
		return time.Time{}
	}
	return s.times.Next(after.UTC()).UTC()
}

// Due returns when something that ran last at a time is due again: Next, and for a schedule by
// the clock the Jitter of uid later, so that all that is due at full hours does not come at
// once. An interval is counted from a time that differs from one to the other already; with
// jitter it would only grow.
func (s Schedule) Due(last time.Time, uid string) time.Time {
	next := s.Next(last)
	if next.IsZero() || s.every {
		return next
	}
	return next.Add(Jitter(uid, s.period))
}

// IsZero tells whether this is the zero Schedule.
func (s Schedule) IsZero() bool { return s.times == nil }

// Period returns about how long the shortest pause between two times is, 0 for the zero
// Schedule.
func (s Schedule) Period() time.Duration { return s.period }

// MostJitter returns what Jitter stays below: a tenth of period, and five minutes.
func MostJitter(period time.Duration) time.Duration {
	return max(0, min(period/jitterShare, maxJitter))
}

// Jitter returns a delay below MostJitter. It is always the same for the same uid and period,
// and in whole seconds.
func Jitter(uid string, period time.Duration) time.Duration {
	limit := uint64(MostJitter(period) / time.Second) //nolint:gosec // it is not negative
	if limit == 0 {
		return 0
	}
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(uid))
	return time.Duration(sum.Sum64()%limit) * time.Second //nolint:gosec // below 300
}

// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func at(t *testing.T, text string) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestParseAccepts(t *testing.T) {
	for name, test := range map[string]struct {
		text, after string
		// want are the times that follow, one after the other.
		want   []string
		period time.Duration
	}{
		"the documented schedule comes on Mondays": {
			text: "30 1 * * 1", after: "2026-10-01T12:00:00Z",
			want: []string{"2026-10-05T01:30:00Z", "2026-10-12T01:30:00Z"}, period: 7 * 24 * time.Hour,
		},
		"five fields are in UTC wherever the server is": {
			text: "0 6 * * *", after: "2026-10-01T09:00:00+05:00",
			want: []string{"2026-10-01T06:00:00Z"}, period: 24 * time.Hour,
		},
		"a zone's winter and summer differ": {
			text: "CRON_TZ=Europe/Berlin 0 12 * * *", after: "2026-10-24T00:00:00Z",
			want: []string{"2026-10-24T10:00:00Z", "2026-10-25T11:00:00Z"}, period: 24 * time.Hour,
		},
		"an hour that a night in spring leaves out is not waited for forever": {
			text: "TZ=Europe/Berlin 30 2 * * *", after: "2026-03-28T12:00:00Z",
			want: []string{"2026-03-30T00:30:00Z"}, period: 24 * time.Hour,
		},
		"a descriptor":                {text: "@daily", after: "2026-10-01T12:00:00Z", want: []string{"2026-10-02T00:00:00Z"}, period: 24 * time.Hour},
		"a descriptor in a zone":      {text: "CRON_TZ=Asia/Tokyo @daily", after: "2026-10-01T12:00:00Z", want: []string{"2026-10-01T15:00:00Z"}, period: 24 * time.Hour},
		"an interval":                 {text: "@every 1h30m", after: "2026-10-01T12:34:56Z", want: []string{"2026-10-01T14:04:56Z", "2026-10-01T15:34:56Z"}, period: 90 * time.Minute},
		"an interval with blanks":     {text: " @every  1h ", after: "2026-10-01T12:34:56Z", want: []string{"2026-10-01T13:34:56Z"}, period: time.Hour},
		"an uneven schedule":          {text: "0,5 * * * *", after: "2026-10-01T12:00:00Z", want: []string{"2026-10-01T12:05:00Z", "2026-10-01T13:00:00Z"}, period: 5 * time.Minute},
		"a leap day":                  {text: "0 0 29 2 *", after: "2026-10-01T12:00:00Z", want: []string{"2028-02-29T00:00:00Z"}, period: 0},
		"a day of month or a weekday": {text: "0 0 30 2 1", after: "2026-10-01T12:00:00Z", want: []string{"2027-02-01T00:00:00Z"}, period: 7 * 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Parse(test.text)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for when := at(t, test.after); len(got) < len(test.want); {
				when = s.Next(when)
				got = append(got, when.Format(time.RFC3339))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("times (-want +got):\n%s", diff)
			}
			if test.period != 0 && s.Period() != test.period {
				t.Errorf("period %s, want %s", s.Period(), test.period)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"the empty string":                     {"", "it is empty"},
		"blanks":                               {"   ", "it is empty"},
		"a word":                               {"weekly", "five cron fields such as"},
		"six fields":                           {"0 0 0 * * *", "accepted are"},
		"a minute that no hour has":            {"60 * * * *", "accepted are"},
		"an unknown descriptor":                {"@fortnightly", "accepted are"},
		"a day that no month has":              {"0 0 30 2 *", "never comes"},
		"a zone and nothing else":              {"TZ=UTC", "after the time zone"},
		"a zone with CRON_ and nothing else":   {"CRON_TZ=UTC", "after the time zone"},
		"a zone and blanks":                    {"TZ=UTC   ", "after the time zone"},
		"two zones, the second without a line": {"CRON_TZ=UTC TZ=UTC", "two time zones"},
		"an unknown zone":                      {"CRON_TZ=Mars/Olympus 0 0 * * *", `"Mars/Olympus" is not known`},
		"a zone that is a path":                {"CRON_TZ=../../etc/passwd 0 0 * * *", "is not known"},
		"a zone without a name":                {"CRON_TZ= 0 0 * * *", "no name"},
		"the server's own zone":                {"CRON_TZ=Local 0 0 * * *", "no name"},
		"an interval that is no duration":      {"@every day", "not a duration"},
		"an interval of nothing":               {"@every 0s", "shorter than 1s"},
		"a negative interval":                  {"@every -1h", "shorter than 1s"},
		"a very long line":                     {strings.Repeat("*", 10_000), "10000 characters long"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(test.text)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestZeroScheduleNeverComes(t *testing.T) {
	if next := (Schedule{}).Due(time.Now(), "a"); !next.IsZero() {
		t.Errorf("next is %s", next)
	}
}

func TestIntervalDoesNotDriftHoweverOftenItIsAsked(t *testing.T) {
	s, err := Parse("@every 1h")
	if err != nil {
		t.Fatal(err)
	}
	last := at(t, "2026-10-01T12:00:10Z")
	for range 3 {
		if got, want := s.Due(last, "uid"), last.Add(time.Hour); !got.Equal(want) {
			t.Errorf("due %s, want %s", got, want)
		}
	}
}

func TestJitterOnlyDelaysWithinItsLimit(t *testing.T) {
	for name, test := range map[string]struct {
		text  string
		limit time.Duration
	}{
		"a week is delayed by less than five minutes":  {"30 1 * * 1", 5 * time.Minute},
		"ten minutes are delayed by less than a tenth": {"*/10 * * * *", time.Minute},
		"a minute is delayed by less than a tenth":     {"* * * * *", 6 * time.Second},
		"an interval is not delayed":                   {"@every 1h", time.Nanosecond},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Parse(test.text)
			if err != nil {
				t.Fatal(err)
			}
			last := at(t, "2026-10-05T01:31:00Z")
			seen := map[time.Duration]bool{}
			for _, uid := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
				delay := s.Due(last, uid).Sub(s.Next(last))
				if delay < 0 || delay >= test.limit {
					t.Errorf("%s is delayed by %s", uid, delay)
				}
				if again := s.Due(last, uid).Sub(s.Next(last)); again != delay {
					t.Errorf("%s is delayed by %s, then by %s", uid, delay, again)
				}
				seen[delay] = true
			}
			if test.limit >= time.Minute && len(seen) < 3 {
				t.Errorf("delays are not spread: %v", seen)
			}
		})
	}
}

func TestJitterOfOddPeriods(t *testing.T) {
	for _, period := range []time.Duration{-time.Hour, 0, time.Nanosecond, time.Second} {
		if got := Jitter("uid", period); got != 0 {
			t.Errorf("jitter of %s is %s", period, got)
		}
	}
}

// FuzzParse checks that nothing makes the library panic or hang, and that what was accepted
// goes on forward for ever.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"30 1 * * 1", "@daily", "@every 1h", "TZ=UTC", "CRON_TZ=Europe/Berlin 0 0 * * *", "0 0 30 2 *", "TZ=UTC TZ=UTC", "*/0 * * * *",
		"1-5/2,7 ? jan-mar * sun", "@every 9223372036854775807ns", "CRON_TZ=America/Sao_Paulo 0 0 * * *", "0-59/18446744073709551615 * * * *",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		if s.Period() < 0 {
			t.Errorf("%q has the period %s", text, s.Period())
		}
		when := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
		for range 8 {
			next := s.Next(when)
			if next.IsZero() {
				return
			}
			if !next.After(when) {
				t.Fatalf("%q: after %s comes %s", text, when, next)
			}
			when = next
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for _, text := range []string{"30 1 * * 1", "CRON_TZ=Europe/Berlin 30 1 * * 1", "0 0 29 2 *", "@every 1h"} {
		b.Run(text, func(b *testing.B) {
			for b.Loop() {
				if _, err := Parse(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

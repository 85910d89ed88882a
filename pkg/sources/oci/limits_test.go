// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"goldenimage.dev/pkg/sources"
	"goldenimage.dev/test/registry"
)

func TestRemaining(t *testing.T) {
	for name, test := range map[string]struct {
		header map[string]string
		want   int64
	}{
		"none":                    {nil, -1},
		"a number":                {map[string]string{"ratelimit-remaining": "76"}, 76},
		"a number and its window": {map[string]string{"RateLimit-Remaining": "76;w=21600"}, 76},
		"nothing left":            {map[string]string{"RateLimit-Remaining": "0 ; w=21600"}, 0},
		"the older name":          {map[string]string{"X-RateLimit-Remaining": "5"}, 5},
		"both names":              {map[string]string{"X-RateLimit-Remaining": "5", "RateLimit-Remaining": "6"}, 6},
		"a malformed one":         {map[string]string{"RateLimit-Remaining": "many"}, -1},
		"a negative one":          {map[string]string{"RateLimit-Remaining": "-3"}, -1},
		"too many digits":         {map[string]string{"RateLimit-Remaining": "99999999999999999999"}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			header := http.Header{}
			for name, value := range test.header {
				header.Set(name, value)
			}
			if got := remaining(header); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, test := range map[string]struct {
		header string
		want   time.Time
	}{
		"no header":            {"", time.Time{}},
		"a malformed header":   {"soon", time.Time{}},
		"a negative number":    {"-5", time.Time{}},
		"seconds":              {"30", now.Add(30 * time.Second)},
		"a date":               {"Fri, 02 Jan 2026 03:05:05 GMT", now.Add(time.Minute)},
		"a date that is over":  {"Fri, 02 Jan 2026 03:00:00 GMT", now},
		"a date in years":      {"Sat, 02 Jan 2027 03:05:05 GMT", now.Add(24 * time.Hour)},
		"more seconds than ok": {"2000000000", now.Add(24 * time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			if got := retryAfter(test.header, now); !got.Equal(test.want) {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestComeBack(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, test := range map[string]struct {
		status int
		header map[string]string
		want   time.Time
	}{
		"nothing":                        {429, nil, time.Time{}},
		"Retry-After wins":               {429, map[string]string{"Retry-After": "30", "RateLimit-Reset": "60"}, now.Add(30 * time.Second)},
		"a malformed Retry-After":        {429, map[string]string{"Retry-After": "soon", "RateLimit-Reset": "60"}, now.Add(time.Minute)},
		"a reset in seconds":             {429, map[string]string{"RateLimit-Reset": "60"}, now.Add(time.Minute)},
		"a reset with parameters":        {429, map[string]string{"RateLimit-Reset": "60;w=3600"}, now.Add(time.Minute)},
		"a reset as a date":              {429, map[string]string{"X-RateLimit-Reset": "1767323105"}, now.Add(time.Minute)},
		"a reset as a date with seconds": {429, map[string]string{"X-RateLimit-Reset": "1767323105000"}, now.Add(time.Minute)},
		"a reset that is over":           {429, map[string]string{"X-RateLimit-Reset": "1767320000"}, now},
		"a reset in years":               {429, map[string]string{"X-RateLimit-Reset": "2767320000"}, now.Add(24 * time.Hour)},
		"another's header":               {429, map[string]string{"X-Retry-After": "1767323105"}, now.Add(time.Minute)},
		"a reset that is no number":      {429, map[string]string{"X-RateLimit-Reset": "-1"}, time.Time{}},
		"a reset of who is only busy":    {503, map[string]string{"RateLimit-Reset": "60"}, time.Time{}},
		"Retry-After of who is busy":     {503, map[string]string{"Retry-After": "60"}, now.Add(time.Minute)},
	} {
		t.Run(name, func(t *testing.T) {
			response := &http.Response{StatusCode: test.status, Header: http.Header{}}
			for name, value := range test.header {
				response.Header.Set(name, value)
			}
			if got := comeBack(response, now); !got.Equal(test.want) {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func FuzzRateLimitHeaders(f *testing.F) {
	for _, value := range []string{"76;w=21600", "120", "1767323105000", "Fri, 02 Jan 2026 03:05:05 GMT", "-1", "9007199254740991", ";", ""} {
		f.Add(value)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f.Fuzz(func(t *testing.T, value string) {
		header := http.Header{"Ratelimit-Remaining": {value}, "Retry-After": {value}, "X-Retry-After": {value}}
		if n := remaining(header); n < -1 {
			t.Errorf("%d remain", n)
		}
		for _, at := range []time.Time{retryAfter(value, now), resetAt(value, now)} {
			if !at.IsZero() && (at.Before(now) || at.After(now.Add(maxRetryAfter))) {
				t.Errorf("to be asked again at %s", at)
			}
		}
	})
}

func TestExchangesAreObserved(t *testing.T) {
	r := registry.New(t, registry.Config{Username: "ada", Password: "hunter2", Token: true})
	r.Push(t, fedora, "latest", own(t, "disk"))
	var seen []sources.Exchange
	o := quick
	o.Observe = func(e sources.Exchange) { seen = append(seen, e) }
	resolver := NewResolver(o)
	defer resolver.Close()
	query := sources.Query{Location: r.URL(fedora, "latest"), Access: trusted(r)}
	query.Access.Username, query.Access.Password = "ada", "hunter2"
	mustResolve(t, resolver, query)
	r.SetFaults(limited("RateLimit-Remaining", "0;w=21600"))
	_, err := resolver.Resolve(t.Context(), query)
	checkError(t, err, sources.RateLimited)
	r.SetFaults(always(registry.Step{Reset: true}))
	_, err = resolver.Resolve(t.Context(), query)
	checkError(t, err, sources.Unreachable)
	want := []sources.Exchange{
		{Registry: r.Host, Method: "GET", Code: 401, Remaining: -1},
		{Registry: r.Host, Method: "GET", Code: 200, Remaining: -1},
		{Registry: r.Host, Method: "HEAD", Code: 200, Remaining: -1},
		{Registry: r.Host, Method: "GET", Code: 200, Remaining: -1},
		{Registry: r.Host, Method: "HEAD", Code: 429, Remaining: 0},
		{Registry: r.Host, Method: "HEAD", Code: 0, Remaining: -1},
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
}

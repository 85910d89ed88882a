// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package polite

import (
	"time"

	"k8s.io/utils/lru"
)

const (
	// mostAnswers are kept, each for as long as answersLast.
	mostAnswers = 20_000
	answersLast = 15 * time.Minute
)

// answers are what was said lately, for who asks the same a little later.
type answers struct{ kept *lru.Cache }

func newAnswers() *answers { return &answers{kept: lru.New(mostAnswers)} }

func (a *answers) put(id key, answer Answer) { a.kept.Add(id, answer) }

// get returns an answer whose asking did not begin before asOf.
func (a *answers) get(id key, asOf, now time.Time) (Answer, bool) {
	found, ok := a.kept.Get(id)
	if !ok {
		return Answer{}, false
	}
	answer, ok := found.(Answer)
	if !ok || now.Sub(answer.Ended) > answersLast {
		a.kept.Remove(id)
		return Answer{}, false
	}
	return answer, !answer.Started.Before(asOf)
}

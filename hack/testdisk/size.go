// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"strconv"
	"strings"
)

// size is a number of bytes, as a flag.
type size int64

func (s *size) String() string {
	return strconv.FormatInt(int64(*s), 10)
}

// Set reads bytes, or a number with the suffix Ki, Mi or Gi. It refuses what is not
// positive, and more than a tebibyte.
func (s *size) Set(text string) error {
	unit := int64(1)
	number := text
	for i, suffix := range []string{"Ki", "Mi", "Gi"} {
		if n, ok := strings.CutSuffix(text, suffix); ok {
			number, unit = n, 1<<(10*(i+1))
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n <= 0 || n > 1<<40/unit {
		return errors.New("must be a positive number of bytes, or one with the suffix Ki, Mi or Gi")
	}
	*s = size(n * unit)
	return nil
}
